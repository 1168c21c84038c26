//! A line for the eye: time, status, method, host and path, how long it took, and the network's part of that.

use std::io::{self, Write};

use serde_json::Value;

use super::options::Options;
use crate::screen::harmless;

const RESET: &str = "\x1b[0m";
const DIM: &str = "\x1b[2m";
const SLOW: &str = "\x1b[1;31m";

/// By the status' class: informational, success, redirection, the client's error, the server's.
const CLASSES: [&str; 5] = ["\x1b[36m", "\x1b[32m", "\x1b[36m", "\x1b[33m", "\x1b[31m"];
/// No response.
const NONE: &str = "\x1b[35m";

/// Prints a JSON line of the API; one that is none as it is, made harmless.
pub(super) fn line(text: &str, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let Ok(line) = serde_json::from_str::<Value>(text) else {
        return writeln!(out, "{}", harmless(text));
    };
    let paint = |code: &'static str| if options.color { code } else { "" };
    let reset = paint(RESET);
    let word = |path: &str| line.pointer(path).and_then(Value::as_str);
    let number = |path: &str| line.pointer(path).and_then(Value::as_f64);
    let count = |path: &str| line.pointer(path).and_then(Value::as_u64);

    // Hours to milliseconds of an RFC 3339 time.
    let time = word("/time").and_then(|time| time.get(11..23)).unwrap_or("-");
    let status = count("/status");
    let class = status.and_then(|status| CLASSES.get(usize::try_from(status / 100).ok()?.checked_sub(1)?));
    write!(out, "{}{}{reset} ", paint(DIM), harmless(time))?;
    let shown = status.map_or_else(|| "---".to_owned(), |status| status.to_string());
    write!(out, "{}{shown}{reset} ", paint(class.copied().unwrap_or(NONE)))?;
    let [method, target] = ["/method", "/target"].map(|path| harmless(word(path).unwrap_or("-")));
    write!(out, "{method:<7} {}{target}", harmless(word("/host").unwrap_or("")))?;
    match number("/response_time_us") {
        Some(took) if took / 1e3 >= options.slow_ms => {
            write!(out, "  {}{} slow{reset}", paint(SLOW), milliseconds(took))?;
        }
        Some(took) => write!(out, "  {}", milliseconds(took))?,
        None => {}
    }
    let [server, client] = ["/server_rtt_us", "/client_rtt_us"]
        .map(|path| number(path).map_or_else(|| "-".to_owned(), milliseconds));
    write!(out, "  {}rtt server {server} client {client}{reset}", paint(DIM))?;
    if let Some(retransmits) = count("/retransmits").filter(|count| *count > 0) {
        write!(out, "  {}retransmits {retransmits}{reset}", paint(SLOW))?;
    }
    if let Some(outcome) = word("/outcome").filter(|outcome| *outcome != "complete") {
        write!(out, "  {}{}{reset}", paint(NONE), harmless(outcome))?;
    }
    let [client, server] =
        ["/client/address", "/server/address"].map(|path| harmless(word(path).unwrap_or("-")));
    let port = count("/server/port").unwrap_or_default();
    writeln!(out, "  {}{client} -> {server} port {port}{reset}", paint(DIM))
}

fn milliseconds(us: f64) -> String {
    let ms = us / 1e3;
    // Three digits or so: more are noise, fewer make a local network's times 0.
    if ms < 10.0 { format!("{ms:.2} ms") } else { format!("{ms:.1} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"type":"http","time":"2026-11-23T10:00:00.123456789Z","client":{"address":"192.0.2.1","port":5},
"server":{"address":"198.51.100.7","port":80},"method":"GET","target":"/x","host":"www.example.org","status":503,
"response_time_us":612000.0,"outcome":"complete","server_rtt_us":48000.0,"client_rtt_us":65.0,"retransmits":0}"#;

    fn shown(text: &str, color: bool) -> String {
        let options = Options {
            url: String::new(),
            token_file: None,
            ca: None,
            parameters: Vec::new(),
            lines: 0,
            slow_ms: 500.0,
            color,
            json: false,
        };
        let mut out = Vec::new();
        line(text, &options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_plain_without_a_terminal() {
        assert_eq!(
            shown(LINE, false),
            "10:00:00.123 503 GET     www.example.org/x  612.0 ms slow  rtt server 48.0 ms client 0.07 ms  \
             192.0.2.1 -> 198.51.100.7 port 80\n"
        );
    }

    #[test]
    fn colours_tell_the_class_and_what_is_slow() {
        let text = shown(LINE, true);
        assert!(
            text.contains("\x1b[31m503\x1b[0m") && text.contains("\x1b[1;31m612.0 ms slow\x1b[0m"),
            "{text:?}"
        );
        let text = shown(&LINE.replace("503", "204").replace("612000.0", "1000.0"), true);
        assert!(text.contains("\x1b[32m204\x1b[0m") && !text.contains("slow"), "{text:?}");
    }

    #[test]
    fn what_is_missing_or_hostile_harms_nothing() {
        let none = LINE.replace("503", "null").replace("612000.0", "null").replace("complete", "no_response");
        let text = shown(&none, false);
        assert!(
            text.contains(" --- GET") && text.contains("  no_response  ") && !text.contains("slow"),
            "{text}"
        );
        let text = shown(&LINE.replace("/x", "/\\u001b[2J\\r\\u009b"), false);
        assert!(
            !text.contains('\x1b') && !text.contains('\r') && text.contains("\\u{1b}[2J\\r\\u{9b}"),
            "{text:?}"
        );
        for text in ["", "{}", "[1]", "3", "{\"status\":99999}", "{\"status\":50}", "\x1b[2J"] {
            assert!(!shown(text, false).contains('\x1b'), "{text}");
        }
    }
}
