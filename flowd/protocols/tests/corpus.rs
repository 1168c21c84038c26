//! The corpora of the fuzz targets, as tests.
#![allow(clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]
#[path = "../fuzz/inputs/mod.rs"]
mod inputs;

#[path = "../../../flow-common/fuzz/replay.rs"]
mod replay;

use flowd_protocols::{Follow, PROTOCOLS};
use replay::replay;

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
fn quic() {
    replay("quic", inputs::quic);
}

#[test]
fn conversations() {
    replay("conversations", inputs::all);
}

/// Each protocol that is recognised by what is said has a target, and a corpus.
#[test]
fn dialects() {
    for registered in PROTOCOLS.iter().filter(|registered| matches!(registered.follow, Follow::Dialect(_))) {
        let name = registered.app.name();
        assert!(include_str!("../fuzz/Cargo.toml").contains(&format!("name = \"{name}\"")), "{name}");
        replay(name, |input| inputs::dialect(name, input));
    }
}
