//! The last line: what the capture held in all, and what is in no flow, by reason.

use std::collections::BTreeMap;

use flow_common::counter::{Counter, Family, InterfaceTotals, Tally};
use serde::Serialize;

/// Totals of one capture.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
pub(super) struct Summary {
    /// Frames.
    pub(super) packets: u64,
    pub(super) frame_bytes: u64,
    /// Frames by family.
    pub(super) families: BTreeMap<&'static str, u64>,
    /// Flow records printed, those inside tunnels included.
    pub(super) flows: u64,
    pub(super) http: u64,
    pub(super) dns: u64,
    pub(super) tls: u64,
    /// Frames in no flow, by reason.
    pub(super) skipped: BTreeMap<&'static str, u64>,
    #[serde(skip)]
    pub(super) printed: u64,
    /// Payload copies that found no room.
    pub(super) events_lost: u64,
}

impl Summary {
    pub(super) fn new() -> Self {
        Self {
            packets: 0,
            frame_bytes: 0,
            families: Family::ALL.map(|family| (family.name(), 0)).into(),
            flows: 0,
            http: 0,
            dns: 0,
            tls: 0,
            skipped: Counter::ALL.map(|counter| (counter.name(), 0)).into(),
            printed: 0,
            events_lost: 0,
        }
    }

    /// Adds an interface's totals.
    pub(super) fn add(&mut self, totals: &InterfaceTotals) {
        for passage in &totals.passages {
            for (family, tally) in Family::ALL.into_iter().zip(&passage.seen) {
                self.packets += tally.skb_packets;
                self.frame_bytes += tally.bytes;
                count(&mut self.families, family.name(), tally);
            }
            for (counter, tally) in Counter::ALL.into_iter().zip(&passage.skipped) {
                count(&mut self.skipped, counter.name(), tally);
            }
            self.events_lost += passage.events_lost;
        }
    }
}

fn count(into: &mut BTreeMap<&'static str, u64>, name: &'static str, tally: &Tally) {
    *into.entry(name).or_default() += tally.skb_packets;
}
