//! An HTTP line learns what its flow knows: interface, path quality, zones.

use std::sync::Arc;

use flow_common::{key::Sender, record::Rtt};

use crate::{
    aggregate::Zones,
    clock::WallClock,
    flow::{Snapshot, micros},
    protocol::http::HttpExchange,
};

/// Fills in what the tracker cannot know; `flow` is the record as it is now, where it can be had.
pub fn enrich(
    exchange: &mut HttpExchange,
    flow: Option<&Snapshot>,
    iface: Arc<str>,
    zones: &Zones,
    clock: &WallClock,
) {
    exchange.time = clock.wall(exchange.time);
    exchange.iface = Some(iface);
    exchange.client_zone = Some(zones.name_of(exchange.client().address));
    exchange.server_zone = Some(zones.name_of(exchange.server().address));
    let client = exchange.request_from;
    // A slot may have gone to another flow since.
    if let Some(flow) = flow.filter(|flow| flow.key == exchange.key) {
        let of = |end: Sender| {
            let handshake =
                if end == flow.client { flow.handshake_client_rtt } else { flow.handshake_server_rtt };
            mean(&flow.side(end).rtt).or_else(|| handshake.map(micros))
        };
        exchange.server_rtt_us = of(client.other());
        exchange.client_rtt_us = of(client);
        let retransmits = flow.sides.iter().map(|side| side.retransmits).fold(0, u32::saturating_add);
        exchange.retransmits = Some(retransmits);
    }
}

/// Mean of the samples in microseconds, to whole nanoseconds.
fn mean(rtt: &Rtt) -> Option<f64> {
    rtt.sum.checked_div(u64::from(rtt.count)).map(micros)
}
