//! Mosquitto with its own clients, against what they sent.

use std::fs;

use super::peer::{self, PORT, Peer, assert_all, errors, nobodys_folder, told};
use crate::support::{daemon::Daemon, privileged, router::Router};

#[test]
fn mqtt_lines_are_what_the_clients_sent() {
    if !privileged("mqtt_lines_are_what_the_clients_sent") {
        return;
    }
    let router = Router::new(false);
    let folder = nobodys_folder();
    let config = folder.path().join("mosquitto.conf");
    fs::write(&config, format!("listener {PORT}\nallow_anonymous true\nuser root\n")).unwrap();
    let mut command = router.server.command("mosquitto");
    command.args(["-c", config.to_str().unwrap()]);
    let _server = Peer::start(&router.server, folder, &mut command);
    let daemon = Daemon::start(&router.gateway, &["gw*"], "[mqtt]\nlog = \"REQUESTS\"\n");
    for (version, qos) in [("mqttv31", 0), ("mqttv311", 1), ("mqttv5", 2)] {
        let publish = format!("-h SERVER -p PORT -V {version} -q {qos} -t topic -m text --repeat 50");
        peer::ask(&router.client, "mosquitto_pub", &publish, &[]);
    }
    // Kept by the server, so that the subscriber has it and leaves.
    peer::ask(&router.client, "mosquitto_pub", "-h SERVER -p PORT -r -t kept -m text", &[]);
    let kept = peer::ask(&router.client, "mosquitto_sub", "-h SERVER -p PORT -t kept -C 1", &[]);
    assert_eq!(kept, "text\n");
    let ended = told(daemon, &router.client);
    let lines = &ended.requests;
    assert!(lines.iter().all(|line| line["protocol"] == "mqtt"));
    assert_all(lines, "CONNECT", 5);
    assert_all(lines, "PUBLISH", 151);
    assert_all(lines, "SUBSCRIBE", 1);
    assert_all(lines, "DISCONNECT", 5);
    assert_eq!(errors(lines), []);
}
