//! The real executable sends flows of a capture to real collectors: what they store adds up to what flowd prints.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "tests"
)]
#![allow(unreachable_pub, reason = "the harness is a module here")]

#[path = "support/nfcapd.rs"]
mod nfcapd;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use nfcapd::{Nfcapd, Stored, free_port, printed_sums, stored_sums};
use serde_json::Value;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/http.pcap")
}

fn read(arguments: &[&str]) -> Output {
    let mut flowd = Command::new(env!("CARGO_BIN_EXE_flowd"));
    flowd.arg("read").arg(golden()).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn nfdump_stores_what_flowd_prints() {
    let printed = text(&read(&[]).stdout);
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let flows: Vec<Value> = lines.filter(|line| line["type"] == "flow").collect();
    let port = free_port();
    let Some(nfcapd) = Nfcapd::start(Command::new("nfcapd"), port) else { return };
    let output = read(&["--sink", &format!("ipfix://127.0.0.1:{port}")]);
    assert_eq!((text(&output.stderr), output.status.code()), (String::new(), Some(0)));
    let (records, said) = nfcapd.stop();
    assert!(records.len() > 5, "{records:?}");
    assert_eq!(stored_sums(&records), printed_sums(&flows));
    for Stored { first, interfaces, .. } in records {
        assert!(first.starts_with("2026-11-23 "), "{first}");
        assert_eq!(interfaces, [1, 0]);
    }
    assert!(said.contains("Sequence Errors: 0, Bad Packets: 0"), "{said}");
}

/// Nobody listens: the kernel says so, and flowd says it.
#[test]
fn a_collector_that_is_not_there_is_told() {
    let port = free_port();
    let output = read(&["--sink", &format!("ipfix://127.0.0.1:{port}")]);
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), told.lines().count()), (Some(1), 1), "{told}");
    assert!(told.contains(&format!("ipfix://127.0.0.1:{port}: ")) && told.contains("refused"), "{told}");
    assert!(text(&output.stdout).contains("\"summary\""));
}
