//! Why nothing can be followed.

use std::{io, path::PathBuf};

/// Nothing can be followed.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    #[error("--url {url}: {problem}; write as in http://127.0.0.1:9435")]
    Url { url: String, problem: &'static str },
    #[error("cannot take a token from --token-file {}: {source}; its first line is to be one of `web.tokens`", path.display())]
    Token { path: PathBuf, source: io::Error },
    #[error(
        "cannot connect to {url}: {source}; is flowd running there, and is --url its `listen`, with https:// where it has a certificate?"
    )]
    Connect { url: String, source: io::Error },
    #[error("cannot use --ca {}: {problem}; name a PEM file of that flowd's certificate, or of its issuer's", path.display())]
    Ca { path: PathBuf, problem: String },
    #[error("cannot speak TLS with {url}: {source}; does that flowd have a `web.tls_certificate`, and is it or its issuer's in {}? Name it with --ca", path.display())]
    Tls { url: String, path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{url} ended the connection: {source}")]
    Lost { url: String, source: io::Error },
    #[error("{url} refuses: {reason}")]
    Refused { url: String, status: u16, reason: String },
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
}

impl TailError {
    /// The options are at fault.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Url { .. } | Self::Token { .. } | Self::Ca { .. } | Self::Refused { status: 400, .. }
        )
    }

    /// It may work later.
    pub(super) const fn may_pass(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Lost { .. } | Self::Refused { status: 500.., .. })
    }
}
