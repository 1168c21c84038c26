//! An HTTP line learns what its flow knows: interface, path quality, zones.

use std::sync::Arc;

use flow_common::record::Rtt;

use super::path::Paths;
use crate::{
    aggregate::Zone,
    clock::WallClock,
    flow::{Snapshot, micros},
    protocol::http::HttpExchange,
};

/// Names of zones, shared by all lines.
#[derive(Clone, Debug)]
pub struct ZoneNames {
    private: Arc<str>,
    internet: Arc<str>,
}

impl Default for ZoneNames {
    fn default() -> Self {
        Self::new()
    }
}

impl ZoneNames {
    /// The built-in zones.
    #[must_use]
    pub fn new() -> Self {
        Self { private: Arc::from(Zone::Private.name()), internet: Arc::from(Zone::Internet.name()) }
    }

    fn of(&self, address: std::net::IpAddr) -> Arc<str> {
        Arc::clone(match Zone::of(address) {
            Zone::Private => &self.private,
            Zone::Internet => &self.internet,
        })
    }
}

/// Fills in what the tracker cannot know; `flow` is the record as it is now, where it can be had.
pub fn enrich(
    exchange: &mut HttpExchange,
    flow: Option<&Snapshot>,
    iface: Arc<str>,
    zones: &ZoneNames,
    paths: &mut Paths,
    clock: &WallClock,
) {
    exchange.time = clock.wall(exchange.time);
    exchange.iface = Some(iface);
    exchange.client_zone = Some(zones.of(exchange.client().address));
    exchange.server_zone = Some(zones.of(exchange.server().address));
    let client = exchange.request_from;
    // A slot may have gone to another flow since.
    if let Some(flow) = flow.filter(|flow| flow.key == exchange.key) {
        paths.judge(exchange, flow);
        let handshake = flow.handshake_client_rtt.filter(|_| flow.client == client);
        exchange.client_rtt_us = mean(&flow.side(client).rtt).or_else(|| handshake.map(micros));
    }
}

/// Mean of the samples in microseconds, to whole nanoseconds.
fn mean(rtt: &Rtt) -> Option<f64> {
    rtt.sum.checked_div(u64::from(rtt.count)).map(micros)
}
