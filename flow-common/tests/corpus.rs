//! The corpora of the fuzz targets, as tests.
#![allow(clippy::indexing_slicing, clippy::panic, reason = "helpers of tests are tests")]
#[path = "../fuzz/inputs.rs"]
mod inputs;

#[path = "../fuzz/replay.rs"]
mod replay;

use replay::replay;

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
