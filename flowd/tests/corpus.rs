//! The corpora of the fuzz targets, as tests.
#[path = "../fuzz/inputs.rs"]
mod inputs;

#[path = "../../flow-common/fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn capture() {
    replay("capture", inputs::capture);
}

#[test]
fn config() {
    replay("config", inputs::config);
}

#[test]
fn api() {
    replay("api", inputs::api);
}
