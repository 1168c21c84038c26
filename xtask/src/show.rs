//! flowd's records as lines for a terminal. A field that a record lacks is a dash: the demo shows, it does
//! not judge.

use anyhow::{Context, Result};
use serde_json::Value;

/// The records in an answer of `/api/v1/flows`.
pub(crate) fn flows(answer: &str) -> Result<Vec<Value>> {
    let answer: Value = serde_json::from_str(answer).context("/api/v1/flows is no JSON")?;
    Ok(answer.get("flows").and_then(Value::as_array).cloned().unwrap_or_default())
}

pub(crate) fn table(flows: &[Value]) -> String {
    let mut text = format!(
        "{:<8} {:<6} {:<28} {:<28} {:>9} {:>9} {:>9} {:>11} {:>7} {}\n",
        "IFACE", "PROTO", "CLIENT", "SERVER", "SENT", "RECEIVED", "RATE/s", "SERVER RTT", "RETRANS", "APP"
    );
    for flow in flows {
        let retransmits = sum(flow, ["/sent/retransmits", "/received/retransmits"]);
        text += &format!(
            "{:<8} {:<6} {:<28} {:<28} {:>9} {:>9} {:>9} {:>11} {:>7} {}\n",
            word(flow, "/iface"),
            word(flow, "/transport"),
            endpoint(flow, "client"),
            endpoint(flow, "server"),
            bytes(number(flow, "/sent/ip_bytes")),
            bytes(number(flow, "/received/ip_bytes")),
            bytes(number(flow, "/rate_bytes")),
            micros(number(flow, "/tcp/server_rtt_us/mean")),
            retransmits.map_or("-".to_owned(), |count| format!("{count:.0}")),
            word(flow, "/app"),
        );
    }
    text
}

/// One line of the HTTP log; a line that is no record is shown as it is.
pub(crate) fn http(line: &str) -> String {
    let Ok(record) = serde_json::from_str::<Value>(line) else {
        return line.to_owned();
    };
    format!(
        "http  {:<4} {:<7} {}{}  from {} to {}  answered in {}",
        word(&record, "/status"),
        word(&record, "/method"),
        word(&record, "/host"),
        word(&record, "/target"),
        endpoint(&record, "client"),
        endpoint(&record, "server"),
        micros(number(&record, "/response_time_us")),
    )
}

fn word(record: &Value, path: &str) -> String {
    match record.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}

fn number(record: &Value, path: &str) -> Option<f64> {
    record.pointer(path).and_then(Value::as_f64)
}

fn sum(record: &Value, paths: [&str; 2]) -> Option<f64> {
    paths.iter().filter_map(|path| number(record, path)).reduce(|a, b| a + b)
}

fn endpoint(record: &Value, side: &str) -> String {
    let address = word(record, &format!("/{side}/address"));
    let port = word(record, &format!("/{side}/port"));
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

fn bytes(count: Option<f64>) -> String {
    let Some(mut count) = count else { return "-".to_owned() };
    for unit in ["B", "kB", "MB", "GB"] {
        if count < 1000.0 {
            return if unit == "B" { format!("{count:.0} B") } else { format!("{count:.1} {unit}") };
        }
        count /= 1000.0;
    }
    format!("{count:.1} TB")
}

fn micros(time: Option<f64>) -> String {
    match time {
        None => "-".to_owned(),
        Some(time) if time < 1000.0 => format!("{time:.0} us"),
        Some(time) => format!("{:.1} ms", time / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, flows, http, table};

    #[test]
    fn full_and_empty_records() {
        let answer = r#"{"flows":[{"iface":"lan0","transport":"tcp","client":{"address":"192.0.2.2","port":5},
            "server":{"address":"2001:db8::1","port":80},"sent":{"ip_bytes":1500000,"retransmits":2},
            "received":{"ip_bytes":60,"retransmits":1},"tcp":{"server_rtt_us":{"mean":1500.0}},"app":null},{}]}"#;
        let flows = flows(answer).unwrap();
        let text = table(&flows);
        let line = text.lines().nth(1).unwrap();
        for part in ["lan0", "192.0.2.2:5", "[2001:db8::1]:80", "1.5 MB", "60 B", "1.5 ms", " 3 -"] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert_eq!(text.lines().count(), 3, "a record without fields is a line");
        assert!(super::flows("{}").unwrap().is_empty());
        assert!(super::flows("<html>").is_err());
    }

    #[test]
    fn http_lines() {
        assert_eq!(http("half a line"), "half a line");
        let line =
            http(r#"{"method":"GET","target":"/slow","host":"a","status":200,"response_time_us":300000.0}"#);
        assert!(line.contains("200  GET     a/slow") && line.contains("300.0 ms"), "{line}");
        assert_eq!(bytes(Some(2e12)), "2.0 TB");
    }
}
