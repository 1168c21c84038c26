//! Every tally of every watched interface as JSON: what the metrics show, and beside the packets of the wire
//! those that the kernel handed over.

use std::collections::BTreeMap;

use flow_common::{
    counter::{Counter, Family, Tally},
    key::Direction,
};
use serde::Serialize;

use crate::aggregate::{InterfaceNumbers, Numbers, Presence, passage};

/// The answer of `/api/v1/interfaces`.
#[derive(Debug, Serialize)]
pub struct Interfaces<'a> {
    interfaces: Vec<Interface<'a>>,
}

#[derive(Debug, Serialize)]
struct Interface<'a> {
    name: &'a str,
    ifindex: u32,
    /// False where the interface has gone, or is not to be watched any more.
    watched: bool,
    active_flows: u64,
    ingress: Option<Passage>,
    /// `null` on loopback, where every packet that goes out comes in again.
    egress: Option<Passage>,
}

#[derive(Debug, Serialize)]
struct Passage {
    /// By family.
    seen: BTreeMap<&'static str, Counts>,
    /// What of it is in no flow, by reason.
    skipped: BTreeMap<&'static str, Counts>,
    /// By the kernel's own counters since flowd attached.
    kernel: KernelCounts,
    events_lost: u64,
    events_skipped: u64,
}

#[derive(Debug, Serialize)]
struct Counts {
    packets: u64,
    bytes: u64,
    skb_packets: u64,
    skb_bytes: u64,
}

#[derive(Debug, Serialize)]
struct KernelCounts {
    packets: u64,
    bytes: u64,
}

/// All interfaces as of the last drain.
#[must_use]
pub fn list(numbers: &Numbers) -> Interfaces<'_> {
    Interfaces { interfaces: numbers.interfaces.iter().map(interface).collect() }
}

fn interface(numbers: &InterfaceNumbers) -> Interface<'_> {
    let of = |direction| numbers.watched.directions().contains(&direction).then(|| one(numbers, direction));
    Interface {
        name: &numbers.watched.name,
        ifindex: numbers.watched.ifindex,
        watched: numbers.presence == Presence::Watched,
        active_flows: numbers.active,
        ingress: of(Direction::Ingress),
        egress: of(Direction::Egress),
    }
}

fn one(numbers: &InterfaceNumbers, direction: Direction) -> Passage {
    let passage = passage(&numbers.totals, direction);
    let kernel = numbers.kernel.get(direction as usize).copied().unwrap_or_default();
    Passage {
        seen: Family::ALL.iter().map(|family| family.name()).zip(passage.seen.iter().map(counts)).collect(),
        skipped: Counter::ALL
            .iter()
            .map(|reason| reason.name())
            .zip(passage.skipped.iter().map(counts))
            .collect(),
        kernel: KernelCounts { packets: kernel.packets, bytes: kernel.bytes },
        events_lost: passage.events_lost,
        events_skipped: passage.events_skipped,
    }
}

const fn counts(tally: &Tally) -> Counts {
    let Tally { packets, bytes, skb_packets, skb_bytes } = *tally;
    Counts { packets, bytes, skb_packets, skb_bytes }
}
