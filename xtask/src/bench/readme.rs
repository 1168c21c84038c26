//! README's tables of what flowd costs, from a file of results.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use super::features;
use super::row::{self, Row};
use super::table::{machine, number, verdict};
use super::targets::HEADLINES;
use crate::process::root;

/// A table of README's between its marks.
pub(crate) struct Block {
    pub(crate) begin: &'static str,
    pub(crate) end: &'static str,
    pub(crate) make: fn(&Value) -> Result<String>,
}

const BLOCKS: [Block; 2] = [
    Block { begin: "<!-- bench: begin -->\n", end: "<!-- bench: end -->", make: figures },
    Block { begin: "<!-- features: begin -->\n", end: "<!-- features: end -->", make: features::table },
];

impl Block {
    /// What stands before it, in it and behind it.
    pub(crate) fn split<'a>(&self, text: &'a str) -> Result<[&'a str; 3]> {
        let missing = |mark: &str| format!("README.md has no mark {}", mark.trim());
        let (before, rest) = text.split_once(self.begin).with_context(|| missing(self.begin))?;
        let (shown, after) = rest.split_once(self.end).with_context(|| missing(self.end))?;
        Ok([before, shown, after])
    }
}

/// Puts the tables between their marks.
pub(super) fn write(report: &Value) -> Result<()> {
    write_blocks(&BLOCKS, report)
}

/// Puts what is made of these results between its marks.
pub(crate) fn write_blocks(blocks: &[Block], report: &Value) -> Result<()> {
    let path = root().join("README.md");
    let mut text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    for block in blocks {
        let [before, _, after] = block.split(&text)?;
        text = format!("{before}{}{}{}{after}", block.begin, (block.make)(report)?, block.end);
    }
    fs::write(&path, text).with_context(|| path.display().to_string())
}

/// The headlines that the report has.
fn figures(report: &Value) -> Result<String> {
    let rows = row::all(report)?;
    let mut text = format!("{}\n\n| figure | median | quartiles | target | |\n", machine(report));
    text.push_str("|---|---:|---:|---:|---|\n");
    for headline in &HEADLINES {
        let row = rows.iter().find(|row| row.part == headline.part && row.name == headline.name);
        let Some(row) = row else { continue };
        let (target, verdict) = verdict(row);
        let _ = writeln!(
            text,
            "| {} | {} {} | {} | {target} | {verdict} |",
            row.name,
            number(row.median),
            row.unit,
            quartiles(row)
        );
    }
    Ok(text)
}

fn quartiles(row: &Row) -> String {
    if row.rounds > 1 { format!("{} to {}", number(row.low), number(row.high)) } else { "–".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = include_str!("../../../README.md");
    const RESULTS: &str = include_str!("../../../xdp-ebpf/bench.json");

    #[test]
    fn the_readme_shows_the_results_in_the_repository() {
        let report: Value = serde_json::from_str(RESULTS).unwrap();
        for block in &BLOCKS {
            let [_, shown, _] = block.split(README).unwrap();
            let expected = (block.make)(&report).unwrap();
            assert_eq!(shown, expected, "run `cargo xtask bench --readme xdp-ebpf/bench.json`");
        }
    }

    /// A figure that nobody measures any more would vanish from README unseen. Peers are not on every machine.
    #[test]
    fn the_results_have_every_headline() {
        let report: Value = serde_json::from_str(RESULTS).unwrap();
        assert_eq!(report["quick"], false, "README's figures are those of a full run");
        let rows = row::all(&report).unwrap();
        for headline in &HEADLINES {
            let found = rows.iter().any(|row| row.part == headline.part && row.name == headline.name);
            let peer = ["nfpcapd", "softflowd", "tshark"].iter().any(|peer| headline.name.starts_with(peer));
            assert!(found || peer, "{}", headline.name);
        }
    }
}
