//! `cargo xtask ci`: all that must hold before a change goes in. Every step runs, whatever failed before.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, check, root};
use crate::supply::Advisories;
use crate::test::{Tally, cargo_test, cargo_test_with};
use crate::{build, dist, kernels, setup, soak, supply, verify};

const MEMBERS: [&str; 7] =
    ["flow-common", "flowd", "flowd/kernel", "flowd/numbers", "flowd/protocols", "xdp-ebpf", "xtask"];

/// Unit tests. The BPF crate has none, and what it needs would have some crates built again, with other features.
const HOST_CRATES: [&str; 5] = ["--workspace", "--exclude", "xdp-ebpf", "--lib", "--bins"];

#[derive(Default)]
struct Run {
    tally: Tally,
    steps: usize,
    failed: Vec<String>,
}

impl Run {
    fn step(&mut self, name: &str, work: impl FnOnce(&mut Tally) -> Result<()>) {
        println!("\n=== {name}");
        let start = Instant::now();
        let result = work(&mut self.tally);
        let seconds = start.elapsed().as_secs_f64();
        self.steps += 1;
        match result {
            Ok(()) => println!("=== {name}: ok, {seconds:.1} s"),
            Err(error) => {
                println!("=== {name}: FAILED, {seconds:.1} s: {error:#}");
                self.failed.push(name.to_owned());
            }
        }
    }
}

pub(crate) fn run() -> Result<()> {
    let start = Instant::now();
    let mut ci = Run::default();
    ci.step("setup", |_| setup::run());
    ci.step("format", |_| check(&mut cargo(["fmt", "--all", "--check"])));
    ci.step("clippy", |_| {
        check(&mut cargo(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    });
    let mut advisories = Advisories::default();
    ci.step("supply chain", |_| {
        advisories = supply::run()?;
        Ok(())
    });
    ci.step("BPF build", |_| build::object().map(drop));
    ci.step("rustdoc", |_| {
        check(cargo(["doc", "--locked", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
    });
    // All at once, so that every processor has something to compile.
    ci.step("test build", |_| check(&mut cargo(["test", "--locked", "--workspace", "--tests", "--no-run"])));
    ci.step("unit tests", |tally| cargo_test(HOST_CRATES, tally));
    ci.step("doc tests", |tally| cargo_test(["--workspace", "--doc"], tally));
    ci.step("packaging", |_| dist::lint::run());
    // load, twin, netns, binary and whatever comes: each file is a step, so that each has its duration
    for test in integration_tests()? {
        ci.step(&format!("{test} tests"), |tally| cargo_test(arguments(&test), tally));
    }
    // Rooms that are about pace, time and words say nothing of privileges, and take minutes.
    ci.step("netns tests as nobody", |tally| {
        let elsewhere = ["--skip", "quality::", "--skip", "overload::", "--skip", "requests::"];
        let arguments = arguments("netns").into_iter().chain(elsewhere);
        cargo_test_with(arguments, Some("nobody"), tally)
    });
    ci.step("kernels", |_| kernels::run(&kernels::Options::fast()));
    ci.step("soak", |_| soak::short());
    // last, when nothing else runs beside what is timed
    ci.step("verify", |_| verify::run(&verify::Options::default()));
    println!("\n{} steps, {:.1} s", ci.steps, start.elapsed().as_secs_f64());
    if !ci.failed.is_empty() {
        println!("failed steps: {}", ci.failed.join(", "));
    }
    println!("{}, {advisories}", ci.tally);
    if !ci.failed.is_empty() || !ci.tally.clean() {
        // the closing line stays the last of the output: it is what people and scripts read
        std::process::exit(1);
    }
    Ok(())
}

/// Of one integration test; of the whole workspace, as crates of one package alone may be built with other features. Those
/// of netns wait most of their time: three at once need little more than one does.
fn arguments(test: &str) -> Vec<&str> {
    let mut arguments = vec!["--workspace", "--test", test];
    if test == "netns" {
        arguments.extend(["--", "--test-threads", "3"]);
    }
    arguments
}

/// Name of every integration test, sorted; two of different packages may share one.
fn integration_tests() -> Result<BTreeSet<String>> {
    let mut tests = BTreeSet::new();
    for member in MEMBERS {
        let folder = root().join(member).join("tests");
        if !folder.exists() {
            continue;
        }
        for entry in folder.read_dir().with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            match stem {
                Some(stem) if path.extension().is_some_and(|extension| extension == "rs") => {
                    tests.insert(stem);
                }
                // tests/name/main.rs is a test, tests/common/mod.rs is not
                Some(stem) if path.join("main.rs").exists() => _ = tests.insert(stem),
                Some(_) => {}
                None => bail!("{} has no name", path.display()),
            }
        }
    }
    Ok(tests)
}
