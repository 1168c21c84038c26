//! The last line: what the capture held in all, and what is in no flow, by reason.

use std::collections::BTreeMap;

use crate::sinks::kinds;
use flow_common::counter::{Counter, Family, InterfaceTotals, Tally};
use serde::{Serialize, Serializer};

/// Why a frame does not reach the packet path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// Its link type is none that the engine reads.
    LinkType,
    /// The capture has more interfaces than a flow's key can tell apart.
    Interfaces,
    /// A copy of an earlier one.
    Duplicate,
}

impl Unread {
    const fn name(self) -> &'static str {
        match self {
            Self::LinkType => "link_type",
            Self::Interfaces => "interfaces",
            Self::Duplicate => "duplicate",
        }
    }
}

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
    /// Records of applications, by protocol.
    #[serde(flatten, serialize_with = "in_order")]
    applications: Vec<(&'static str, u64)>,
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
            applications: kinds().filter(|kind| *kind != "flow").map(|kind| (kind, 0)).collect(),
            skipped: Counter::ALL.map(|counter| (counter.name(), 0)).into(),
            printed: 0,
            events_lost: 0,
        }
    }

    /// Counts a record of this protocol.
    pub(super) fn application(&mut self, protocol: &'static str) {
        if let Some((_, count)) = self.applications.iter_mut().find(|(name, _)| *name == protocol) {
            *count += 1;
        }
    }

    /// Counts a frame that does not reach the packet path.
    pub(super) fn unread(&mut self, reason: Unread, family: Family, bytes: u32) {
        self.packets += 1;
        self.frame_bytes += u64::from(bytes);
        *self.families.entry(family.name()).or_default() += 1;
        *self.skipped.entry(reason.name()).or_default() += 1;
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

/// For serde: counts by protocol, in the order of the registry; of protocols whose lines are of type `request` those that
/// were seen.
fn in_order<S: Serializer>(counts: &[(&'static str, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    let always = ["http", "dns", "tls"];
    serializer.collect_map(counts.iter().copied().filter(|(kind, count)| *count > 0 || always.contains(kind)))
}
