//! Totals of a watched interface, held against the kernel's own.

use std::sync::Arc;

use flow_common::{
    counter::{InterfaceTotals, Passage, Tally},
    key::Direction,
};

use crate::{flow::EndReason, interfaces::Statistics};

/// Bytes that loopback's frames have before their packet.
const ETHERNET_HEADER: u64 = 14;

/// An interface that is watched.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Slot in keys and totals.
    pub slot: u16,
    pub name: Arc<str>,
    /// One hook sees both directions.
    pub one_point: bool,
    /// The kernel counts wire frames, not what segmentation offload hands over.
    pub physical: bool,
    /// Bytes per second, where the device tells.
    pub speed: Option<u64>,
    pub mac: String,
    pub mtu: u32,
    pub ifindex: u32,
}

impl Watched {
    /// The directions in which it is watched: loopback only as packets come in, as each has gone out there
    /// before. They stand in the order of their numbers, so that they pair with arrays by direction.
    #[must_use]
    pub const fn directions(&self) -> &'static [Direction] {
        if self.one_point { &[Direction::Ingress] } else { &[Direction::Ingress, Direction::Egress] }
    }
}

/// Bytes and packets that the kernel counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub bytes: u64,
    pub packets: u64,
}

/// What is known of one watched interface.
#[derive(Clone, Debug)]
pub struct InterfaceNumbers {
    pub watched: Watched,
    pub totals: InterfaceTotals,
    /// The kernel's counters since the daemon attached: ingress, egress.
    pub kernel: [Counted; 2],
    /// flowd's bytes over the kernel's in the last interval in which something passed.
    pub ratio: [Option<f64>; 2],
    /// Flows that live now.
    pub active: u64,
    /// Flows that ended, by [`EndReason`].
    pub ended: [u64; EndReason::ALL.len()],
    first: Option<Statistics>,
}

impl InterfaceNumbers {
    /// Zeros for an interface that is being attached; `first` is what the kernel counted before.
    #[must_use]
    pub fn new(watched: Watched, first: Option<Statistics>) -> Self {
        Self {
            watched,
            totals: InterfaceTotals::default(),
            kernel: [Counted::default(); 2],
            ratio: [None; 2],
            active: 0,
            ended: [0; EndReason::ALL.len()],
            first,
        }
    }

    /// Takes over both counts of the same moment; `kernel` is `None` where the interface has gone.
    pub fn update(&mut self, totals: &InterfaceTotals, kernel: Option<Statistics>) {
        if let (Some(now), Some(first)) = (kernel, self.first) {
            let counted = [
                Counted {
                    bytes: now.rx_bytes.saturating_sub(first.rx_bytes),
                    packets: now.rx_packets.saturating_sub(first.rx_packets),
                },
                Counted {
                    bytes: now.tx_bytes.saturating_sub(first.tx_bytes),
                    packets: now.tx_packets.saturating_sub(first.tx_packets),
                },
            ];
            for direction in [Direction::Ingress, Direction::Egress] {
                let at = direction as usize;
                let (Some(after), Some(before)) = (counted.get(at), self.kernel.get(at)) else { continue };
                let theirs = after.bytes.saturating_sub(before.bytes);
                let ours = self.bytes(totals, direction).saturating_sub(self.bytes(&self.totals, direction));
                if let Some(ratio) = self.ratio.get_mut(at)
                    && theirs != 0
                {
                    *ratio = Some(ours as f64 / theirs as f64);
                }
            }
            self.kernel = counted;
        }
        self.totals = *totals;
    }

    /// Counts an ended flow.
    pub fn end(&mut self, reason: EndReason) {
        let at = EndReason::ALL.iter().position(|other| *other == reason);
        if let Some(count) = at.and_then(|at| self.ended.get_mut(at)) {
            *count += 1;
        }
    }

    /// Bytes in the way the kernel counts them on this device: loopback takes the link header off first.
    fn bytes(&self, totals: &InterfaceTotals, direction: Direction) -> u64 {
        let of = |tally: &Tally| match (self.watched.physical, self.watched.one_point) {
            (true, _) => tally.bytes,
            (false, false) => tally.skb_bytes,
            (false, true) => tally.skb_bytes.saturating_sub(tally.skb_packets * ETHERNET_HEADER),
        };
        passage(totals, direction).seen.iter().map(of).sum()
    }
}

/// One direction of `totals`.
#[must_use]
pub const fn passage(totals: &InterfaceTotals, direction: Direction) -> &Passage {
    match direction {
        Direction::Ingress => &totals.passages[0],
        Direction::Egress => &totals.passages[1],
    }
}

#[cfg(test)]
pub(super) fn watched(slot: u16, name: &str) -> Watched {
    Watched {
        slot,
        name: Arc::from(name),
        one_point: false,
        physical: false,
        speed: None,
        mac: String::new(),
        mtu: 1500,
        ifindex: u32::from(slot) + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_of_the_last_interval_with_traffic() {
        let statistics = |rx_bytes| Some(Statistics { rx_bytes, ..Statistics::default() });
        let mut numbers = InterfaceNumbers::new(watched(1, "eth0"), statistics(1_000));
        let mut totals = InterfaceTotals::default();
        totals.passages[0].seen[0].skb_bytes = 90;
        numbers.update(&totals, statistics(1_100));
        assert_eq!(numbers.kernel[0].bytes, 100);
        assert_eq!(numbers.ratio[0], Some(0.9));
        totals.passages[0].seen[1].skb_bytes = 50;
        numbers.update(&totals, statistics(1_150));
        assert_eq!(numbers.ratio[0], Some(1.0));
        numbers.update(&totals, statistics(1_150));
        assert_eq!(numbers.ratio[0], Some(1.0));
        assert_eq!(numbers.ratio[1], None);
        numbers.update(&totals, None);
        assert_eq!(numbers.kernel[0].bytes, 150);
    }

    #[test]
    fn loopback_is_compared_without_its_link_header() {
        let statistics = |rx_bytes| Some(Statistics { rx_bytes, ..Statistics::default() });
        let loopback = Watched { one_point: true, ..watched(1, "lo") };
        let mut numbers = InterfaceNumbers::new(loopback, statistics(0));
        let mut totals = InterfaceTotals::default();
        totals.passages[0].seen[0].skb_packets = 2;
        totals.passages[0].seen[0].skb_bytes = 2 * (60 + 14);
        numbers.update(&totals, statistics(120));
        assert_eq!(numbers.ratio[0], Some(1.0));
    }
}
