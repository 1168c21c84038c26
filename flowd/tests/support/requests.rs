//! Requests by connection, as nginx's log and flowd's have them.

use std::collections::BTreeMap;

use serde_json::Value;

/// Method, path, status.
type Line = (String, String, u64);
/// In order, by the client's address and port.
pub type Connections = BTreeMap<(String, u64), Vec<Line>>;

fn group(lines: &[Value], connection: impl Fn(&Value) -> (String, u64)) -> Connections {
    let mut connections = Connections::new();
    for line in lines {
        let text = |key: &str| line[key].as_str().unwrap_or("none").to_owned();
        let path = text("target").split('?').next().unwrap().to_owned();
        let status = line["status"].as_u64().unwrap_or_default();
        connections.entry(connection(line)).or_default().push((text("method"), path, status));
    }
    connections
}

pub fn by_nginx(lines: &[Value]) -> Connections {
    group(lines, |line| (line["address"].as_str().unwrap().to_owned(), line["port"].as_u64().unwrap()))
}

pub fn by_flowd(lines: &[Value]) -> Connections {
    group(lines, |line| {
        let client = &line["client"];
        (client["address"].as_str().unwrap().to_owned(), client["port"].as_u64().unwrap())
    })
}
