//! QUIC by aioquic: the lines of handshakes.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::json;

use super::{
    grpc::{PYTHON, script},
    peer::{PORT, nobodys_folder, told},
};
use crate::support::{
    daemon::{Daemon, LOOKUPS},
    namespace::Namespace,
    privileged,
    process::{Process, run},
    router::{Router, SERVER_V4},
    until,
};

/// Python with what `cargo xtask setup` installed for it alone.
fn python(namespace: &Namespace, words: [&str; 4]) -> Command {
    let modules = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/tools/python");
    let mut command = namespace.command(PYTHON);
    command.env("PYTHONPATH", modules).arg(script("quic_peer.py")).args(words).stdin(Stdio::null());
    command
}

#[test]
fn quic_lines_are_what_was_negotiated() {
    if !privileged("quic_lines_are_what_was_negotiated") {
        return;
    }
    let router = Router::new(false);
    let folder = nobodys_folder();
    let path = folder.path().to_str().unwrap();
    let make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=flowd";
    let mut openssl = Command::new("openssl");
    openssl.args(make.split_whitespace()).current_dir(path).stderr(Stdio::null());
    run(openssl.args(["-keyout", "key", "-out", "certificate"]));
    let _server = Process::start(&mut python(&router.server, ["serve", "0.0.0.0", PORT, path]));
    until("the server listens", 20, || folder.path().join("ready").exists().then_some(()));
    let daemon = Daemon::start(&router.gateway, &["gw*"], &format!("{LOOKUPS}[quic]\nenabled = true\n"));
    let said = run(&mut python(&router.client, ["ask", SERVER_V4, PORT, path]));
    let handshakes: Vec<serde_json::Value> = serde_json::from_str(&said).unwrap();
    let lines = told(daemon, &router.client).tls;
    assert_eq!(lines.len(), handshakes.len(), "{lines:#?}");
    for ((line, handshake), version) in lines.iter().zip(&handshakes).zip(["1", "2"]) {
        println!("{line}");
        assert_eq!((&line["sni"], &line["alpn"]), (&handshake["sni"], &handshake["alpn"]));
        assert_eq!((&line["transport"], &line["quic_version"]), (&json!("quic"), &json!(version)));
        let ja4 = line["ja4"].as_str().unwrap();
        assert!(ja4.starts_with("q13d"), "{ja4}");
        assert!(line["handshake_time_us"].as_f64().unwrap() > 0.0, "{line}");
        assert_eq!(line["outcome"], "complete");
    }
}
