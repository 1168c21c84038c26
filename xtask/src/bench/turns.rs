//! The programs of another checkout and of this one in turn: what a change costs, on a machine whose pace changes from one
//! minute to the next.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{as_root, cargo, output, root};

/// The bench of the programs, as flowd's manifest names it.
const BENCH: &str = "programs";

/// Yards and nanoseconds of one shape, one of each run.
#[derive(Default)]
struct Figures {
    yards: Vec<f64>,
    ns: Vec<f64>,
}

/// By shape.
type Runs = BTreeMap<String, Figures>;

/// Runs both `rounds` times, the first of each round in turn, and prints a row for each shape that both have.
pub(super) fn run(other: &Path, rounds: u32, profile: &str) -> Result<()> {
    if rounds == 0 {
        bail!("--rounds 0 measures nothing");
    }
    let (program_before, program_now) = (built(other, profile)?, built(&root(), profile)?);
    let (mut before, mut now) = (Runs::new(), Runs::new());
    for round in 0..rounds {
        let mut pair = [(&program_before, &mut before), (&program_now, &mut now)];
        if round % 2 == 1 {
            pair.reverse();
        }
        for (program, runs) in pair {
            note(program, runs)?;
        }
        eprintln!("round {} of {rounds}", round + 1);
    }
    println!("{}", table(&[before, now]));
    Ok(())
}

/// The bench of the programs in a checkout.
fn built(tree: &Path, profile: &str) -> Result<PathBuf> {
    let mut command = cargo(["bench", "--locked", "--quiet", "--profile", profile, "--package", "flowd"]);
    command.args(["--bench", BENCH, "--no-run", "--message-format", "json"]).current_dir(tree);
    let text = output(command.stderr(Stdio::inherit())).with_context(|| tree.display().to_string())?;
    executable(&text).with_context(|| format!("{} built no bench of the programs", tree.display()))
}

/// The bench among cargo's messages, of which that of the daemon may be the last.
fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut of_bench =
        messages.filter(|message| message.pointer("/target/name").and_then(Value::as_str) == Some(BENCH));
    of_bench.find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
}

fn note(program: &Path, runs: &mut Runs) -> Result<()> {
    let path = program.display().to_string();
    let mut command = as_root(&[&path, "--bench", "--json", "--quick"])?;
    let text = output(command.stdin(Stdio::null()).stderr(Stdio::inherit()))?;
    let report: Value =
        serde_json::from_str(text.trim()).with_context(|| format!("{path} printed no JSON"))?;
    for shape in report.get("shapes").and_then(Value::as_array).into_iter().flatten() {
        let number = |key: &str| shape.get(key).and_then(Value::as_f64);
        let (Some(name), Some(yards), Some(ns)) =
            (shape.get("name").and_then(Value::as_str), number("yards"), number("net_ns"))
        else {
            continue;
        };
        let figures = runs.entry(name.to_owned()).or_default();
        figures.yards.push(yards);
        figures.ns.push(ns);
    }
    Ok(())
}

fn table([before, now]: &[Runs; 2]) -> String {
    let mut rows = vec![
        "| shape | before, yards | now, yards | ratio of medians | ratio of the least times |".to_owned(),
        "|---|---:|---:|---:|---:|".to_owned(),
    ];
    for (name, now) in now {
        let Some(before) = before.get(name) else { continue };
        let ([old_low, old, old_high], [low, median, high]) = (spread(&before.yards), spread(&now.yards));
        let least = spread(&now.ns)[0] / spread(&before.ns)[0];
        rows.push(format!(
            "| {name} | {old:.2} ({old_low:.2} to {old_high:.2}) | {median:.2} ({low:.2} to {high:.2}) | {:.2} | {least:.2} |",
            median / old
        ));
    }
    rows.join("\n")
}

/// The least, the median and the greatest; not a number where there is none.
fn spread(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    [at(0), at(sorted.len() / 2), at(sorted.len().saturating_sub(1))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bench_is_found_whatever_was_built_last() {
        let message =
            |name: &str| format!(r#"{{"target": {{"name": "{name}"}}, "executable": "/t/measure/{name}"}}"#);
        let messages = ["flowd", "programs", "flowd"].map(message).join("\n");
        assert_eq!(executable(&messages), Some(PathBuf::from("/t/measure/programs")));
        assert_eq!(executable(&message("flowd")), None);
    }

    #[test]
    fn shapes_that_both_have_are_compared() {
        let runs =
            |values: [f64; 3]| Figures { yards: values.to_vec(), ns: values.map(|v| v * 100.0).to_vec() };
        let before =
            Runs::from([("ack".to_owned(), runs([1.0, 0.8, 0.9])), ("gone".to_owned(), runs([1.0; 3]))]);
        let now =
            Runs::from([("ack".to_owned(), runs([0.4, 0.45, 0.5])), ("new".to_owned(), runs([1.0; 3]))]);
        let table = table(&[before, now]);
        assert_eq!(table.lines().count(), 3, "{table}");
        assert!(
            table.ends_with("| ack | 0.90 (0.80 to 1.00) | 0.45 (0.40 to 0.50) | 0.50 | 0.50 |"),
            "{table}"
        );
    }
}
