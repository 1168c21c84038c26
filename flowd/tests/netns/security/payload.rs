//! What flowd never tells of what passes.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream, UdpSocket},
};

use crate::support::{
    daemon::Daemon,
    privileged,
    router::{LAN, Router, SERVER_V4},
    until,
};

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
