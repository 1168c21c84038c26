//! Replays the corpora of the fuzz targets, so that what was found once stays found.
#![allow(clippy::indexing_slicing, clippy::panic, reason = "helpers of tests are tests")]
#[path = "../fuzz/inputs.rs"]
mod inputs;

use std::{fs, path::Path};

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        run(&fs::read(entry.path()).unwrap_or_default());
        inputs += 1;
    }
    assert!(inputs > 0, "no corpus in {}", folder.display());
}

#[test]
fn dissect() {
    replay("dissect", inputs::dissect);
}

#[test]
fn tcp() {
    replay("tcp", inputs::tcp);
}

#[test]
fn sniff() {
    replay("sniff", inputs::sniff);
}
