//! What the real daemon's default log keeps of requests that are full of secrets: none of them.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    thread::scope,
};

use crate::support::{
    daemon::{Daemon, Ended},
    privileged,
    router::{LAN, Router, SERVER_V4},
    until,
};

const REQUESTS: [&str; 5] = [
    "GET /a?token=SECRET01&SECRET02#SECRET03 HTTP/1.1\r\nHost: SECRET04@shop\r\nCookie: sid=SECRET05\r\n\
     Authorization: Bearer SECRET06\r\nProxy-Authorization: Basic SECRET07\r\n\
     Referer: http://SECRET08:SECRET09@from/SECRET10?SECRET11\r\nX-Api-Key: SECRET12\r\n\r\n",
    "GET http://SECRET13:SECRET14@shop/b?password=SECRET15 HTTP/1.1\r\nHost: shop\r\n\r\n",
    "POST /c?SECRET16 HTTP/1.1\r\nHost: shop\r\nCookie:\r\n SECRET17\r\nContent-Length: 17\r\n\r\npassword=SECRET18",
    "GET /d?x=1;token%3DSECRET19&%74oken=SECRET20 HTTP/1.1\r\nHost: shop\r\nSet-Cookie: SECRET21\r\n\r\n",
    "PUT /e#SECRET22?SECRET23 HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n",
];
const RESPONSE: &str = "HTTP/1.1 302 Found\r\nSet-Cookie: s=SECRET24\r\nLocation: /x?SECRET25\r\n\
     WWW-Authenticate: Basic realm=\"SECRET26\"\r\nContent-Length: 8\r\n\r\nSECRET27";

/// Sends all of them on one connection past a flowd with `config`. Gives what its web server showed as well.
fn story(config: &str) -> (String, Ended) {
    let router = Router::new(false);
    let listener = router.server.enter(|| TcpListener::bind((SERVER_V4, 80)).unwrap());
    let daemon = Daemon::start(&router.gateway, &[LAN], config);
    scope(|scope| {
        scope.spawn(|| {
            let mut stream = listener.accept().unwrap().0;
            for request in REQUESTS {
                stream.read_exact(&mut vec![0; request.len()]).unwrap();
                stream.write_all(RESPONSE.as_bytes()).unwrap();
            }
        });
        let mut stream = router.client.enter(|| TcpStream::connect((SERVER_V4, 80)).unwrap());
        for request in REQUESTS {
            stream.write_all(request.as_bytes()).unwrap();
            stream.read_exact(&mut vec![0; RESPONSE.len()]).unwrap();
        }
        stream.shutdown(Shutdown::Both).unwrap();
    });
    router.gateway.quiet(LAN);
    let lines = || Some(daemon.get("/api/v1/http")).filter(|shown| shown.contains("\"/e"));
    let shown = until("the API has the last request", 10, lines);
    let shown = [shown, daemon.get("/metrics"), daemon.get("/api/v1/flows")].concat();
    (shown, daemon.stop())
}

#[test]
fn the_default_log_keeps_no_secret() {
    if !privileged("the_default_log_keeps_no_secret") {
        return;
    }
    let (shown, ended) = story("");
    let targets: Vec<&str> = ended.http.iter().map(|line| line["target"].as_str().unwrap()).collect();
    assert_eq!(targets, ["/a", "http://shop/b", "/c", "/d", "/e"]);
    let said = format!("{shown} {:?} {:?} {}", ended.http, ended.flows, ended.stderr);
    assert!(!said.contains("SECRET"), "{said}");
}

#[test]
fn named_parameters_are_kept_out_of_a_log_that_keeps_queries() {
    if !privileged("named_parameters_are_kept_out_of_a_log_that_keeps_queries") {
        return;
    }
    let (_, ended) = story("query = \"keep\"\n[http]\nredact = [\"token\", \"password\"]\n");
    let said = format!("{:?}", ended.http);
    for secret in ["SECRET01", "SECRET15", "SECRET19", "SECRET20"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
    assert_eq!(ended.http[3]["target"], "/d?x=1;token%3D***&%74oken=***");
    assert!(said.contains("SECRET02"), "what was asked for is there");
}
