//! Large crates have one home each, so that replacing one touches one place; and so has the start of threads.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// How a crate shows in source, and the files or folders of `src` that may use it.
const HOMES: &[(&str, &[&str])] = &[
    ("warp::", &["web"]),
    ("hyper::", &["web/parcel", "web/serve"]),
    ("hyper_util::", &["web/serve"]),
    ("tokio_rustls::", &["tail/tls", "web/tls"]),
    ("ring::", &["tail/tls", "web/access", "web/tls"]),
    ("bcrypt::", &["web/access"]),
    ("base64::", &["web/access"]),
    ("flate2::", &["web/answer", "web/tests"]),
    ("clap::", &["cli"]),
    ("ureq::", &["report/prometheus"]),
    ("prometheus_client::", &["export/prometheus"]),
    ("dashmap::", &["aggregate/flows/live"]),
];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// As a path of its own, and not as the end of another word.
fn uses(text: &str, krate: &str) -> bool {
    let inside = |before: &str| before.ends_with(|last: char| last.is_alphanumeric() || last == '_');
    text.match_indices(krate).any(|(at, _)| !text.get(..at).is_some_and(inside))
}

#[test]
fn large_crates_stay_at_home() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
        for (krate, homes) in HOMES {
            let at_home = homes.iter().any(|home| name.starts_with(home));
            assert!(at_home || !uses(&text, krate), "{name} uses {krate}, whose home is {homes:?}");
        }
    }
}

/// The files that start threads: one for all of the daemon's, each of which registers its role there, and the loader, whose
/// threads borrow what the main thread has and register by themselves.
const STARTERS: [&str; 2] = ["kernel/src/threads.rs", "kernel/src/object/programs.rs"];

#[test]
fn each_thread_of_the_daemon_registers_its_role() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "kernel/src", "numbers/src", "protocols/src"] {
        sources(&root.join(folder), &mut files);
    }
    let mut starters = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        // Tests stand in folders of that name, or at the end of a file.
        let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let starts = ["thread::spawn", "thread::Builder", "thread::scope", "thread::{Builder"];
        if !name.contains("tests") && starts.iter().any(|start| shipped.contains(start)) {
            starters.push(name);
        }
    }
    starters.sort_unstable();
    let mut expected = STARTERS.map(str::to_owned);
    expected.sort_unstable();
    assert_eq!(starters, expected, "start threads by `threads::start`");
}
