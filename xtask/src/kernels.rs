//! `cargo xtask kernels`: flowd's life under other kernels, each booted in a guest.

mod apt;
mod archive;
mod fetch;
mod guest;
mod modules;

use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, bail};
use fetch::Kernel;
use guest::Report;
use serde_json::Value;

use crate::process::{cargo, output};
use crate::setup;

/// One without TCX, one with it.
pub(crate) const FAST: [&str; 2] = ["5.10", "6.12"];
const ALL: [&str; 6] = ["5.10", "6.1", "6.12", "6.18", "7.2", "7.3"];

#[derive(Default, clap::Args)]
pub(crate) struct Options {
    /// Series such as 6.12; without any: 5.10, 6.1, 6.12, 6.18, 7.2 and 7.3
    series: Vec<String>,
    /// Show what each guest said, also where all went well
    #[arg(long)]
    verbose: bool,
}

impl Options {
    pub(crate) fn fast() -> Self {
        Self { series: FAST.map(str::to_owned).to_vec(), verbose: false }
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    setup::toolchain(false)?;
    fetch::tools()?;
    let series =
        if options.series.is_empty() { ALL.map(str::to_owned).to_vec() } else { options.series.clone() };
    let kernels = fetch::kernels(&series)?;
    let built = build()?;
    let [test, flowd] = [&built.0, &built.1].map(PathBuf::as_path);
    let mut failed = Vec::new();
    // A guest uses little more than one processor of the two that it has.
    for pair in kernels.chunks(2) {
        let reports: Vec<Result<Report>> = thread::scope(|scope| {
            let run = |kernel| scope.spawn(move || guest::run(kernel, &[test], &[flowd]));
            let running: Vec<_> = pair.iter().map(run).collect();
            running
                .into_iter()
                .map(|guest| guest.join().unwrap_or_else(|_| bail!("a guest's thread panicked")))
                .collect()
        });
        for (kernel, report) in pair.iter().zip(reports) {
            let report = report?;
            report.print(kernel, options.verbose);
            if !report.passed {
                failed.push(kernel.release.as_str());
            }
        }
    }
    if !failed.is_empty() {
        bail!("failed under {}", failed.join(", "));
    }
    Ok(())
}

impl Report {
    fn print(&self, kernel: &Kernel, verbose: bool) {
        let verdict = if self.passed { "ok" } else { "FAILED" };
        println!("{:<32} {verdict}, {:.1} s", kernel.release, self.took.as_secs_f64());
        if verbose || !self.passed {
            println!("{}", self.text);
            return;
        }
        for line in self.text.lines().filter(|line| told(line)) {
            println!("    {}", line.trim());
        }
    }
}

/// Lines of the test that say what it saw.
fn told(line: &str) -> bool {
    ["watching", "as the kernel has them", "test result:"].iter().any(|part| line.contains(part))
}

/// The test program and flowd.
fn build() -> Result<(PathBuf, PathBuf)> {
    let arguments =
        ["test", "--locked", "--no-run", "--message-format=json", "--package", "flowd", "--test", "kernels"];
    let messages = output(&mut cargo(arguments))?;
    let executable = |name: &str| {
        messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| message.pointer("/target/name").and_then(Value::as_str) == Some(name))
            .find_map(|message| Some(Path::new(message.get("executable")?.as_str()?).to_owned()))
            .with_context(|| format!("cargo built no {name}"))
    };
    Ok((executable("kernels")?, executable("flowd")?))
}
