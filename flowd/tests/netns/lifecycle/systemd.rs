//! What a service manager hears, whose socket the test itself is: start, reload, watchdog, end. A part that hangs
//! must let the watchdog fire.

use std::{
    fs::{self, Permissions},
    os::unix::{fs::PermissionsExt as _, net::UnixDatagram},
    time::{Duration, Instant},
};

use crate::support::{daemon::Daemon, namespace::Namespace, privileged, standstill::Standstill, until, user};

/// Half of what the watchdog gives.
const LOOK: Duration = Duration::from_secs(1);

struct Manager(UnixDatagram);

impl Manager {
    /// The next message within so many seconds that has this part; those before it are passed over.
    fn hears(&self, part: &str, seconds: u64) -> String {
        until(part, seconds, || self.next().filter(|message| message.contains(part)))
    }

    fn next(&self) -> Option<String> {
        let mut buffer = [0; 1_024];
        let len = self.0.recv(&mut buffer).ok()?;
        Some(String::from_utf8(buffer[..len].to_vec()).unwrap())
    }

    /// A part hangs: once the look that may still have seen it run is over, the watchdog hears nothing.
    fn hears_of_no_life(&self) {
        let began = Instant::now();
        while began.elapsed() < LOOK * 4 {
            let message = self.next().unwrap_or_default();
            assert!(began.elapsed() < LOOK * 3 / 2 || !message.contains("WATCHDOG=1"), "{message}");
        }
    }
}

#[test]
fn the_service_manager_hears_of_start_reload_hang_and_end() {
    if !privileged("the_service_manager_hears_of_start_reload_hang_and_end") {
        return;
    }
    let host = Namespace::new("host");
    let folder = user::folder();
    let path = folder.path().join("notify");
    let manager = Manager(UnixDatagram::bind(&path).unwrap());
    fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
    manager.0.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "2000000")];
    // Beyond what the watchdog gives.
    let config = "event_interval = \"5s\"\n[capacity]\nwindows = false\n";
    let mut daemon = Daemon::start_with(&host, &["lo"], config, &environment);
    assert!(daemon.stderr().contains("sandbox: capabilities"), "{}", daemon.stderr());
    let ready = manager.hears("READY=1", 5);
    assert!(ready.contains("STATUS=watching lo: "), "{ready}");
    manager.hears("WATCHDOG=1", 5);

    for config in [config, "nonsense = 1\n"] {
        daemon.configure(config);
        let reloading = manager.hears("RELOADING=1", 5);
        assert!(reloading.lines().any(|line| {
            line.strip_prefix("MONOTONIC_USEC=").is_some_and(|time| time.parse::<u64>().unwrap() > 0)
        }));
        manager.hears("READY=1", 5);
    }

    for name in ["pump", "web"] {
        let still = Standstill::of(daemon.id(), name);
        manager.hears_of_no_life();
        // While every thread of the web server hangs, the clock of the runtime does, too: flowd logs nothing at all.
        assert!(name == "web" || daemon.stderr().contains("has stood still"), "{}", daemon.stderr());
        drop(still);
        manager.hears("WATCHDOG=1", 10);
    }

    daemon.signal(libc::SIGTERM);
    assert!(manager.hears("STOPPING=1", 5).contains("SIGTERM"));
    daemon.stop();
}
