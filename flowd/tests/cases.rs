//! Real captures with independent expectations, where they lie beside this repository: `judge.py` holds what
//! `flowd read` prints against them. The known differences are in `golden/differences.md`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::{collections::BTreeMap, path::PathBuf, process::Command};

/// Items of a check that agree, and items in all.
type Score = BTreeMap<String, (u32, u32)>;

fn judge(engine: &str, more: &[&str]) -> Option<Score> {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases");
    if !shared.join("judge.py").exists() {
        println!("no captures beside this repository: nothing to hold flowd against");
        return None;
    }
    let output = Command::new("python3")
        .arg(shared.join("judge.py"))
        .args(["--engine", engine])
        .args(more)
        .arg(env!("CARGO_BIN_EXE_flowd"))
        .arg(shared.join("open"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let score: Score = text
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            Some((words.first()?.to_string(), (words.get(1)?.parse().ok()?, words.get(2)?.parse().ok()?)))
        })
        .collect();
    assert!(score.contains_key("totals"), "{text}");
    println!("{text}");
    Some(score)
}

/// Items that differ, of those of a check.
fn missed(score: &Score, check: &str) -> u32 {
    let (agree, all) = score[check];
    assert!(all > 0, "{check}: nothing was checked");
    all - agree
}

#[test]
fn the_native_engine_agrees_but_for_the_listed_differences() {
    let Some(score) = judge("native", &[]) else { return };
    for check in [
        "ran",
        "totals",
        "flows",
        "flags",
        "client",
        "handshake",
        "out_of_order",
        "duplicate_acks",
        "zero_windows",
    ] {
        assert_eq!(missed(&score, check), 0, "{check}");
    }
    // As many as golden/differences.md lists.
    for (check, listed) in [("http", 7), ("retransmits", 1), ("rtt_min", 2), ("inner", 2)] {
        assert!(missed(&score, check) <= listed, "{check}: {} differ", missed(&score, check));
    }
}

#[test]
fn the_kernel_engine_agrees_with_the_native_one() {
    if !is_root() {
        println!("SKIPPED: the kernel engine needs root");
        assert!(std::env::var_os("FLOWD_REQUIRE_ROOT_TESTS").is_none(), "a skip is a failure here");
        return;
    }
    let Some(native) = judge("native", &["--ethernet-only"]) else { return };
    assert_eq!(Some(native), judge("kernel", &["--ethernet-only"]));
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}
