//! Whom flowd answers: passwords, tokens, TLS.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    path::Path,
    process::Stdio,
};

use crate::support::{
    daemon::{Daemon, flowd},
    namespace::Namespace,
    privileged,
    process::attempt,
    until,
    user::{certificate, folder, own},
};

/// Of `correct horse`, as `htpasswd -B` writes it.
const USERS: &str = "ann:$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n";
const TOKENS: [&str; 2] = ["0123456789abcdef", "fedcba9876543210"];

/// The status that curl gets, and what it says otherwise.
fn ask(host: &Namespace, arguments: &[&str], path: &str) -> (String, String) {
    let mut curl = host.command("curl");
    curl.args(["-sS", "--max-time", "10", "-o", "/dev/null", "-w", "%{http_code}"]);
    let output = attempt(curl.args(arguments).arg(path));
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn only_who_may_gets_an_answer_and_over_tls() {
    if !privileged("only_who_may_gets_an_answer_and_over_tls") {
        return;
    }
    let host = Namespace::new("host");
    let folder = folder();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        own(&path);
        path.to_str().unwrap().to_owned()
    };
    let [first, first_key] = certificate(folder.path(), "first");
    let [second, second_key] = certificate(folder.path(), "second");
    // In use by these names; what is renewed takes the place of the old by a rename.
    let renew = |from: &Path, to: &str| {
        fs::copy(from, folder.path().join("new")).unwrap();
        own(&folder.path().join("new"));
        fs::rename(folder.path().join("new"), folder.path().join(to)).unwrap();
    };
    renew(&first, "cert");
    renew(&first_key, "key");
    let (users, tokens) = (file("users", USERS), file("tokens", TOKENS[0]));
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let config = format!(
        "[web]\ntls_certificate = \"{}\"\ntls_key = \"{}\"\nusers = \"{users}\"\ntokens = \"{tokens}\"\n",
        path("cert"),
        path("key")
    );
    let daemon = Daemon::start(&host, &["lo"], &config);
    let metrics = "https://127.0.0.1:9435/metrics";
    let [ca, new_ca] = [&first, &second].map(|path| ["--cacert", path.to_str().unwrap()]);
    let bearer = TOKENS.map(|token| format!("Authorization: Bearer {token}"));
    let status = |extra: &[&str], path: &str| ask(&host, &[&ca[..], extra].concat(), path).0;
    for (extra, code) in [
        (&[][..], "401"),
        (&["-H", &bearer[0]], "200"),
        (&["-H", &bearer[1]], "401"),
        (&["-u", "ann:correct horse"], "200"),
        (&["-u", "ann:correct hors"], "401"),
        (&["-u", "eve:correct horse"], "401"),
        (&["-H", &bearer[0], "--tls-max", "1.2"], "200"),
        (&["-H", &bearer[0], "--tlsv1.3"], "200"),
    ] {
        assert_eq!(status(extra, metrics), code, "{extra:?}");
    }
    // What is not as safe as it could be, and who has failed, is in flowd's own log; no secret is.
    let said = daemon.stderr();
    for part in [
        "web.tls_certificate",
        "it expires on",
        "web.users",
        "anyone may read it (mode 644); chmod o=",
        "web server: a wrong token from 127.0.0.1",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains(TOKENS[1]) && !said.contains("correct"), "{said}");
    for path in [
        "/api/v1/flows",
        "/api/v1/http",
        "/api/v1/http/stream",
        "/api/v1/requests",
        "/api/v1/requests/stream",
        "/api/v1/interfaces",
        "/nothing",
    ] {
        assert_eq!(status(&[], &format!("https://127.0.0.1:9435{path}")), "401", "{path}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(status(&[], &format!("https://127.0.0.1:9435{path}")), "200", "{path}");
    }
    assert_eq!(ask(&host, &[], metrics).0, "000", "not trusted without its certificate");
    assert_eq!(ask(&host, &[], "http://127.0.0.1:9435/metrics").0, "000", "clear text");

    renew(&second, "cert");
    renew(&second_key, "key");
    file("tokens", TOKENS[1]);
    daemon.signal(libc::SIGHUP);
    let renewed = |token: usize| ask(&host, &[&new_ca[..], &["-H", &bearer[token]]].concat(), metrics).0;
    until("the new token", 10, || (renewed(1) == "200").then_some(()));
    assert_eq!(renewed(0), "401");
    assert_eq!(status(&["-H", &bearer[1]], metrics), "000", "the first certificate is gone");
    // What cannot be used changes nothing.
    file("tokens", "short");
    daemon.signal(libc::SIGHUP);
    until("the complaint", 10, || daemon.stderr().contains("all stays as it was").then_some(()));
    assert!(daemon.stderr().contains("web.tokens") && !daemon.stderr().contains(TOKENS[1]));
    assert_eq!(renewed(1), "200");
    // Nor does a client that says nothing keep others waiting.
    let silent = host.enter(|| TcpStream::connect("127.0.0.1:9435").unwrap());
    assert_eq!(renewed(1), "200");
    drop(silent);
    daemon.stop();
}

#[test]
fn what_cannot_be_used_is_named_before_anything_is_attached() {
    if !privileged("what_cannot_be_used_is_named_before_anything_is_attached") {
        return;
    }
    let host = Namespace::new("host");
    let folder = folder();
    let file = folder.path().join("flowd.toml");
    for (text, part) in [
        ("[web]\ntokens = \"/no/tokens\"\n", "web.tokens /no/tokens"),
        ("[web]\ntls_certificate = \"/no/cert\"\ntls_key = \"/no/key\"\n", "web.tls_certificate /no/cert"),
    ] {
        fs::write(&file, text).unwrap();
        own(&file);
        let output = attempt(flowd(&host).args(["run", "-i", "lo", "-c", file.to_str().unwrap()]));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.lines().last().unwrap().contains(part) && !said.contains("watching"), "{said}");
    }
}

#[test]
fn tail_shows_its_token() {
    if !privileged("tail_shows_its_token") {
        return;
    }
    let host = Namespace::new("host");
    let folder = folder();
    let file = folder.path().join("tokens");
    let path = file.to_str().unwrap();
    fs::write(&file, TOKENS.join("\n")).unwrap();
    own(&file);
    let daemon = Daemon::start(&host, &["lo"], &format!("[web]\ntokens = \"{path}\"\n"));
    let refused = attempt(flowd(&host).args(["tail", "-n", "1"]));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && said.contains("web.tokens"), "{said}");
    let refused = attempt(flowd(&host).args(["tail", "--token-file", "/no/such"]));
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let mut tail = flowd(&host);
    tail.args(["tail", "--json", "--token-file", path]).stdout(Stdio::piped());
    let mut tail = tail.spawn().unwrap();
    // The request of curl for what is open is on lo, and so in the stream.
    until("a line", 20, || {
        let (code, _) = ask(
            &host,
            &["-H", &format!("Authorization: Bearer {}", TOKENS[1])],
            "http://127.0.0.1:9435/metrics",
        );
        (code == "200").then_some(())
    });
    let mut line = String::new();
    BufReader::new(tail.stdout.take().unwrap()).read_line(&mut line).unwrap();
    tail.kill().unwrap();
    tail.wait().unwrap();
    assert!(line.contains("/metrics") || line.contains("/api/v1/http/stream"), "{line}");
    daemon.stop();
}
