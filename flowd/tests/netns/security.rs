//! What flowd gives up, whom it answers, and what it never tells.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream, UdpSocket},
    path::Path,
    process::Stdio,
};

use crate::support::{
    daemon::{Daemon, flowd},
    namespace::Namespace,
    privileged,
    process::attempt,
    router::{LAN, Router, SERVER_V4},
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
    for path in ["/api/v1/flows", "/api/v1/http", "/api/v1/http/stream", "/api/v1/interfaces", "/nothing"] {
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

/// Bits of CAP_NET_ADMIN and CAP_BPF.
const KEPT: u64 = 1 << 12 | 1 << 39;

#[test]
fn every_thread_has_what_it_needs_and_no_more() {
    if !privileged("every_thread_has_what_it_needs_and_no_more") {
        return;
    }
    let host = Namespace::new("host");
    let daemon = Daemon::start(&host, &["lo"], "");
    // A thread takes its name and gives up its rights once it runs.
    daemon.drained();
    let mut names = Vec::new();
    for task in fs::read_dir(format!("/proc/{}/task", daemon.id())).unwrap() {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim_start_matches(':').trim().to_owned()
        };
        let name = field("Name");
        assert_eq!((&*field("NoNewPrivs"), &*field("Seccomp")), ("1", "2"), "{name}");
        for set in ["CapPrm", "CapEff"] {
            let bits = u64::from_str_radix(&field(set), 16).unwrap();
            let allowed =
                if ["flowd", "pump"].iter().any(|known| name.starts_with(known)) { KEPT } else { 0 };
            assert_eq!(bits, allowed, "{name}: {set} {bits:x}");
        }
        assert_eq!(
            [field("CapInh"), field("CapAmb")].map(|set| u64::from_str_radix(&set, 16)),
            [Ok(0), Ok(0)]
        );
        names.push(name);
    }
    println!("{names:?}");
    for expected in ["pump", "http_log", "web"] {
        assert!(names.iter().any(|name| name.starts_with(expected)), "{names:?}");
    }
    let said = daemon.stderr();
    println!("{}", said.lines().find(|line| line.contains("sandbox")).unwrap());
    assert!(
        said.contains("sandbox: capabilities (BPF NET_ADMIN), no new privileges") && !said.contains("WARN"),
        "{said}"
    );
    daemon.stop();
    let daemon = Daemon::start(&host, &["lo"], "[security]\nsandbox = false\n");
    assert!(daemon.stderr().contains("sandbox: off"));
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    assert!(status.contains("Seccomp:\t0"), "{status}");
    daemon.stop();
}

/// Parts of what passes, by where they stand. None may ever be told, but for user info and parameters of URLs
/// where they are asked for, and of those none whose name is on the redaction list.
const SECRETS: [&str; 8] = [
    "s3cretQUERY",
    "s3cretCOOKIE",
    "s3cretLOGIN",
    "s3cretBODY",
    "s3cretPATH",
    "s3cretRAW",
    "s3cretUSER",
    "s3cretPAGE",
];

fn talk(router: &Router) {
    let web = router.server.enter(|| TcpListener::bind((SERVER_V4, 80)).unwrap());
    let mut client = router.client.enter(|| TcpStream::connect((SERVER_V4, 80)).unwrap());
    let (mut server, _) = web.accept().unwrap();
    let [query, cookie, login, body, path, raw, user, page] = SECRETS;
    let request = format!(
        "POST /shop?token={query}&page={page} HTTP/1.1\r\nHost: shop\r\nCookie: id={cookie}\r\nAuthorization: Basic {login}\r\n\
         Proxy-Authorization: Basic {login}\r\nReferer: http://user:{user}@from/{path}?q={query}\r\n\
         X-Api-Key: {login}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(request.as_bytes()).unwrap();
    server.read_exact(&mut vec![0; request.len()]).unwrap();
    let answer = format!(
        "HTTP/1.1 302 Found\r\nSet-Cookie: id={cookie}\r\nLocation: /{path}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    server.write_all(answer.as_bytes()).unwrap();
    client.read_exact(&mut vec![0; answer.len()]).unwrap();
    // What is no HTTP, or only begins like it.
    for text in [raw.to_owned(), format!("GET {raw}\0\r\n\r\n"), format!("HTTP/1.1 {raw}\r\n")] {
        let mut client = router.client.enter(|| TcpStream::connect((SERVER_V4, 80)).unwrap());
        let (mut server, _) = web.accept().unwrap();
        client.write_all(text.as_bytes()).unwrap();
        server.read_exact(&mut vec![0; text.len()]).unwrap();
        let datagrams = router.client.enter(|| UdpSocket::bind("0.0.0.0:0").unwrap());
        datagrams.send_to(text.as_bytes(), (SERVER_V4, 9)).unwrap();
    }
}

#[test]
fn no_more_of_payload_is_told_than_was_asked_for() {
    if !privileged("no_more_of_payload_is_told_than_was_asked_for") {
        return;
    }
    for (query, told) in
        [("drop", &[][..]), ("keys", &["token"]), ("keep", &["token=***", SECRETS[6], SECRETS[7]])]
    {
        let router = Router::new(false);
        let config = format!("query = \"{query}\"\n");
        let daemon = Daemon::start_with(&router.gateway, &[LAN], &config, &[("FLOWD_LOG", "trace")]);
        talk(&router);
        until("the exchange", 10, || (!daemon.http().is_empty()).then_some(()));
        daemon.drained();
        let paths = ["/metrics", "/api/v1/flows?top=10000", "/api/v1/http", "/api/v1/interfaces", "/nothing"];
        let mut said: Vec<String> = paths.iter().map(|path| daemon.answer(path)).collect();
        let ended = daemon.stop();
        assert!(ended.flows.len() > 3);
        said.push(ended.stderr);
        said.extend([&ended.http, &ended.flows].map(|lines| serde_json::to_string(lines).unwrap()));
        let said = said.join("\n");
        assert!(said.contains("/shop") && said.contains("from"), "{query}: the exchange was seen");
        for part in told {
            assert!(said.contains(part), "{query}: {part} was asked for");
        }
        for secret in SECRETS.iter().filter(|secret| !told.contains(secret)) {
            let line = said.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{query}: {secret}");
        }
    }
}
