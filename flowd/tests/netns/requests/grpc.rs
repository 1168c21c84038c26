//! gRPC by grpcio, against what the client asked for and the codes it got.

use std::{collections::BTreeMap, path::PathBuf, process::Stdio};

use serde_json::Value;

use super::peer::{PORT, Peer, nobodys_folder, told};
use crate::support::{
    daemon::Daemon,
    privileged,
    process::run,
    router::{Router, SERVER_V4},
};

/// Debian's own Python, which has Debian's modules.
pub(super) const PYTHON: &str = "/usr/bin/python3";

/// A script beside these tests.
pub(super) fn script(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/netns/requests");
    folder.join(name).to_str().unwrap().to_owned()
}

#[test]
fn grpc_lines_have_the_codes_that_the_client_got() {
    if !privileged("grpc_lines_have_the_codes_that_the_client_got") {
        return;
    }
    let router = Router::new(false);
    let mut command = router.server.command(PYTHON);
    command.args([&script("grpc_peer.py"), "serve", &format!("0.0.0.0:{PORT}")]);
    let _server = Peer::start(&router.server, nobodys_folder(), &mut command);
    let daemon = Daemon::start(&router.gateway, &["gw*"], "[http2]\nenabled = true\n");
    let mut client = router.client.command(PYTHON);
    client.args([&script("grpc_peer.py"), "ask", &format!("{SERVER_V4}:{PORT}")]);
    let said = run(client.stdin(Stdio::null()));
    let asked: BTreeMap<String, u64> = serde_json::from_str(&said).unwrap();
    let ended = told(daemon, &router.client);
    let mut found = BTreeMap::new();
    for line in &ended.http {
        let method = line["target"].as_str().unwrap().trim_start_matches("/flowd.Test/");
        *found.entry(format!("{method} {}", line["grpc_status"])).or_insert(0) += 1;
    }
    println!("{asked:?}");
    assert_eq!(found, asked);
    let good =
        |line: &Value| line["version"] == "2" && line["status"] == 200 && line["outcome"] == "complete";
    assert!(ended.http.iter().all(good), "{:#?}", ended.http.iter().find(|line| !good(line)));
}
