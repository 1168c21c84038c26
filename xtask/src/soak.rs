//! `cargo xtask soak`: the long run, its judgement as text and as JSON.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::bench::readme::Block;
use crate::{bench, setup};

/// Of the step of `cargo xtask ci`: a little of everything, with the build that the tests use.
const SHORT: u64 = 40;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long the traffic lasts
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// The same in seconds, at least 30
    #[arg(long, conflicts_with = "minutes", value_parser = clap::value_parser!(u64).range(30..))]
    seconds: Option<u64>,
    /// Also write what was found into this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Run nothing: write what this file holds into README.md
    #[arg(long, conflicts_with_all = ["minutes", "seconds", "json"])]
    readme: Option<PathBuf>,
}

/// What the run found.
#[derive(Deserialize)]
struct Report {
    seconds: u64,
    cpus: usize,
    kernel: String,
    events: Events,
    accounts: Vec<Account>,
    growth: Growth,
    end_seconds: f64,
    failures: Vec<String>,
}

#[derive(Deserialize)]
struct Events {
    reloads: u64,
    deleted: u64,
    down: u64,
    renamed: u64,
    single_packet_flows: u64,
    requests: u64,
    lookups: u64,
    flows_ended: f64,
    table_full: f64,
}

/// One direction of an interface: packets and bytes.
#[derive(Deserialize)]
struct Account {
    iface: String,
    direction: String,
    seen: [u64; 2],
    skbs: [u64; 2],
    flows: [u64; 2],
    reasons: [u64; 2],
    kernel: Option<[u64; 2]>,
}

/// Medians of the first third after the warm-up and of the last.
#[derive(Deserialize)]
struct Growth {
    anonymous_bytes: [f64; 2],
    /// None where the run is too short to tell.
    anonymous_bytes_allowed: Option<f64>,
    counts: serde_json::Map<String, Value>,
    drain_seconds_most: f64,
    drain_age_seconds_most: f64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(path) = &options.readme {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let found = serde_json::from_str(&text);
        let found = found.with_context(|| format!("{} holds nothing of the soak", path.display()))?;
        return bench::readme::write_blocks(&[BLOCK], &found);
    }
    setup::toolchain(false)?;
    setup::test_tools(false)?;
    let seconds = options.seconds.unwrap_or(options.minutes * 60);
    soak(bench::PROFILE, seconds, options.json.as_ref())
}

/// For `cargo xtask ci`.
pub(crate) fn short() -> Result<()> {
    soak("dev", SHORT, None)
}

fn soak(profile: &str, seconds: u64, json: Option<&PathBuf>) -> Result<()> {
    let mut command = bench::command(profile, "soak")?;
    command.args(["--seconds", &seconds.to_string()]).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().context("cannot start cargo bench")?;
    let text = String::from_utf8_lossy(&output.stdout);
    // Where it broke off, it has said why.
    let found: Value = serde_json::from_str(text.trim())
        .with_context(|| format!("the soak broke off ({})", output.status))?;
    if let Some(path) = json {
        fs::write(path, format!("{found:#}\n")).with_context(|| path.display().to_string())?;
    }
    println!("\n{}", summary(&found)?);
    let report = Report::deserialize(&found)?;
    if !report.failures.is_empty() {
        bail!("the soak found:\n  {}", report.failures.join("\n  "));
    }
    if !output.status.success() {
        bail!("the soak failed ({})", output.status);
    }
    Ok(())
}

const BLOCK: Block = Block { begin: "<!-- soak: begin -->\n", end: "<!-- soak: end -->", make: summary };

/// What happened, whether it adds up, and whether anything grew.
fn summary(found: &Value) -> Result<String> {
    let report = Report::deserialize(found).context("results of another soak")?;
    let Report { events, growth, .. } = &report;
    let mut text = format!(
        "{} on {} CPUs, Linux {}: {} reloads; the second uplink deleted {} times, taken down {}, renamed {}; \
         {} flows of one packet sent, {} HTTP requests, {} lookups; {} flows ended, {} packets found the table full. \
         Slowest mean drain {:.1} ms, a reading never older than {:.1} s; the end took {:.2} s.\n\n",
        if report.seconds.is_multiple_of(60) {
            format!("{} minutes", report.seconds / 60)
        } else {
            format!("{} seconds", report.seconds)
        },
        report.cpus,
        report.kernel,
        events.reloads,
        events.deleted,
        events.down,
        events.renamed,
        grouped(events.single_packet_flows),
        grouped(events.requests),
        grouped(events.lookups),
        grouped(events.flows_ended as u64),
        grouped(events.table_full as u64),
        growth.drain_seconds_most * 1e3,
        growth.drain_age_seconds_most,
        report.end_seconds,
    );
    text.push_str("| packets | seen | in flows | with a reason | off by | off the kernel's by |\n");
    text.push_str("|---|---:|---:|---:|---:|---:|\n");
    for Account { iface, direction, seen, skbs, flows, reasons, kernel } in &report.accounts {
        let off = seen[0].abs_diff(flows[0] + reasons[0]);
        let kernel = kernel.map_or("–".to_owned(), |kernel| skbs[0].abs_diff(kernel[0]).to_string());
        let [seen, flows, reasons] = [seen[0], flows[0], reasons[0]].map(grouped);
        let _ = writeln!(text, "| {iface} {direction} | {seen} | {flows} | {reasons} | {off} | {kernel} |");
    }
    text.push_str(
        "\n| median of | first third after the warm-up | last third | allowed |\n|---|---:|---:|---:|\n",
    );
    let mebibytes = |bytes: f64| format!("{:.1} MiB", bytes / f64::from(1 << 20));
    let [first, last] = growth.anonymous_bytes.map(mebibytes);
    let allowed = growth.anonymous_bytes_allowed.map_or("not judged".to_owned(), mebibytes);
    let _ = writeln!(text, "| RssAnon | {first} | {last} | {allowed} |");
    for (name, medians) in &growth.counts {
        let [first, last] = <[f64; 2]>::deserialize(medians)?;
        let _ = writeln!(text, "| {name} | {first} | {last} | {first} |");
    }
    Ok(text)
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = include_str!("../../README.md");
    const RESULTS: &str = include_str!("../../flowd/benches/soak.json");

    #[test]
    fn the_readme_shows_the_run_in_the_repository() {
        let found: Value = serde_json::from_str(RESULTS).unwrap();
        let [_, shown, _] = BLOCK.split(README).unwrap();
        assert_eq!(
            shown,
            summary(&found).unwrap(),
            "run `cargo xtask soak --readme flowd/benches/soak.json`"
        );
        assert_eq!(found["failures"], serde_json::json!([]), "what README shows was a good run");
    }

    #[test]
    fn digits_go_in_threes() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
