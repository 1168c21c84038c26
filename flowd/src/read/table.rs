//! Flows as a table for the eye.

use std::io::{self, Write};

use crate::flow::{Endpoint, Flow, time_text};

pub(super) fn head(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<23} {:<8} {:<5} {:>42}    {:<42} {:>9} {:>9} {:>11} {:>11} {:>5} {:>9} APP",
        "START",
        "PROTO",
        "STATE",
        "CLIENT",
        "SERVER",
        "SENT",
        "RECEIVED",
        "SENT B",
        "RECEIVED B",
        "RETR",
        "RTT ms"
    )
}

pub(super) fn row(out: &mut dyn Write, flow: &Flow) -> io::Result<()> {
    let number = flow.protocol.to_string();
    let tcp = flow.tcp.as_ref();
    let rtt =
        tcp.and_then(|tcp| Some(tcp.server_rtt_us?.mean + tcp.client_rtt_us.map_or(0.0, |rtt| rtt.mean)));
    let start = time_text(flow.start);
    writeln!(
        out,
        "{:<23} {:<8} {:<5} {:>42} -> {:<42} {:>9} {:>9} {:>11} {:>11} {:>5} {:>9} {}",
        start.get(..23).unwrap_or(&start),
        flow.transport.unwrap_or(&number),
        tcp.map_or("-", |tcp| tcp.state),
        endpoint(&flow.client.endpoint),
        endpoint(&flow.server.endpoint),
        flow.sent.packets,
        flow.received.packets,
        flow.sent.ip_bytes,
        flow.received.ip_bytes,
        flow.sent.retransmits + flow.received.retransmits,
        rtt.map_or_else(|| "-".to_owned(), |us| format!("{:.3}", us / 1000.0)),
        flow.app.unwrap_or("-"),
    )
}

fn endpoint(endpoint: &Endpoint) -> String {
    match (endpoint.address, endpoint.port) {
        (address, 0) => address.to_string(),
        (std::net::IpAddr::V6(address), port) => format!("[{address}]:{port}"),
        (address, port) => format!("{address}:{port}"),
    }
}
