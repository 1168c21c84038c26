//! `cargo xtask bench`: what a packet costs, as a table and as JSON.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{cargo, check, output};
use crate::setup;
use crate::test::root_runner;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Fewer rounds, for a first look
    #[arg(long)]
    quick: bool,
    /// Also write the figures into this file
    #[arg(long)]
    json: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    setup::toolchain(false)?;
    let mut arguments = vec!["--million"];
    if options.quick {
        arguments.push("--quick");
    }
    let report = programs(&arguments)?;
    if let Some(path) = &options.json {
        fs::write(path, format!("{report:#}\n")).with_context(|| path.display().to_string())?;
    }
    println!("{}", table(&report));
    Ok(())
}

/// What `flowd/benches/programs` measured, as root. Its own code is not what is measured, so that it need not be
/// optimised.
pub(crate) fn programs(arguments: &[&str]) -> Result<Value> {
    let bench = ["bench", "--locked", "--profile", "dev", "--package", "flowd", "--bench", "programs"];
    check(cargo(bench).arg("--no-run"))?;
    let mut command = cargo(bench);
    root_runner(&mut command)?;
    let text = output(command.args(["--", "--json"]).args(arguments).stdin(Stdio::null()))?;
    serde_json::from_str(text.trim()).context("the bench printed no JSON")
}

fn table(report: &Value) -> String {
    let number = |row: &Value, key: &str| row.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let word = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
    let mut lines = vec![
        format!("BPF_PROG_TEST_RUN on {}: medians of ns per packet, programs in turn", word(report, "cpu")),
        format!(
            "{:<14} {:>6} {:>6} {:>6} {:>6} {:>11} {:>11}  a run is",
            "shape", "empty", "parse", "flowd", "net", "runs", "counted"
        ),
    ];
    for row in report.get("shapes").and_then(Value::as_array).into_iter().flatten() {
        lines.push(format!(
            "{:<14} {:>6} {:>6} {:>6} {:>6} {:>11} {:>11}  {}",
            word(row, "name"),
            number(row, "empty_ns"),
            number(row, "parse_ns"),
            number(row, "ns"),
            number(row, "net_ns"),
            number(row, "runs"),
            number(row, "counted"),
            word(row, "exercises"),
        ));
    }
    lines.join("\n")
}
