//! What to follow, and how to print it.

use std::path::PathBuf;

/// What to follow and how to print it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of the daemon, as `http://127.0.0.1:9435` or `https://gateway:9435`.
    pub url: String,
    /// Where a bearer token is read from, at each connection.
    pub token_file: Option<PathBuf>,
    /// Certificates in PEM that are trusted, read at each connection with TLS; without it, those that the system trusts.
    pub ca: Option<PathBuf>,
    /// What of the API is followed: `http` or `requests`.
    pub lines_of: &'static str,
    /// Filters, by the API's names.
    pub parameters: Vec<(&'static str, String)>,
    /// Lines of the past to begin with.
    pub lines: u32,
    /// Responses that took so long are marked.
    pub slow_ms: f64,
    pub color: bool,
    /// Lines as they come.
    pub json: bool,
}
