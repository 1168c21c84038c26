//! Networks to measure in: namespaces, veth pairs, real servers, and the real flowd inside. Whatever a test
//! made vanishes with the values that stand for it, also when the test fails.

pub mod daemon;
pub mod flood;
pub mod foreign;
pub mod frames;
pub mod iperf;
pub mod lossy;
pub mod namespace;
pub mod nginx;
pub mod process;
pub mod router;
pub mod standstill;
pub mod user;

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// Whether this process may make namespaces. Where it may not, says so, or fails if skipping is not allowed.
pub fn privileged(test: &str) -> bool {
    // SAFETY: no arguments.
    if unsafe { libc::geteuid() } == 0 {
        return true;
    }
    assert!(std::env::var_os("FLOWD_REQUIRE_ROOT_TESTS").is_none(), "{test} needs root");
    // Past the capture of the test harness, which shows nothing of tests that pass.
    let _ =
        std::io::Write::write_all(&mut std::io::stderr(), format!("SKIPPED: {test} needs root\n").as_bytes());
    false
}

/// Asks until there is an answer; fails after `seconds`.
pub fn until<T>(what: &str, seconds: u64, mut ask: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < limit, "{what}: not within {seconds} s");
        sleep(Duration::from_millis(20));
    }
}
