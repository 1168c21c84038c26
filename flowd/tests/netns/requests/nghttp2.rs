//! HTTP/2 by nghttp2's own server and proxy: prior knowledge and HTTP/1.1's Upgrade.

use std::{fs, process::Stdio};

use super::peer::{self, PORT, Peer, nobodys_folder, told};
use crate::support::{daemon::Daemon, privileged, process::Process, router::Router};

/// Where the server behind the proxy listens.
const BEHIND: &str = "7002";

#[test]
fn http2_lines_of_nghttp2_with_and_without_upgrade() {
    if !privileged("http2_lines_of_nghttp2_with_and_without_upgrade") {
        return;
    }
    // Of a write in several segments only the first is copied before the conversation is recognised. Offloads keep it whole.
    let router = Router::new(true);
    let folder = nobodys_folder();
    fs::write(folder.path().join("page"), "flowd\n".repeat(50)).unwrap();
    let mut server = router.server.command("nghttpd");
    server.args(["--no-tls", "-d", folder.path().to_str().unwrap(), BEHIND]);
    let _server = Process::start(server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
    // The server knows no Upgrade; the proxy does.
    let mut proxy = router.server.command("nghttpx");
    proxy.args(["--conf=/dev/null", "--workers=1", "--accesslog-file="]);
    proxy.args([
        format!("--frontend=0.0.0.0,{PORT};no-tls"),
        format!("--backend=127.0.0.1,{BEHIND};;proto=h2"),
    ]);
    let _proxy = Peer::start(&router.server, folder, &mut proxy);
    let daemon = Daemon::start(&router.gateway, &["gw*"], "[http2]\nenabled = true\n");
    let said = peer::ask(&router.client, "h2load", "-n 400 -c 8 -m 10 http://SERVER:PORT/page", &[]);
    assert!(said.contains(" 400 succeeded"), "{said}");
    for _ in 0..3 {
        peer::ask(&router.client, "nghttp", "-n -u http://SERVER:PORT/page http://SERVER:PORT/missing", &[]);
    }
    let lines = told(daemon, &router.client).http;
    let count = |version: &str, target: &str, outcome: &str| {
        let lines = lines.iter().filter(|line| {
            line["version"] == version && line["target"] == target && line["outcome"] == outcome
        });
        lines.count()
    };
    let pages = count("2", "/page", "complete");
    println!("{pages} pages, {} upgrades, {} lines", count("1.1", "/page", "upgraded"), lines.len());
    // The answer to the request that asked for the Upgrade is on stream 1: it may have a line of its own.
    assert!((400..=403).contains(&pages), "{pages}");
    assert_eq!(count("1.1", "/page", "upgraded"), 3);
    // The first requests behind an Upgrade are told; their responses may have passed before flowd had looked.
    let behind = lines.iter().filter(|line| line["version"] == "2" && line["target"] == "/missing");
    assert_eq!(behind.count(), 3);
}
