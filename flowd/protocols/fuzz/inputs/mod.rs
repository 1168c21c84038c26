//! What an input means to each fuzz target, and what must hold whatever it is. Used by the targets, and by a
//! plain test that replays their corpora.

mod conversations;
mod copies;
mod http;
mod quic;
mod segments;

pub(crate) use conversations::{all, dialect};
pub(crate) use copies::{dns, tls};
pub(crate) use http::http;
pub(crate) use quic::quic;

/// A line is valid JSON of text without control characters, and no duration in it is negative.
fn line(line: &(impl serde::Serialize + ?Sized)) -> String {
    let text = serde_json::to_string(line).unwrap_or_default();
    assert!(text.starts_with('{') && text.ends_with('}'), "every line is an object");
    assert!(!text.chars().any(char::is_control), "{text}");
    assert!(!text.contains("_us\":-"), "{text}");
    text
}
