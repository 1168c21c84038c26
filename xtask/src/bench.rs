//! `cargo xtask bench`: what flowd costs, as a table and as JSON, each figure beside its target.

mod compare;
mod features;
mod parts;
pub(crate) mod readme;
mod row;
mod table;
mod targets;
mod turns;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::process::{cargo, check, output, root};
use crate::test::root_runner;
use crate::{build, setup, toolchain};
use parts::PARTS;
use row::Row;

/// Optimised like the release build, but quicker to build and unwinding.
pub(crate) const PROFILE: &str = "measure";
/// Captures that a checkout may have beside it.
const CASES: &str = "../shared/cases/open";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Fewer and shorter rounds, about a minute, for a first look
    #[arg(long)]
    quick: bool,
    /// Parts to run, such as a,f: a programs, b live traffic, c drain, d daemon, e /metrics, f read, g size and start
    #[arg(long, value_delimiter = ',', default_value = "a,b,c,d,e,f,g")]
    part: Vec<char>,
    /// Also write the figures into this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Compare with the figures in this file, and mark what changed by more than the noise
    #[arg(long)]
    against: Option<PathBuf>,
    /// Measure nothing: write the table of the figures in this file into README.md
    #[arg(long, conflicts_with_all = ["quick", "part", "json", "against"])]
    readme: Option<PathBuf>,
    /// Measure the programs of the checkout in this folder and those of this one in turn, and nothing else
    #[arg(long, conflicts_with_all = ["quick", "part", "json", "against", "readme"])]
    in_turn_with: Option<PathBuf>,
    /// How often --in-turn-with measures both
    #[arg(long, default_value_t = 9)]
    rounds: u32,
    /// Folder of captures that the large one of part f is made of; traffic is made up where it is missing
    #[arg(long, default_value = CASES)]
    cases: PathBuf,
    /// Leave the large capture in target/bench
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(path) = &options.readme {
        return readme::write(&load(path)?);
    }
    if let Some(other) = &options.in_turn_with {
        setup::toolchain(false)?;
        return turns::run(other, options.rounds, PROFILE);
    }
    if let Some(unknown) = options.part.iter().find(|part| PARTS.iter().all(|(known, _)| known != *part)) {
        bail!("there is no part {unknown}: take some of a,b,c,d,e,f,g");
    }
    // Before anything is measured, as it may be no such file.
    let before = options.against.as_deref().map(load).transpose()?;
    setup::toolchain(false)?;
    setup::test_tools(false)?;
    setup::bench_tools(false);
    let report = measure(options)?;
    if let Some(path) = &options.json {
        fs::write(path, format!("{report:#}\n")).with_context(|| path.display().to_string())?;
    }
    let before = before.as_ref().map(row::all).transpose()?;
    println!("\n{}", table::markdown(&report, before.as_deref())?);
    Ok(())
}

fn load(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| format!("{} holds no figures of the bench", path.display()))
}

fn measure(options: &Options) -> Result<Value> {
    let mut rows = Vec::new();
    let mut cpu = Value::Null;
    let mut busy = Value::Null;
    let wants = |part| options.part.contains(&part);
    build::flowd("release")?;
    if wants('a') {
        let mut arguments = vec!["--all"];
        arguments.extend(options.quick.then_some("--quick"));
        let report = programs(PROFILE, &arguments)?;
        rows.extend(row::of_programs(&report)?.iter().map(Row::json));
        cpu = report.get("cpu").cloned().unwrap_or_default();
    }
    if options.part.iter().any(|&part| part != 'a') {
        let report = system(options)?;
        busy = report.get("busy").cloned().unwrap_or_default();
        rows.extend(row::all(&report)?.iter().map(Row::json));
    }
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cpus = std::thread::available_parallelism()?.get();
    let machine = json!({ "cpu": cpu, "cpus": cpus, "kernel": kernel.trim(), "busy": busy });
    Ok(json!({ "machine": machine, "quick": options.quick, "rows": rows }))
}

/// What `flowd/benches/programs` measured, as root. Its own code is not what is measured, so that any profile does.
pub(crate) fn programs(profile: &str, arguments: &[&str]) -> Result<Value> {
    bench(profile, "programs", &[&["--json"], arguments].concat())
}

/// What `flowd/benches/system` measured, as root.
fn system(options: &Options) -> Result<Value> {
    let target = toolchain::target_dir(&root());
    let flowd = target.join("release").join("flowd").display().to_string();
    let folder = target.join("bench").display().to_string();
    let cases = root().join(&options.cases).display().to_string();
    let parts: Vec<String> = options.part.iter().map(char::to_string).collect();
    let parts = parts.join(",");
    let mut arguments = vec!["--flowd", &flowd, "--folder", &folder, "--cases", &cases, "--part", &parts];
    arguments.extend(options.quick.then_some("--quick"));
    arguments.extend(options.keep.then_some("--keep"));
    bench(PROFILE, "system", &arguments)
}

fn bench(profile: &str, name: &str, arguments: &[&str]) -> Result<Value> {
    let mut command = command(profile, name)?;
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit());
    let text = output(&mut command).with_context(|| format!("the bench of the {name}"))?;
    serde_json::from_str(text.trim()).with_context(|| format!("the bench of the {name} printed no JSON"))
}

/// A bench target of flowd's as root, which is built here; its arguments are to be added.
pub(crate) fn command(profile: &str, name: &str) -> Result<Command> {
    let bench = ["bench", "--locked", "--quiet", "--profile", profile, "--package", "flowd", "--bench", name];
    check(cargo(bench).arg("--no-run"))?;
    let mut command = cargo(bench);
    root_runner(&mut command)?;
    // ip and ethtool are often not on the PATH of a user who became root.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin:/sbin")).arg("--");
    Ok(command)
}
