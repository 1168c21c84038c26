//! A line learns what its flow knows: interface, path quality, zones.

use std::sync::Arc;

use flow_common::{
    dissect::transport::protocol::TCP,
    key::{FlowKey, Sender},
    record::Rtt,
};

use super::path::Paths;
use crate::{
    aggregate::Zones,
    clock::WallClock,
    flow::{Snapshot, micros, words},
    protocol::{http::HttpExchange, network::Network},
};

/// Fills in what the tracker cannot know; `flow` is the record as it is now, where it can be had.
pub fn enrich(
    exchange: &mut HttpExchange,
    flow: Option<&Snapshot>,
    iface: Arc<str>,
    zones: &Zones,
    paths: &mut Paths,
    clock: &WallClock,
) {
    exchange.time = clock.wall(exchange.time);
    let network = network(&exchange.key, exchange.request_from, flow, iface, zones);
    exchange.iface = network.iface;
    exchange.client_zone = network.client_zone;
    exchange.server_zone = network.server_zone;
    exchange.client_rtt_us = network.client_rtt_us;
    // A slot may have gone to another flow since.
    if let Some(flow) = flow.filter(|flow| flow.key == exchange.key) {
        paths.judge(exchange, flow);
    }
}

/// What is known of the path between `client`, an endpoint of `key`, and its peer; `flow` is the record as it is
/// now, where it can be had.
#[must_use]
pub fn network(
    key: &FlowKey,
    client: Sender,
    flow: Option<&Snapshot>,
    iface: Arc<str>,
    zones: &Zones,
) -> Network {
    let mut network = Network {
        iface: Some(iface),
        client_zone: Some(zones.name_of(words::address(key, client))),
        server_zone: Some(zones.name_of(words::address(key, client.other()))),
        ..Network::default()
    };
    // A slot may have gone to another flow since. Other protocols have neither round trips nor sequence numbers.
    if let Some(flow) = flow.filter(|flow| flow.key == *key && key.protocol() == TCP) {
        let of = |end: Sender| {
            let handshake =
                if end == flow.client { flow.handshake_client_rtt } else { flow.handshake_server_rtt };
            mean(&flow.side(end).rtt).or_else(|| handshake.map(micros))
        };
        network.server_rtt_us = of(client.other());
        network.client_rtt_us = of(client);
        network.retransmits =
            Some(flow.sides.iter().map(|side| side.retransmits).fold(0, u32::saturating_add));
    }
    network
}

/// Mean of the samples in microseconds, to whole nanoseconds.
fn mean(rtt: &Rtt) -> Option<f64> {
    rtt.sum.checked_div(u64::from(rtt.count)).map(micros)
}
