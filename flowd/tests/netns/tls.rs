//! The TLS log against real handshakes: OpenSSL on both sides, and curl.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    daemon::{Daemon, LOOKUPS},
    namespace::Namespace,
    privileged,
    process::{Process, run},
    router::{Router, SERVER_V4},
    until,
};

/// OpenSSL's server on port 443 with a certificate of its own making.
struct Server {
    _folder: TempDir,
    _process: Process,
}

impl Server {
    fn start(namespace: &Namespace) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (key, certificate) = (path("key"), path("certificate"));
        let make =
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=flowd";
        run(Command::new("openssl")
            .args(make.split_whitespace())
            .args(["-keyout", &key, "-out", &certificate])
            .stderr(Stdio::null()));
        let mut command = namespace.command("openssl");
        command.args(["s_server", "-accept", "443", "-www", "-quiet", "-alpn", "http/1.1"]);
        command.args(["-key", &key, "-cert", &certificate]).stdin(Stdio::null()).stderr(Stdio::null());
        let process = Process::start(&mut command);
        until("openssl", 10, || namespace.enter(|| TcpStream::connect("127.0.0.1:443").ok()));
        Self { _folder: folder, _process: process }
    }
}

/// One handshake by OpenSSL's client; gives version and cipher as it names them.
fn handshake(client: &Namespace, more: &str) -> (String, String) {
    let mut command = client.command("openssl");
    command.args(["s_client", "-connect", &format!("{SERVER_V4}:443")]).args(more.split_whitespace());
    let said = run(command.stdin(Stdio::null()).stderr(Stdio::null()));
    let line = said.lines().find(|line| line.starts_with("New, ")).unwrap_or_else(|| panic!("{said}"));
    // "New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384"
    let words: Vec<&str> = line.split([',', ' ']).filter(|word| !word.is_empty()).collect();
    (words[1].trim_start_matches("TLSv").to_owned(), words.last().unwrap().to_string())
}

fn of<'a>(lines: &'a [Value], name: &str) -> &'a Value {
    let found: Vec<&Value> = lines.iter().filter(|line| line["sni"] == name).collect();
    assert_eq!(found.len(), 1, "{name}: {lines:#?}");
    found[0]
}

#[test]
fn the_tls_log_is_what_was_negotiated() {
    if !privileged("the_tls_log_is_what_was_negotiated") {
        return;
    }
    let router = Router::new(false);
    let _server = Server::start(&router.server);
    // A server of something else hangs up on a hello; another never answers.
    let other = router.server.enter(|| TcpListener::bind((SERVER_V4, 8443)).unwrap());
    let daemon = Daemon::start(&router.gateway, &["gw*"], LOOKUPS);
    let (version, cipher) = handshake(&router.client, "-servername new.example -alpn h2,http/1.1");
    assert_eq!(version, "1.3");
    let old = handshake(
        &router.client,
        "-servername old.example -tls1_2 -alpn http/1.1 -cipher ECDHE-ECDSA-AES128-GCM-SHA256",
    );
    assert_eq!(old, ("1.2".to_owned(), "ECDHE-ECDSA-AES128-GCM-SHA256".to_owned()));
    // A session ticket or key share too many: a name that makes the hello longer than a segment.
    let long = ["x".repeat(60), "y".repeat(60), "example".to_owned()].join(".");
    let protocols: Vec<String> = (0..120).map(|n| format!("protocol-number-{n}")).collect();
    handshake(&router.client, &format!("-servername {long} -alpn http/1.1,{}", protocols.join(",")));
    let mut curl = router.client.command("curl");
    curl.args(["-sk", "-o", "/dev/null", "--connect-to", &format!("::{SERVER_V4}:443")]);
    run(curl.args(["https://curl.example/", "--max-time", "10"]));
    let refused = router.client.enter(|| TcpStream::connect((SERVER_V4, 8443)).unwrap());
    hang_up(&router.client, refused, &other);

    until("flowd counts the handshakes", 10, || {
        (daemon.metric("flowd_tls_handshakes_total", &[]) >= 5.0).then_some(())
    });
    assert_eq!(daemon.metric("flowd_tls_handshakes_total", &["version=\"1.3\""]), 3.0);
    assert_eq!(daemon.metric("flowd_tls_handshakes_total", &["version=\"1.2\""]), 1.0);
    assert_eq!(daemon.metric("flowd_tls_handshakes_total", &["version=\"none\""]), 1.0);
    assert_eq!(daemon.metric("flowd_tls_dropped_total", &[]), 0.0);
    let ended = daemon.stop();
    assert_eq!(ended.tls.len(), 5, "{:#?}", ended.tls);
    // On a busy machine a timer may send again what was only late: the senders know.
    let sent_again: u64 =
        [&router.client, &router.server].map(|end| end.snmp("Tcp", "RetransSegs")).iter().sum();
    let told: u64 = ended.tls.iter().map(|line| line["retransmits"].as_u64().unwrap()).sum();
    assert!(told <= sent_again, "{told} told, {sent_again} by the kernel's account: {:#?}", ended.tls);

    let line = of(&ended.tls, "new.example");
    assert_eq!((&line["version"], &line["cipher"]), (&version.into(), &cipher.into()));
    assert_eq!((&line["alpn"], &line["alpn_chosen"]), (&serde_json::json!(["h2", "http/1.1"]), &Value::Null));
    let ja4 = line["ja4"].as_str().unwrap();
    assert!(ja4.starts_with("t13d") && ja4.contains("h2_"), "{ja4}");
    assert!(line["handshake_time_us"].as_f64().unwrap() > 0.0 && line["server_rtt_us"].is_number(), "{line}");
    assert_eq!(line["outcome"], "complete");

    let line = of(&ended.tls, "old.example");
    assert_eq!(
        (&line["version"], &line["cipher"], &line["alpn_chosen"]),
        (&"1.2".into(), &"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".into(), &"http/1.1".into())
    );
    let line = of(&ended.tls, &long);
    assert_eq!((&line["partial"], line["ja4"].is_string()), (&false.into(), true), "{line}");
    assert_eq!(line["alpn"].as_array().unwrap().len(), 64);
    of(&ended.tls, "curl.example");
    let line = of(&ended.tls, "refused.example");
    assert_eq!((&line["outcome"], &line["cipher"]), (&"reset".into(), &Value::Null), "{line}");
    assert!(ended.http.is_empty(), "{:?}", ended.http);
}

/// Sends a hello to a server that resets the connection.
fn hang_up(client: &Namespace, mut stream: TcpStream, listener: &TcpListener) {
    let hello = captured_hello(client, "refused.example");
    stream.write_all(&hello).unwrap();
    let mut server = listener.accept().unwrap().0;
    let mut some = vec![0; 10];
    server.read_exact(&mut some).unwrap();
    // With bytes unread, closing resets (RFC 1122 section 4.2.2.13).
    drop(server);
    let _ = stream.read(&mut some);
}

/// What OpenSSL's client begins with.
fn captured_hello(client: &Namespace, name: &str) -> Vec<u8> {
    let listener = client.enter(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap().to_string();
    let mut command = client.command("openssl");
    command.args(["s_client", "-connect", &address, "-servername", name]);
    let process = Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
    let mut stream = listener.accept().unwrap().0;
    let mut head = [0; 5];
    stream.read_exact(&mut head).unwrap();
    let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    stream.read_exact(&mut body).unwrap();
    drop(process);
    [&head[..], &body].concat()
}
