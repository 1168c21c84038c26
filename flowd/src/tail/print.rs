//! A line for the eye: time, status, what was asked for, how long it took, and the network's part of that.

use std::io::{self, Write};

use flowd_protocols::record::{ERROR, OK};
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
    let Subject { status, class, asked } = Subject::of(&line);
    write!(out, "{}{}{reset} ", paint(DIM), harmless(time))?;
    write!(out, "{}{}{reset} {}", paint(class), harmless(&status), harmless(&asked))?;
    match number("/response_time_us").or_else(|| number("/handshake_time_us")) {
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
    if let Some(outcome) = word("/outcome").filter(|outcome| !matches!(*outcome, "complete" | "answered")) {
        write!(out, "  {}{}{reset}", paint(NONE), harmless(outcome))?;
    }
    let [client, server] =
        ["/client/address", "/server/address"].map(|path| harmless(word(path).unwrap_or("-")));
    let port = count("/server/port").unwrap_or_default();
    writeln!(out, "  {}{client} -> {server} port {port}{reset}", paint(DIM))
}

/// What was asked for, and what came of it.
struct Subject {
    status: String,
    /// Its colour.
    class: &'static str,
    asked: String,
}

impl Subject {
    /// Of a line, whatever its type.
    fn of(line: &Value) -> Self {
        let word = |name: &str| line.get(name).and_then(Value::as_str);
        let words = |names: &[&str]| names.iter().filter_map(|name| word(name)).collect::<Vec<_>>().join(" ");
        let [_, fine, _, _, wrong] = CLASSES;
        let said = |said: Option<&str>, good: &str| match said {
            Some(said) => (said.to_owned(), if said == good { fine } else { wrong }),
            None => ("---".to_owned(), NONE),
        };
        let ((status, class), asked) = match word("type") {
            Some("request") => {
                (said(word("status"), OK), words(&["protocol", "operation", "error", "statement"]))
            }
            Some("dns") => (said(word("rcode"), "NOERROR"), format!("dns {}", words(&["qtype", "query"]))),
            Some("tls") => {
                let status = match word("outcome") {
                    Some("complete") => Some(OK),
                    Some("alert") => Some(ERROR),
                    _ => None,
                };
                (said(status, OK), format!("tls {}", words(&["version", "sni"])))
            }
            _ => {
                let status = line.get("status").and_then(Value::as_u64);
                let class = status.and_then(|status| usize::try_from(status / 100).ok()?.checked_sub(1));
                let class = class.and_then(|class| CLASSES.get(class)).copied().unwrap_or(NONE);
                let shown = status.map_or_else(|| "---".to_owned(), |status| status.to_string());
                let [method, target] = ["method", "target"].map(|name| word(name).unwrap_or("-"));
                ((shown, class), format!("{method:<7} {}{target}", word("host").unwrap_or_default()))
            }
        };
        Self { status, class, asked }
    }
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
            lines_of: "http",
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
    fn lines_of_other_protocols_say_what_was_asked_for() {
        let line = |kind: &str, rest: &str| {
            let ends = r#""client":{"address":"::1","port":5},"server":{"address":"::2","port":80}"#;
            shown(
                &format!(r#"{{"type":"{kind}","time":"2026-11-23T10:00:00.123456789Z",{ends},{rest}}}"#),
                false,
            )
        };
        for (kind, rest, begins) in [
            (
                "request",
                r#""protocol":"redis","operation":"GET","status":"ok","error":null,"response_time_us":210.0"#,
                "ok redis GET  0.21 ms  rtt ",
            ),
            (
                "request",
                r#""protocol":"mysql","operation":"SELECT","status":"error","error":"1146","statement":"SELECT ?""#,
                "error mysql SELECT 1146 SELECT ?  rtt ",
            ),
            (
                "request",
                r#""protocol":"kafka","operation":"Fetch","status":null,"outcome":"no_response""#,
                "--- kafka Fetch  rtt server - client -  no_response  ",
            ),
            (
                "dns",
                r#""query":"a.example","qtype":"A","rcode":"NXDOMAIN","outcome":"answered""#,
                "NXDOMAIN dns A a.example  rtt server - client -  ::1 ",
            ),
            (
                "tls",
                r#""sni":"a.example","version":"1.3","outcome":"complete","handshake_time_us":48000.0"#,
                "ok tls 1.3 a.example  48.0 ms  rtt ",
            ),
        ] {
            let text = line(kind, rest);
            assert!(text.starts_with(&format!("10:00:00.123 {begins}")), "{text}");
        }
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
