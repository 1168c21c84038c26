//! `cargo xtask verify`: what the BPF programs come to and cost, held against `xdp-ebpf/budget.toml`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::root;
use crate::{bench, build, setup, stack};

/// Times in terms of `xdp-ebpf/src/yardstick.rs` in the same round, which tells how fast the machine is then at the
/// kinds of work that the programs do. The empty program would tell little of that: its cost is up to four times as
/// much with a kernel that guards indirect calls.
const YARDS: &str = "yards";
const BUDGET: &str = "xdp-ebpf/budget.toml";

#[derive(Default, clap::Args)]
pub(crate) struct Options {
    /// Write what was measured into xdp-ebpf/budget.toml instead of comparing with it
    #[arg(long)]
    write: bool,
}

/// Section and key to value, such as `programs.flow_ingress`, `verified`.
type Figures = BTreeMap<(String, String), f64>;

pub(crate) fn run(options: &Options) -> Result<()> {
    setup::toolchain(false)?;
    let figures = measure()?;
    let path = root().join(BUDGET);
    if options.write {
        fs::write(&path, text(&figures)).with_context(|| path.display().to_string())?;
        println!("wrote {BUDGET}");
        return Ok(());
    }
    let budget = parse(&fs::read_to_string(&path).with_context(|| path.display().to_string())?)?;
    let mut over = 0;
    println!("{:<36} {:>14} {:>10} {:>10}", "", "", "measured", "budget");
    for ((section, key), &measured) in &figures {
        let Some(&allowed) = budget.get(&(section.clone(), key.clone())) else {
            bail!("{BUDGET} has no {key} in [{section}]: run `cargo xtask verify --write`");
        };
        let verdict = if within(key, measured, allowed) { "" } else { "  OVER" };
        over += usize::from(!verdict.is_empty());
        let digits = if key == YARDS { 2 } else { 0 };
        println!("{section:<36} {key:>14} {measured:>10.digits$} {allowed:>10.digits$}{verdict}");
    }
    if let Some((section, key)) = budget.keys().find(|name| !figures.contains_key(*name)) {
        bail!("{BUDGET} has {key} in [{section}], which nobody measures: run `cargo xtask verify --write`");
    }
    if over > 0 {
        bail!("{over} figures over their budget; if that is meant: `cargo xtask verify --write`");
    }
    Ok(())
}

/// Counts may grow by a tenth, times by half, load times, which noise lengthens most, to three times.
fn within(key: &str, measured: f64, budget: f64) -> bool {
    match key {
        YARDS => measured <= budget * 1.5,
        "load_ms" => measured <= budget * 3.0,
        _ => measured <= budget * 1.1,
    }
}

fn measure() -> Result<Figures> {
    let object = fs::read(build::object()?)?;
    let report = bench::programs("dev", &["--quick"])?;
    let mut figures = Figures::new();
    let programs = list(&report, "programs")?;
    let names = programs.iter().map(name).collect::<Result<Vec<_>>>()?;
    let stacks = stack::depths(&object, &names)?;
    for ((program, name), stack) in programs.iter().zip(names).zip(stacks) {
        for key in ["instructions", "verified", "load_ms"] {
            figures.insert((format!("programs.{name}"), key.to_owned()), number(program, key)?.round());
        }
        figures.insert((format!("programs.{name}"), "stack".to_owned()), f64::from(stack));
    }
    for shape in list(&report, "shapes")? {
        let yards = (number(shape, YARDS)? * 100.0).round() / 100.0;
        figures.insert((format!("shapes.{}", name(shape)?), YARDS.to_owned()), yards);
    }
    Ok(figures)
}

fn list<'a>(report: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    report.get(key).and_then(Value::as_array).with_context(|| format!("the bench says no {key}"))
}

fn name(row: &Value) -> Result<&str> {
    row.get("name").and_then(Value::as_str).context("a row of the bench has no name")
}

fn number(row: &Value, key: &str) -> Result<f64> {
    row.get(key).and_then(Value::as_f64).with_context(|| format!("the bench says no {key}: {row}"))
}

fn text(figures: &Figures) -> String {
    let mut text = "# What the BPF programs may come to and cost: written by `cargo xtask verify --write`, checked by \
        `cargo xtask ci`.\n\
        # Per program: instructions after the kernel's rewriting, instructions that the verifier walked, bytes of stack\n\
        # with the deepest callee, time to load. Per shape: time per packet of flow_ingress, of xdp_ that of flow_xdp,\n\
        # by that of yardstick.rs in the same round, all less what an empty program takes (BPF_PROG_TEST_RUN).\n"
        .to_owned();
    let mut last = "";
    for ((section, key), value) in figures {
        if section != last {
            let _ = writeln!(text, "\n[{section}]");
            last = section;
        }
        let _ = writeln!(text, "{key} = {value}");
    }
    text
}

/// The part of TOML that [`text`] writes.
fn parse(text: &str) -> Result<Figures> {
    let mut figures = Figures::new();
    let mut section = String::new();
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
            continue;
        }
        let entry =
            line.split_once('=').and_then(|(key, value)| Some((key.trim(), value.trim().parse().ok()?)));
        let (key, value) =
            entry.with_context(|| format!("{BUDGET}:{}: neither section nor number", index + 1))?;
        figures.insert((section.clone(), key.to_owned()), value);
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::{Figures, parse, text, within};

    #[test]
    fn the_file_is_read_as_it_is_written() {
        let mut figures = Figures::new();
        figures.insert(("programs.a".to_owned(), "stack".to_owned()), 448.0);
        figures.insert(("shapes.b".to_owned(), "yards".to_owned()), 41.5);
        assert_eq!(parse(&text(&figures)).unwrap(), figures);
        assert!(parse("[a]\nb = c").is_err());
    }

    #[test]
    fn times_have_more_room_than_counts() {
        assert!(within("verified", 110.0, 100.0) && !within("verified", 111.0, 100.0));
        assert!(within("yards", 1.79, 1.2) && !within("yards", 1.81, 1.2));
        assert!(within("load_ms", 299.0, 100.0) && !within("load_ms", 301.0, 100.0));
    }
}
