//! `flowd tail`: the HTTP requests that a running flowd sees, as they come.

mod client;
mod print;
mod tls;
mod url;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use client::{Event, Stream};
use url::Url;

/// Pauses between attempts to connect again: twice as long each time, up to the second.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(16)];

/// What to follow and how to print it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of the daemon, as `http://127.0.0.1:9435` or `https://gateway:9435`.
    pub url: String,
    /// Where a bearer token is read from, at each connection.
    pub token_file: Option<PathBuf>,
    /// Certificates in PEM that are trusted, read at each connection with TLS; without it, those that the system trusts.
    pub ca: Option<PathBuf>,
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
    const fn may_pass(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Lost { .. } | Self::Refused { status: 500.., .. })
    }
}

/// Prints until it is stopped. Once connected, it connects again when the daemon goes away.
///
/// # Errors
/// Names the URL and the remedy where the first connection fails, or what a filter may be.
pub fn tail(options: &Options, out: &mut dyn Write) -> Result<(), TailError> {
    let url = Url::parse(&options.url)?;
    let [first, longest] = PAUSES;
    let (mut past, mut pause, mut connected) = (options.lines, first, false);
    loop {
        let token = options.token_file.as_deref().map(token).transpose()?;
        let ended =
            match Stream::open(&url, options.ca.as_deref(), token.as_deref(), &options.parameters, past) {
                Ok(mut stream) => {
                    if connected {
                        tell("connected again");
                    }
                    // What was shown is not shown again.
                    (connected, pause, past) = (true, first, 0);
                    follow(&mut stream, options, out)
                }
                Err(error) => error,
            };
        if !connected || !ended.may_pass() {
            return Err(ended);
        }
        tell(&format!("{ended}; trying again in {} s", pause.as_secs()));
        sleep(pause);
        pause = (pause * 2).min(longest);
    }
}

/// The first line of a file, if it can stand in a header field.
fn token(path: &Path) -> Result<String, TailError> {
    let fail = |source| TailError::Token { path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(fail)?;
    let token = text.lines().next().unwrap_or_default().trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(fail(io::Error::new(io::ErrorKind::InvalidData, "no token on its first line")));
    }
    Ok(token.to_owned())
}

/// Prints until the stream ends; gives back why.
fn follow(stream: &mut Stream, options: &Options, out: &mut dyn Write) -> TailError {
    loop {
        let printed = match stream.next() {
            Ok(Event::Line(line)) if options.json => writeln!(out, "{line}"),
            Ok(Event::Line(line)) => print::line(&line, options, out),
            Ok(Event::Dropped(count)) => {
                tell(&format!("{count} lines are missing: this client reads too slowly"));
                Ok(())
            }
            Err(error) => return error,
        };
        if let Err(error) = printed.and_then(|()| out.flush()) {
            return TailError::Output(error);
        }
    }
}

/// On standard error, so that standard output holds lines only.
fn tell(message: &str) {
    // Standard error may be closed.
    let _ = writeln!(io::stderr(), "flowd: {message}");
}
