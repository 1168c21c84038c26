//! `flowd tail`: the requests that a running flowd sees, as they come.

mod client;
mod error;
mod options;
mod print;
mod tls;
mod url;

use std::{
    fs,
    io::{self, Write},
    path::Path,
    thread::sleep,
    time::Duration,
};

use client::{Event, Stream};
pub use error::TailError;
pub use options::Options;
use url::{Url, encode};

/// Pauses between attempts to connect again: twice as long each time, up to the second.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(16)];

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
        let ended = match Stream::open(&url, options.ca.as_deref(), token.as_deref(), &target(options, past))
        {
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

/// What to ask for: new lines, after `past` of those that the daemon has kept.
fn target(options: &Options, past: u32) -> String {
    let parameters = options.parameters.iter();
    let query: String = parameters.map(|(name, value)| format!("&{name}={}", encode(value))).collect();
    format!("/api/v1/{}/stream?limit={past}{query}", options.lines_of)
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
