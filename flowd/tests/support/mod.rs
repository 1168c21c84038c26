//! Networks to measure in: namespaces, veth pairs, real servers, and the real flowd inside. Whatever a test
//! made vanishes with the values that stand for it, also when the test fails.

pub mod alone;
pub mod daemon;
pub mod flood;
pub mod foreign;
pub mod frames;
pub mod iperf;
pub mod lossy;
pub mod namespace;
pub mod nfcapd;
pub mod nginx;
pub mod process;
pub mod requests;
pub mod router;
pub mod scripts;
pub mod skip;
pub mod standstill;
mod until;
pub mod user;

pub use until::until;

/// Whether this process may make namespaces. Where it may not, says so, or fails if skipping is not allowed.
pub fn privileged(test: &str) -> bool {
    // SAFETY: no arguments.
    if unsafe { libc::geteuid() } == 0 {
        return true;
    }
    skip::skip(skip::ROOT, &format!("{test} needs root"));
    false
}
