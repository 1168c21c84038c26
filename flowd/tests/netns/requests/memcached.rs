//! memcached, against its own `stats`.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    time::Duration,
};

use super::peer::{PORT, Peer, assert_all, errors, nobodys_folder, told};
use crate::support::{
    daemon::Daemon,
    privileged,
    router::{Router, SERVER_V4},
};

/// A connection of the text protocol.
struct Client(BufReader<TcpStream>);

impl Client {
    /// Sends some commands at once and reads responses until `lines` lines have come.
    fn say(&mut self, commands: &str, lines: usize) -> Vec<String> {
        self.0.get_mut().write_all(commands.as_bytes()).unwrap();
        let mut line = || {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        (0..lines).map(|_| line()).collect()
    }
}

#[test]
fn memcached_lines_are_what_the_server_counts() {
    if !privileged("memcached_lines_are_what_the_server_counts") {
        return;
    }
    let router = Router::new(false);
    let mut command = router.server.command("memcached");
    command.args(["-u", "nobody", "-U", "0", "-l", "0.0.0.0", "-p", PORT]);
    let _server = Peer::start(&router.server, nobodys_folder(), &mut command);
    let daemon = Daemon::start(&router.gateway, &["gw*"], "[memcached]\nlog = \"REQUESTS\"\n");
    let connect = |at: &crate::support::namespace::Namespace, address: &str| {
        let stream = at.enter(|| TcpStream::connect(format!("{address}:{PORT}")).unwrap());
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        Client(BufReader::new(stream))
    };
    for connection in 0..5 {
        let mut client = connect(&router.client, SERVER_V4);
        for round in 0..40 {
            let key = format!("key{connection}-{round}");
            assert_eq!(client.say(&format!("set {key} 0 0 5\r\nvalue\r\n"), 1), ["STORED"]);
            assert_eq!(client.say(&format!("get {key}\r\n"), 3)[2], "END");
            assert_eq!(client.say("get missing\r\n", 1), ["END"]);
        }
        // Several at once, and one that fails.
        client.say(&"get missing\r\n".repeat(10), 10);
        assert!(client.say("incr key0-0 1\r\n", 1)[0].starts_with("CLIENT_ERROR"));
    }
    let stats = connect(&router.server, "127.0.0.1").say("stats\r\n", 60);
    let counted = |name: &str| {
        let line = stats.iter().find_map(|line| line.strip_prefix(&format!("STAT {name} ")));
        line.unwrap().parse::<usize>().unwrap()
    };
    let ended = told(daemon, &router.client);
    let lines = &ended.requests;
    assert!(lines.iter().all(|line| line["protocol"] == "memcached"));
    assert_all(lines, "get", counted("cmd_get"));
    assert_all(lines, "set", counted("cmd_set"));
    assert_eq!(errors(lines), [("incr", "CLIENT_ERROR"); 5]);
}
