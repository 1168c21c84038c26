//! What a test does that cannot run on this machine: it says so where people and `cargo xtask` see it, and fails
//! where a skip is a failure.

use std::io::Write;

/// Set by `cargo xtask test` and `cargo xtask ci`, which run the tests as root and with every tool.
pub(crate) const ROOT: &str = "FLOWD_REQUIRE_ROOT_TESTS";

/// Skips a test for the reason `why`; fails it where the environment has `variable`, because then nothing may be
/// missing.
pub(crate) fn skip(variable: &str, why: &str) {
    assert!(std::env::var_os(variable).is_none(), "{why}; {variable} makes this skip a failure");
    // Past the capture of the test harness, which shows nothing of tests that pass. A line of its own: the harness
    // may have begun one.
    let line = format!("\nSKIPPED: {why}; {variable} makes this a failure\n");
    let _ = std::io::stdout().write_all(line.as_bytes());
}
