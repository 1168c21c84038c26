//! What the whole of flowd costs beside real traffic and real files, as root:
//! `cargo bench --profile measure -p flowd --bench system -- --flowd PATH [--quick] [--part b,c]`.
//!
//! One row per figure, as JSON on standard output. Whatever is compared runs in turn within one part, and each part
//! proves that the work was done, or fails. `cargo xtask bench` builds flowd, calls this and judges the rows.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is what it is for")]
#![allow(unreachable_pub, reason = "modules of the tests are modules here")]

mod captures;
mod daemon;
mod drain;
mod http;
mod interfaces;
mod largest;
mod live;
mod machine;
mod rate;
mod read;
mod row;
mod scrape;
mod sender;
mod start;
mod steady;
mod support;
mod sys;
mod zones;

use std::{env, path::PathBuf, time::Instant};

use anyhow::{Context as _, Result, ensure};
use row::Row;
use serde_json::json;

/// What every part gets.
struct Bench {
    /// The release build that is measured.
    flowd: PathBuf,
    /// For files of any size; emptied in the end unless they are kept.
    folder: PathBuf,
    /// Captures to make the large one of.
    cases: Option<PathBuf>,
    quick: bool,
    keep: bool,
}

impl Bench {
    /// The first in a quick run, else the second.
    const fn or<T: Copy>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }
}

type Part = fn(&Bench) -> Result<Vec<Row>>;

const PARTS: [(&str, &str, Part); 11] = [
    // First, while this process is small: children begin with its size as their largest.
    ("f", "flowd read", read::run),
    ("b", "live traffic", live::run),
    ("b", "packets a second", rate::run),
    ("b", "interfaces", interfaces::run),
    ("c", "drain", drain::run),
    ("c", "largest table", largest::run),
    ("d", "daemon", steady::run),
    ("d", "HTTP", http::run),
    ("e", "/metrics", scrape::run),
    ("e", "zones", zones::run),
    ("g", "size and start", start::run),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    ensure!(sys::is_root(), "this needs root: it loads programs and makes network namespaces");
    let bench = Bench {
        flowd: value("--flowd").context("--flowd PATH is missing: the build to measure")?.into(),
        folder: value("--folder").context("--folder PATH is missing: where large files go")?.into(),
        cases: value("--cases").map(PathBuf::from).filter(|path| path.is_dir()),
        quick: has("--quick"),
        keep: has("--keep"),
    };
    let wanted = value("--part").unwrap_or_else(|| "b,c,d,e,f,g".to_owned());
    let busy = machine::busy_share()?;
    let mut rows = Vec::new();
    for (part, what, run) in PARTS {
        // By its letter, or one of two alone by what it measures.
        if !wanted.split(',').any(|name| name == part || name == what) {
            continue;
        }
        let started = Instant::now();
        let measured = run(&bench).with_context(|| format!("part {part}, {what}"))?;
        eprintln!("part {part}, {what}: {:.1} s", started.elapsed().as_secs_f64());
        rows.extend(measured.iter().map(|row| row.json(part)));
    }
    println!("{}", json!({ "busy": busy, "rows": rows }));
    Ok(())
}
