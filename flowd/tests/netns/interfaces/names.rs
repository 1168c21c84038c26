//! Names that others chose: the kernel lets an interface be called almost anything.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

use crate::support::{
    daemon::{Daemon, flowd},
    namespace::Namespace,
    privileged,
    process::{attempt, run},
    until,
};

#[test]
fn names_steer_no_terminal_and_are_watched_where_they_are_text() {
    if !privileged("names_steer_no_terminal_and_are_watched_where_they_are_text") {
        return;
    }
    const RED: &str = "e\u{1b}[31mred";
    let [host, peer] = ["host", "peer"].map(Namespace::new);
    for (device, name) in [("a0", RED.as_bytes()), ("a1", b"e\xffth")] {
        host.veth(device, &peer, device);
        let mut ip = host.command("ip");
        run(ip.args(["link", "set", "dev", device, "name"]).arg(OsStr::from_bytes(name)));
    }
    let daemon = Daemon::start(&host, &["e*"], "");
    let said = daemon.stderr();
    assert!(said.contains("e\\xffth") && said.contains("its name is no UTF-8; rename it"), "{said}");
    until("the interface in the metrics", 10, || daemon.get("/metrics").contains(RED).then_some(()));
    for command in [&["interfaces", "-i", "e*"][..], &["check", "-i", "e*"], &["check", "-i", "no such"]] {
        let output = attempt(flowd(&host).args(command));
        let shown = [output.stdout, output.stderr].concat();
        assert!(!shown.contains(&0x1b) && !shown.contains(&0xff), "{command:?}: {}", shown.escape_ascii());
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains("e\\u{1b}[31mred"), "{command:?}: {shown}");
    }
    assert!(!said.contains('\u{1b}'), "{said}");
    daemon.stop();
}
