//! `flowd tail` beside a daemon that watches real requests, and through its end and return.

use std::{
    fs::{self, File},
    path::Path,
    process::Stdio,
    time::Duration,
};

use serde_json::Value;

use crate::support::{
    daemon::{Daemon, flowd},
    namespace::Namespace,
    nginx::Nginx,
    privileged,
    process::{Process, attempt, run},
    router::{LAN, Router, SERVER_V4},
    until,
    user::{self, certificate, own, signed},
};

/// A `flowd tail` whose output goes to files in `folder`.
fn tail(host: &Namespace, folder: &Path, name: &str, arguments: &[&str]) -> Process {
    let file = |kind| File::create(folder.join(format!("{name}.{kind}"))).unwrap();
    let mut command = flowd(host);
    command.arg("tail").args(arguments).stdin(Stdio::null()).stdout(file("out")).stderr(file("err"));
    Process::start(&mut command)
}

fn request(router: &Router, path: &str) {
    let mut curl = router.client.command("curl");
    run(curl.args(["-sS", "--max-time", "10", "-o", "/dev/null", &format!("http://{SERVER_V4}/{path}")]));
}

#[test]
fn requests_are_tailed_through_a_restart() {
    if !privileged("requests_are_tailed_through_a_restart") {
        return;
    }
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let folder = tempfile::tempdir().unwrap();
    let text = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
    let holds = |file: &str, count: usize| {
        until(file, 20, || Some(text(file)).filter(|text| text.lines().count() >= count))
    };
    let daemon = Daemon::start(&router.gateway, &[LAN], "");
    request(&router, "echo/before");
    until("the first line", 10, || (!daemon.http().is_empty()).then_some(()));
    let start = |name: &str, arguments: &[&str]| tail(&router.gateway, folder.path(), name, arguments);
    let _json = start("json", &["--json", "--path", "/echo/"]);
    let _errors = start("errors", &["--status", "4xx", "--color", "always"]);
    let _plain = start("plain", &["--client", "192.0.2.0/24", "--slow", "0"]);
    // Begins with what was there, so that all that comes now is in it.
    holds("json.out", 1);
    for path in ["echo/1?secret=1", "missing/2", "echo/3", "missing/4"] {
        request(&router, path);
    }
    let json = holds("json.out", 3);
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let targets: Vec<&str> = lines.iter().map(|line| line["target"].as_str().unwrap()).collect();
    assert_eq!(targets, ["/echo/before", "/echo/1", "/echo/3"]);
    assert!(lines.iter().all(|line| line["type"] == "http" && line["server_rtt_us"].is_f64()));
    let errors = holds("errors.out", 2);
    assert!(errors.lines().all(|line| line.contains("\u{1b}[33m404\u{1b}[0m") && line.contains("/missing/")));
    let plain = holds("plain.out", 5);
    println!("{plain}");
    assert!(plain.lines().all(|line| line.contains(" ms slow  rtt server ")) && !plain.contains('\u{1b}'));
    assert_eq!(text("json.err") + &text("errors.err") + &text("plain.err"), "");

    let shown: Value = serde_json::from_str(&daemon.get("/api/v1/http?path=/echo/&limit=2")).unwrap();
    assert_eq!(shown["lines"].as_array().unwrap()[..], lines[1..], "the same lines");
    let mut curl = router.gateway.command("curl");
    let packed = run(curl.args(["-sS", "--compressed", "-D", "-", "http://127.0.0.1:9435/metrics"]));
    assert!(
        packed.contains("content-encoding: gzip") && packed.contains("# TYPE flowd_build_info"),
        "{packed}"
    );

    // Streams that are open do not hold up the end.
    let ended = daemon.stop();
    assert!(ended.took < Duration::from_secs(2), "{:?}", ended.took);
    until("tail misses the daemon", 10, || text("json.err").contains("trying again in").then_some(()));
    let _daemon = Daemon::start(&router.gateway, &[LAN], "");
    until("tail is back", 20, || text("json.err").contains("connected again").then_some(()));
    request(&router, "echo/after");
    let json = holds("json.out", 4);
    assert!(json.lines().next_back().unwrap().contains("/echo/after"));
}

/// The daemon's certificate is its own authority, as openssl makes it by default, or has one.
#[test]
fn requests_are_tailed_by_tls_with_a_token() {
    if !privileged("requests_are_tailed_by_tls_with_a_token") {
        return;
    }
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let folder = user::folder();
    let tokens = folder.path().join("tokens");
    fs::write(&tokens, "0123456789abcdef").unwrap();
    own(&tokens);
    let alone = certificate(folder.path(), "alone");
    let issuer = certificate(folder.path(), "issuer");
    let server = signed(folder.path(), "server", &issuer);
    let name = |path: &Path| path.to_str().unwrap().to_owned();
    for (shown, ca, other) in [(&alone, &alone[0], &issuer[0]), (&server, &issuer[0], &alone[0])] {
        let config = format!(
            "[web]\ntokens = \"{}\"\ntls_certificate = \"{}\"\ntls_key = \"{}\"\n",
            name(&tokens),
            name(&shown[0]),
            name(&shown[1])
        );
        let daemon = Daemon::start(&router.gateway, &[LAN], &config);
        request(&router, "echo/by-tls");
        until("the request is seen", 10, || (!daemon.http().is_empty()).then_some(()));
        let [ca, other, token] = [ca, other, &tokens].map(|path| name(path));
        let (url, log) = ("https://127.0.0.1:9435", |kind| folder.path().join(format!("tls.{kind}")));
        let arguments = ["--json", "--url", url, "--ca", &ca, "--token-file", &token];
        let running = tail(&router.gateway, folder.path(), "tls", &arguments);
        until("a line by TLS", 10, || {
            let line = fs::read_to_string(log("out")).unwrap();
            line.contains("/echo/by-tls").then_some(())
        });
        drop(running);
        for (url, more, part) in [
            (url, &["--ca", &*ca][..], "web.tokens"),
            (url, &["--token-file", &token], "--ca"),
            (url, &["--ca", &other, "--token-file", &token], "cannot speak TLS"),
            ("https://localhost:9435", &["--ca", &ca, "--token-file", &token], "localhost"),
            ("http://127.0.0.1:9435", &["--token-file", &token], "with https://"),
        ] {
            let refused = attempt(flowd(&router.gateway).args(["tail", "--url", url]).args(more));
            let said = String::from_utf8(refused.stderr).unwrap();
            println!("{said}");
            assert!(!refused.status.success() && refused.stdout.is_empty(), "{more:?}");
            assert!(said.lines().count() == 1 && said.contains(part), "{part}: {said}");
        }
        daemon.stop();
    }
}
