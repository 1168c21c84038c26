//! Replays the corpora of the fuzz targets, so that what was found once stays found.
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
fn capture() {
    replay("capture", inputs::capture);
}

#[test]
fn http() {
    replay("http", inputs::http);
}

#[test]
fn dns() {
    replay("dns", inputs::dns);
}

#[test]
fn tls() {
    replay("tls", inputs::tls);
}

#[test]
fn config() {
    replay("config", inputs::config);
}

#[test]
fn api() {
    replay("api", inputs::api);
}
