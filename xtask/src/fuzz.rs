//! `cargo xtask fuzz`: the targets in the folders `fuzz` of [`PACKAGES`], one after the other. New inputs gather in
//! `target/fuzz/corpus`; the corpora of the repository are read and stay as they are.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::{cargo, check, find, root};
use crate::{setup, toolchain};

/// The version is part of the path: another version is another install.
const VERSION: &str = "0.13.2";
/// Packages that have targets in a folder `fuzz`.
const PACKAGES: [&str; 3] = ["flow-common", "flowd", "flowd/protocols"];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Names of targets, as `dns`; all without any
    targets: Vec<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// A fuzz target.
struct Target {
    package: &'static str,
    name: String,
}

/// What a run came to, by libFuzzer's own words.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    runs: Option<u64>,
    seconds: Option<u64>,
    /// Edges of the program that some input has reached.
    coverage: Option<u64>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let targets = chosen(all()?, &options.targets)?;
    // The build of flowd has the BPF programs in it.
    setup::toolchain(false)?;
    let tool = tool()?;
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for target in &targets {
        let (outcome, ended) = fuzz(&tool, target, options.seconds)?;
        if let Err(error) = ended {
            println!("{}: {error:#}", target.name);
            failed.push(target.name.as_str());
        }
        rows.push((target, outcome));
    }
    println!("{:<16} {:<14} {:>12} {:>8} {:>9}", "package", "target", "runs", "seconds", "coverage");
    for (target, Outcome { runs, seconds, coverage }) in &rows {
        let [runs, seconds, coverage] = [runs, seconds, coverage].map(shown);
        println!("{:<16} {:<14} {runs:>12} {seconds:>8} {coverage:>9}", target.package, target.name);
    }
    if !failed.is_empty() {
        bail!(
            "{}: the input is in <package>/fuzz/artifacts; what is mended goes into the target's corpus",
            failed.join(", ")
        );
    }
    Ok(())
}

fn shown(number: &Option<u64>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

/// Every target there is, by the manifests.
fn all() -> Result<Vec<Target>> {
    #[derive(serde::Deserialize)]
    struct Manifest {
        bin: Vec<Binary>,
    }
    #[derive(serde::Deserialize)]
    struct Binary {
        name: String,
    }
    let mut targets = Vec::new();
    for package in PACKAGES {
        let path = root().join(package).join("fuzz/Cargo.toml");
        let file = || path.display().to_string();
        let text = fs::read_to_string(&path).with_context(file)?;
        let Manifest { bin } = toml::from_str(&text).with_context(file)?;
        targets.extend(bin.into_iter().map(|Binary { name }| Target { package, name }));
    }
    targets.sort_by(|left, right| (left.package, &left.name).cmp(&(right.package, &right.name)));
    Ok(targets)
}

fn chosen(all: Vec<Target>, names: &[String]) -> Result<Vec<Target>> {
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|target| target.name != **name)) {
        let known: Vec<_> = all.iter().map(|target| target.name.as_str()).collect();
        bail!("no fuzz target {unknown:?}: there are {}", known.join(", "));
    }
    Ok(all.into_iter().filter(|target| names.is_empty() || names.contains(&target.name)).collect())
}

/// cargo-fuzz, installed where it is missing.
fn tool() -> Result<PathBuf> {
    if let Some(found) = find("cargo-fuzz") {
        return Ok(found);
    }
    let folder = toolchain::target_dir(&root()).join("tools").join(format!("cargo-fuzz-{VERSION}"));
    let tool = folder.join("bin/cargo-fuzz");
    if !tool.exists() {
        println!("cargo-fuzz   building {VERSION}, a minute or two");
        let mut install = cargo(["install", "cargo-fuzz", "--version", VERSION, "--locked", "--root"]);
        // cargo install builds in a temporary folder of its own unless told otherwise
        check(install.arg(&folder).env_remove("CARGO_TARGET_DIR"))
            .context("cargo-fuzz is missing: check the network and the C++ compiler, and run this again")?;
    }
    Ok(tool)
}

/// Builds and runs one target; what libFuzzer prints passes through.
fn fuzz(tool: &Path, target: &Target, seconds: u64) -> Result<(Outcome, Result<()>)> {
    let fuzz = root().join(target.package).join("fuzz");
    let work = toolchain::target_dir(&root()).join("fuzz");
    let corpus = work.join("corpus").join(&target.name);
    fs::create_dir_all(&corpus).with_context(|| corpus.display().to_string())?;
    let mut command = Command::new(tool);
    toolchain::clean_env(&mut command).current_dir(root()).arg("run").arg("--fuzz-dir").arg(&fuzz);
    command.arg("--target-dir").arg(&work).arg(&target.name);
    // libFuzzer writes into the first and reads the others
    command.arg(&corpus).arg(fuzz.join("corpus").join(&target.name));
    command.args(["--", &format!("-max_total_time={seconds}"), "-print_final_stats=1"]);
    // a sanitizer is an unstable option, also of a stable compiler
    command.env("RUSTC_BOOTSTRAP", "1").stdin(Stdio::null()).stderr(Stdio::piped());
    if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    println!("\n=== {} {}", target.package, target.name);
    let mut child = command.spawn().with_context(|| format!("cannot start {}", tool.display()))?;
    let mut lines = BufReader::new(child.stderr.take().context("cargo-fuzz has no output")?);
    let (mut outcome, mut line) = (Outcome::default(), Vec::new());
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        eprint!("{text}");
        outcome.add_line(&text);
        line.clear();
    }
    let status = child.wait()?;
    let ended = if status.success() { Ok(()) } else { Err(anyhow::anyhow!("failed ({status})")) };
    Ok((outcome, ended))
}

impl Outcome {
    /// `#524288 pulse  cov: 812 ft: 3054 …`, and in the end `Done 524288 runs in 61 second(s)`.
    fn add_line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let after = |word: &str| words.iter().skip_while(|at| **at != word).nth(1)?.parse().ok();
        if line.starts_with('#') {
            self.coverage = after("cov:").or(self.coverage);
        } else if line.starts_with("Done ") {
            (self.runs, self.seconds) = (after("Done"), after("in"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_libfuzzer() {
        let mut outcome = Outcome::default();
        for line in [
            "INFO: seed corpus: files: 9 min: 1b max: 90b",
            "#2\tINITED cov: 41 ft: 42 corp: 1/1b exec/s: 0 rss: 30Mb",
            "#524288\tpulse  cov: 812 ft: 3054 corp: 9/99b lim: 4 exec/s: 9 rss: 31Mb",
            "Done 524288 runs in 61 second(s)",
        ] {
            outcome.add_line(line);
        }
        assert_eq!(outcome, Outcome { runs: Some(524_288), seconds: Some(61), coverage: Some(812) });
    }

    #[test]
    fn only_targets_that_there_are() {
        let names =
            |names: &[&str]| chosen(all()?, &names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["dns", "tcp"]).unwrap().len(), 2);
        assert!(names(&[]).unwrap().len() > 20, "all of them");
        let error = names(&["dsn"]).map(drop).unwrap_err().to_string();
        assert!(error.contains("dsn") && error.contains("dns"), "{error}");
    }
}
