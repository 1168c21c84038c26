//! Lines made by the tracker, for the tests of this crate.

use flow_common::{
    app::App,
    event::{PayloadEvent, PayloadKind},
};

use crate::{
    flow::testing,
    protocol::{
        conversation::{Outcome, RequestRecord},
        http::{HttpExchange, HttpOptions, HttpTracker},
        record::Head,
    },
};

/// A request of 10.0.0.1 to 198.51.100.7:6379, answered after 48 ms.
pub(crate) fn request(app: App, operation: &'static str, error: Option<&'static str>) -> RequestRecord {
    let record = testing::connection(1, 40_000, 6_379, 1_000);
    RequestRecord {
        head: Head::new(record.key, 0, record.client(), 1_000_000),
        app,
        operation: operation.into(),
        statement: None,
        one_way: false,
        error: error.map(Into::into),
        asked: 1_000_000,
        sent: 1_000_000,
        answered: Some(49_000_000),
        think_time: None,
        retransmits: 0,
        outcome: Outcome::Complete,
    }
}

/// An exchange of 10.0.0.1 with 198.51.100.7:80 whose request has this head, answered 200 after 48 ms.
pub(crate) fn exchange(request: &str) -> HttpExchange {
    let record = testing::connection(1, 40_000, 80, 1_000);
    let client = record.client();
    let response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let mut tracker = HttpTracker::new(HttpOptions::default());
    let mut exchanges = Vec::new();
    for (sender, kind, payload, time) in [
        (client, PayloadKind::Request, request, 1_000_000),
        (client.other(), PayloadKind::Response, response, 49_000_000),
    ] {
        let event = PayloadEvent {
            key: record.key,
            time,
            slot: 0,
            seq: 1,
            payload_len: payload.len() as u32,
            copied: payload.len() as u16,
            kind: kind as u8,
            sender: sender as u8,
            tcp_flags: 0x18,
            app: App::Http as u8,
            ack: if sender == client { 1 } else { 1 + request.len() as u32 },
            retransmits: 0,
            own_last: 0,
            peer_last: 0,
        };
        tracker.event(&event, payload.as_bytes(), &mut |exchange| exchanges.push(exchange));
    }
    tracker.finish(&mut |exchange| exchanges.push(exchange));
    exchanges.remove(0)
}
