//! Figures as Markdown.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use super::parts::PARTS;
use super::row::{self, Row};
use super::{compare, targets};

/// Share of the CPUs in other hands from which on live figures are doubtful.
const BUSY: f64 = 0.1;

/// All rows of a report by part; with an earlier run's beside them, if there is one.
pub(super) fn markdown(report: &Value, before: Option<&[Row]>) -> Result<String> {
    let rows = row::all(report)?;
    let mut text = format!("{}\n", machine(report));
    for (part, what) in PARTS {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.part == part.to_string()).collect();
        if rows.is_empty() {
            continue;
        }
        let (more, line) = if before.is_some() { (" before | change |", "---:|---|") } else { ("", "") };
        let _ = write!(
            text,
            "\n**{part}: {what}**\n\n| figure | median | quartiles | unit | target | |{more} note |\n\
             |---|---:|---:|---|---:|---|{line}---|\n"
        );
        for row in rows {
            let (target, verdict) = verdict(row);
            let quartiles = if row.rounds > 1 {
                format!("{} to {}", number(row.low), number(row.high))
            } else {
                "–".to_owned()
            };
            let _ = write!(
                text,
                "| {} | {} | {quartiles} | {} | {target} | {verdict} |",
                row.name,
                number(row.median),
                row.unit
            );
            if let Some(before) = before {
                let earlier = compare::earlier(row, before);
                let was = earlier.map_or("–".to_owned(), |earlier| number(earlier.median));
                let change = earlier.map_or("", |earlier| compare::change(row, earlier).word());
                let _ = write!(text, " {was} | {change} |");
            }
            let _ = writeln!(text, " {} |", row.note);
        }
    }
    let judged: Vec<bool> =
        rows.iter().filter_map(|row| Some(targets::met(row, targets::of(row)?))).collect();
    let met = judged.iter().filter(|met| **met).count();
    let _ = write!(text, "\n{met} of {} targets met", judged.len());
    if let Some(before) = before {
        let changes =
            rows.iter().filter_map(|row| Some(compare::change(row, compare::earlier(row, before)?)));
        let worse = changes.filter(|change| *change == compare::Change::Worse).count();
        let _ = write!(text, "; {worse} figures worse than before by more than the noise");
    }
    Ok(text)
}

/// Target and verdict of a row, empty where nothing is asked.
pub(super) fn verdict(row: &Row) -> (String, &'static str) {
    let Some(target) = targets::of(row) else { return (String::new(), "") };
    let bound = format!("{} {}", if row.less { "≤" } else { "≥" }, number(target));
    (bound, if targets::met(row, target) { "met" } else { "**missed**" })
}

/// Where and how it was measured.
pub(super) fn machine(report: &Value) -> String {
    let machine = report.get("machine");
    let word = |key: &str| {
        let word = machine.and_then(|machine| machine.get(key)).and_then(Value::as_str);
        word.unwrap_or("unknown").to_owned()
    };
    let number = |key: &str| machine.and_then(|machine| machine.get(key)).and_then(Value::as_f64);
    let mut text = format!(
        "Measured on {} CPUs ({}), Linux {}{}.",
        number("cpus").unwrap_or(0.0),
        word("cpu"),
        word("kernel"),
        if report.get("quick") == Some(&Value::Bool(true)) { ", in a quick run" } else { "" },
    );
    if let Some(busy) = number("busy").filter(|busy| *busy > BUSY) {
        let _ = write!(
            text,
            " Others used {:.0} % of the CPUs when it began: live figures are doubtful.",
            busy * 100.0
        );
    }
    text
}

/// Three digits where it is small, whole numbers where it is large.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
