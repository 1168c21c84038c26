//! Real captures with independent expectations: `judge.py` holds what `flowd read` prints against them, and every
//! item that differs must be in `golden/differences.md`, which lists none that agrees.
//!
//! The captures are no part of this repository; they lie in `../shared/cases` beside it. `.ci/run` sets
//! `FLOWD_REQUIRE_CAPTURES`, so that their absence is a failure there. Elsewhere these tests are skipped without
//! them, and `cargo xtask test` and `cargo xtask ci` count that in their closing line.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "support/skip.rs"]
mod skip;

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use skip::{ROOT, skip};

const CAPTURES: &str = "FLOWD_REQUIRE_CAPTURES";

/// What differs: the file of the capture, the check of `judge.py`, and the item of that check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    capture: String,
    check: String,
    item: String,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {} | {}", self.capture, self.check, self.item)
    }
}

/// Items that differ, each with what flowd says.
type Differences = BTreeMap<Item, String>;

/// The folder of `judge.py` and the captures; `None` where it is not there and need not be.
fn captures() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases");
    let there = folder.join("judge.py").exists();
    if !there {
        skip(CAPTURES, "no captures in ../shared/cases to hold `flowd read` against");
    }
    there.then_some(folder)
}

/// The rows of the table: capture, check, item, what flowd says, what the oracle says, reason.
fn listed() -> Differences {
    let mut listed = Differences::new();
    let rows = include_str!("golden/differences.md").lines().filter(|line| line.starts_with('|'));
    for row in rows.skip(2) {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, capture, check, item, flowd, oracle, reason, _] = cells[..] else {
            panic!("six cells, none with a bar in it: {row}")
        };
        assert!(!oracle.is_empty() && !reason.is_empty(), "{row}");
        let [capture, check, item] = [capture, check, item].map(str::to_owned);
        let twice = listed.insert(Item { capture, check, item }, flowd.to_owned());
        assert!(twice.is_none(), "listed twice: {row}");
    }
    listed
}

/// Runs `judge.py` with `engine` and gives the differences that it prints.
fn judge(captures: &Path, engine: &str, more: &[&str]) -> Differences {
    let output = Command::new("python3")
        .arg(captures.join("judge.py"))
        // Every difference of a capture, not the first few.
        .args(["--engine", engine, "--show", "1000000"])
        .args(more)
        .arg(env!("CARGO_BIN_EXE_flowd"))
        .arg(captures.join("open"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    println!("{text}");
    let (differences, checks) = parse(&text);
    assert!(
        checks.contains_key("totals"),
        "judge.py ended early: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    for (check, [agree, all]) in checks {
        assert!(all > 0, "{check}: nothing was checked");
        let named = differences.keys().filter(|item| item.check == check).count();
        assert_eq!(named, all - agree, "{check}: each difference has a line and a name of its own");
    }
    differences
}

/// The differences, and how many items of each check agree, of how many.
fn parse(text: &str) -> (Differences, BTreeMap<String, [usize; 2]>) {
    let (mut differences, mut checks) = (Differences::new(), BTreeMap::new());
    let mut capture = "";
    for line in text.lines() {
        if let Some((check, note)) = line.strip_prefix("    ").and_then(|line| line.split_once(": ")) {
            // `ITEM got THIS, expected THAT`; without an item where the check has but one.
            let (item, said) = note.split_once("got ").unwrap_or((note, ""));
            let said = said.split(", expected").next().unwrap_or_default();
            let [capture, check, item] = [capture, check, item.trim()].map(str::to_owned);
            differences.insert(Item { capture, check, item }, said.to_owned());
            continue;
        }
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["DIFFERS" | "soft", name] => capture = name,
            [check, agree, all, ..] => {
                if let (Ok(agree), Ok(all)) = (agree.parse(), all.parse()) {
                    checks.insert(check.to_owned(), [agree, all]);
                }
            }
            _ => {}
        }
    }
    (differences, checks)
}

/// Fails with every item by name that is in only one of both, or with another value.
fn same(found: &Differences, listed: &Differences) {
    let mut faults = Vec::new();
    for (item, said) in found {
        match listed.get(item) {
            None => faults.push(format!("not listed: {item}: flowd says {said}")),
            Some(known) if known != said => {
                faults.push(format!("listed with {known}, but flowd says {said}: {item}"));
            }
            Some(_) => {}
        }
    }
    let agree = listed.keys().filter(|item| !found.contains_key(item));
    faults.extend(agree.map(|item| format!("listed, but it agrees: {item}")));
    assert!(faults.is_empty(), "differences.md and judge.py:\n{}", faults.join("\n"));
}

#[test]
fn the_native_engine_agrees_but_for_the_listed_differences() {
    if let Some(captures) = captures() {
        same(&judge(&captures, "native", &[]), &listed());
    }
}

/// Over the captures that can be put on an Ethernet device.
#[test]
fn the_kernel_engine_agrees_with_the_native_one() {
    let Some(captures) = captures() else { return };
    if !is_root() {
        skip(ROOT, "the kernel engine needs root");
        return;
    }
    let mut listed = listed();
    listed.retain(|item, _| {
        let expected = captures.join("open").join(format!("{}.json", item.capture));
        let expected: serde_json::Value = serde_json::from_slice(&fs::read(expected).unwrap()).unwrap();
        expected["replay"]["ethernet"].as_bool().unwrap()
    });
    same(&judge(&captures, "kernel", &["--ethernet-only"]), &listed);
}

/// The table can be read, whether or not the captures are here.
#[test]
fn every_listed_difference_has_a_name_and_a_reason() {
    assert!(listed().keys().all(|item| item.capture.contains(".pcap") && !item.check.is_empty()));
}

#[test]
fn differences_are_compared_by_name() {
    let (found, checks) = parse(
        "DIFFERS a.pcap\n    http: requests got 2 [('GET', '/')], expected 1 []\n    http: statuses got 1, expected 2, in packets 1\n\
         soft    b.pcap\n    dns: got 3 names, expected 2; differ in []\n    flows: made up (6, 'x')\n\
         check               agree       of\nhttp                    8       10   80.0 %\nflows 9 10   90.0 %\n",
    );
    let lines: Vec<String> = found.iter().map(|(item, said)| format!("{item}: {said}")).collect();
    assert_eq!(
        lines,
        [
            "a.pcap | http | requests: 2 [('GET', '/')]",
            "a.pcap | http | statuses: 1",
            "b.pcap | dns | : 3 names",
            "b.pcap | flows | made up (6, 'x'): "
        ]
    );
    assert_eq!(checks, [("flows".to_owned(), [9, 10]), ("http".to_owned(), [8, 10])].into());
    same(&found, &found);
    for change in [
        // One more than is listed, one that is listed but agrees, and another value.
        |listed: &mut Differences| drop(listed.pop_first()),
        |listed: &mut Differences| {
            let (mut item, said) =
                listed.first_key_value().map(|(item, said)| (item.clone(), said.clone())).unwrap();
            item.item = "another".to_owned();
            listed.insert(item, said);
        },
        |listed: &mut Differences| listed.values_mut().for_each(String::clear),
    ] {
        let mut listed = found.clone();
        change(&mut listed);
        std::panic::catch_unwind(|| same(&found, &listed)).unwrap_err();
    }
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}
