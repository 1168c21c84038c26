//! What it costs to switch each feature on, as README shows it.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use super::row::{self, Row};
use super::table::number;

struct Feature {
    name: &'static str,
    /// The key that switches it.
    key: &'static str,
    /// As the rows of part a name it; nothing where the packet path does not know of it.
    row: Option<&'static str>,
    /// What it costs elsewhere: a row of another part, and what its figure is.
    elsewhere: Option<[&'static str; 3]>,
}

const FEATURES: [Feature; 6] = [
    Feature {
        name: "HTTP",
        key: "`head_bytes` (on by default)",
        row: Some("HTTP"),
        elsewhere: Some([
            "d",
            "HTTP, 20,000 requests/s: event reader, of one core",
            "of one core to read 20,000 requests a second",
        ]),
    },
    Feature { name: "DNS", key: "`[dns]`", row: Some("DNS"), elsewhere: None },
    Feature { name: "TLS", key: "`[tls]`", row: Some("TLS"), elsewhere: None },
    Feature {
        name: "peaks and bursts",
        key: "`[capacity] windows` (on by default)",
        row: Some("windows"),
        elsewhere: None,
    },
    Feature { name: "tunnels", key: "`decapsulate`", row: Some("tunnels"), elsewhere: None },
    Feature {
        name: "zones",
        key: "`[zones]`",
        row: None,
        elsewhere: Some([
            "e",
            "zone of a random IPv4 address",
            "per address of a new flow, in the daemon, among 10,000 nets",
        ]),
    },
];

/// A row per feature; a dash for what a report does not have.
pub(super) fn table(report: &Value) -> Result<String> {
    let rows = row::all(report)?;
    let find = |part: &str, name: &str| rows.iter().find(|row| row.part == part && row.name == name);
    let mut text = "| feature | switched by | a TCP data packet | a UDP packet | elsewhere |\n".to_owned();
    text.push_str("|---|---|---:|---:|---|\n");
    for feature in &FEATURES {
        let packet = |shape: &str| match feature.row {
            Some(name) => find("a", &format!("{shape}: added by {name}")).map_or("–".to_owned(), spread),
            None => "nothing".to_owned(),
        };
        let elsewhere = feature.elsewhere.map(|[part, name, what]| match find(part, name) {
            Some(row) => format!("{} {} {what}", number(row.median), row.unit),
            None => "–".to_owned(),
        });
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            feature.name,
            feature.key,
            packet("tcp_data"),
            packet("udp"),
            elsewhere.unwrap_or_default()
        );
    }
    Ok(text)
}

fn spread(row: &Row) -> String {
    format!("{} {} ({} to {})", number(row.median), row.unit, number(row.low), number(row.high))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_figure_that_is_missing_is_a_dash() {
        let row = json!({ "part": "a", "name": "tcp_data: added by DNS", "unit": "ns", "better": "less",
            "median": 2.0, "low": 1.0, "high": 3.0, "rounds": 5, "note": "" });
        let text = table(&json!({ "rows": [row] })).unwrap();
        assert!(text.contains("| DNS | `[dns]` | 2.00 ns (1.00 to 3.00) | – |  |"), "{text}");
        assert!(text.contains("| zones | `[zones]` | nothing | nothing | – |"), "{text}");
    }
}
