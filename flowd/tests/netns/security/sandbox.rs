//! What flowd gives up.

use std::fs;

use crate::support::{daemon::Daemon, namespace::Namespace, privileged};

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
