//! `cargo xtask test`: every test there is, as root. Also counts results for `ci`.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::{cargo, is_root, output, sudo};
use crate::setup;

/// Makes a test fail that would skip for want of privilege or of a tool.
const REQUIRE: &str = "FLOWD_REQUIRE_ROOT_TESTS";

/// Makes a test fail that would skip for want of the captures in `../shared/cases`, which are no part of the
/// repository. `.ci/run` sets it; where nobody does, such a skip is counted and told, but no failure.
const CAPTURES: &str = "FLOWD_REQUIRE_CAPTURES";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What `cargo test` gets, such as `-p flowd --test twin`; every test of the workspace without it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// The user as whom daemons of the netns tests run; root without it.
pub(crate) const USER: &str = "FLOWD_TEST_USER";

/// Sums over `test result:` lines, and the lines of tests that skip themselves.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// By the harness, which takes a test that skips itself for one that passed.
    passed: u64,
    failed: u64,
    ignored: u64,
    skipped: u64,
    /// Of `skipped`: for want of captures, which is no failure.
    excused: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, ignored, skipped, excused } = *self;
        write!(f, "{} passed, {failed} failed", passed.saturating_sub(skipped))?;
        if ignored + skipped > 0 {
            write!(f, ", {} skipped", ignored + skipped)?;
        }
        if excused > 0 { write!(f, " ({excused} for want of captures)") } else { Ok(()) }
    }
}

impl Tally {
    /// A test that is ignored or skipped proves nothing, and neither does a run without tests.
    pub(crate) fn clean(&self) -> bool {
        self.passed > self.skipped && self.failed == 0 && self.ignored == 0 && self.skipped == self.excused
    }

    /// `test result: ok. 3 passed; 0 failed; 1 ignored; …`, or `SKIPPED: …` as flowd/tests/support/skip.rs says it.
    fn add_line(&mut self, line: &str) {
        if line.starts_with("SKIPPED: ") {
            self.skipped += 1;
            self.excused += u64::from(line.contains(CAPTURES));
            return;
        }
        let Some(counts) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for part in counts.1.split(';') {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    setup::toolchain(false)?;
    setup::test_tools(false)?;
    let mut tally = Tally::default();
    let done = if options.arguments.is_empty() {
        cargo_test(["--workspace"], &mut tally)
    } else {
        cargo_test(&options.arguments, &mut tally)
    };
    println!("{tally}");
    done?;
    if !tally.clean() {
        bail!("no test may fail, be ignored or be skipped, and at least one must run");
    }
    Ok(())
}

/// `cargo test arguments` as root, its result lines added to `tally`. A test that would skip for want of
/// privilege fails, because it is asked not to.
pub(crate) fn cargo_test<I: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = I>,
    tally: &mut Tally,
) -> Result<()> {
    cargo_test_with(arguments, None, tally)
}

/// The same with the daemons of the netns tests as another user.
pub(crate) fn cargo_test_with<I: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = I>,
    user: Option<&str>,
    tally: &mut Tally,
) -> Result<()> {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = cargo(["test", "--locked", "--no-fail-fast"]);
    command.args(arguments).env(REQUIRE, "1").stdin(Stdio::null()).stdout(Stdio::piped());
    command.envs(user.map(|user| (USER, user)));
    // ip, nft and nginx are often not on the PATH of a user who became root
    command.env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin:/sbin"));
    root_runner(&mut command)?;
    let mut child = command.spawn().context("cannot start cargo test")?;
    let mut lines = BufReader::new(child.stdout.take().context("cargo test has no output")?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        tally.add_line(&text);
        line.clear();
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("cargo test failed ({status})");
    }
    Ok(())
}

/// Makes cargo start the programs that it built as root: only they become root, so that the target folder stays
/// the user's.
pub(crate) fn root_runner(command: &mut Command) -> Result<()> {
    if is_root() {
        return Ok(());
    }
    let mut runner = format!("{} env {REQUIRE}=1", sudo()?.join(" "));
    // sudo hands on nothing by itself
    if std::env::var_os(CAPTURES).is_some() {
        runner.push_str(&format!(" {CAPTURES}=1"));
    }
    let given = command.get_envs().find_map(|(name, value)| (name == USER).then_some(value?));
    if let Some(user) = given.map(OsStr::to_owned).or_else(|| std::env::var_os(USER)) {
        runner.push_str(&format!(" {USER}={}", user.to_string_lossy()));
    }
    let host = output(Command::new("rustc").arg("-vV"))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    command.env(format!("CARGO_TARGET_{}_RUNNER", host.to_uppercase().replace(['-', '.'], "_")), runner);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn result_lines_are_summed() {
        let mut tally = Tally::default();
        tally.add_line("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.01s\n");
        assert_eq!(tally.to_string(), "12 passed, 0 failed");
        assert!(tally.clean());
        tally.add_line("test result: FAILED. 1 passed; 2 failed; 4 ignored; 0 measured; 0 filtered out");
        tally.add_line("the test result: ok. 100 passed;");
        assert_eq!(tally.to_string(), "13 passed, 2 failed, 4 skipped");
        assert!(!tally.clean());
    }

    #[test]
    fn skipped_tests_are_told_and_only_captures_may_be_missing() {
        let mut tally = Tally::default();
        tally.add_line("SKIPPED: no captures; FLOWD_REQUIRE_CAPTURES makes this a failure\n");
        tally.add_line("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n");
        assert_eq!(tally.to_string(), "2 passed, 0 failed, 1 skipped (1 for want of captures)");
        assert!(tally.clean());
        tally.add_line("SKIPPED: needs root; FLOWD_REQUIRE_ROOT_TESTS makes this a failure\n");
        assert_eq!(tally.to_string(), "1 passed, 0 failed, 2 skipped (1 for want of captures)");
        assert!(!tally.clean());
    }

    #[test]
    fn no_tests_are_no_success() {
        let mut tally = Tally::default();
        assert!(!tally.clean());
        tally.add_line("SKIPPED: no captures; FLOWD_REQUIRE_CAPTURES makes this a failure");
        tally.add_line("test result: ok. 1 passed; 0 failed; 0 ignored");
        assert!(!tally.clean(), "all were skipped");
    }
}
