//! Totals of a watched interface, held against the kernel's own.

mod accounting;
mod capacity;

use std::sync::Arc;

use flow_common::{
    counter::{InterfaceTotals, Passage, Tally},
    key::Direction,
};

use self::accounting::Accounting;
pub use self::capacity::{Capacity, CapacityNumbers, CapacityOptions, Passed, WINDOWS};
use crate::{flow::EndReason, interfaces::Statistics};

/// Bytes that loopback's frames have before their packet.
const ETHERNET_HEADER: u64 = 14;

/// An interface that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// The kernel's counters of a device, read between two readings of flowd's own.
#[derive(Clone, Copy, Debug)]
pub struct KernelReading {
    pub statistics: Statistics,
    /// flowd's totals behind it.
    pub after: InterfaceTotals,
}

/// Whether packets of an interface are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    #[default]
    Watched,
    /// Not any more: its counters do not change.
    Gone,
    /// For so long that nobody is shown its numbers. Should it come back, they go on.
    Hidden,
}

/// What is known of one watched interface.
#[derive(Clone, Debug)]
pub struct InterfaceNumbers {
    pub watched: Watched,
    pub presence: Presence,
    pub totals: InterfaceTotals,
    /// The kernel's counters since the daemon attached: ingress, egress.
    pub kernel: [Counted; 2],
    /// Flows that live now.
    pub active: u64,
    /// Flows that ended, by [`EndReason`].
    pub ended: [u64; EndReason::ALL.len()],
    /// Packets and bytes of frames that are in flows: ingress, egress. Those inside tunnels are not beside those
    /// around them.
    pub in_flows: [Counted; 2],
    /// Readings that found more in flows and named reasons than had passed.
    pub defects: [u64; 2],
    /// Peaks, bursts and samples, where they are kept.
    pub capacity: Option<[CapacityNumbers; 2]>,
    last: Option<Statistics>,
    accounting: [Accounting; 2],
}

impl InterfaceNumbers {
    /// Zeros for an interface that is being attached; `first` is what the kernel counted before.
    #[must_use]
    pub fn new(watched: Watched, first: Option<Statistics>) -> Self {
        Self {
            watched,
            presence: Presence::Watched,
            totals: InterfaceTotals::default(),
            kernel: [Counted::default(); 2],
            active: 0,
            ended: [0; EndReason::ALL.len()],
            in_flows: [Counted::default(); 2],
            defects: [0; 2],
            capacity: None,
            last: first,
            accounting: [Accounting::default(); 2],
        }
    }

    /// It is watched again, perhaps as another device: everything goes on from where it stood.
    pub fn resume(&mut self, watched: Watched, first: Option<Statistics>) {
        (self.watched, self.last, self.presence) = (watched, first, Presence::Watched);
    }

    /// It is not watched any more. `totals` are its last; `kernel` is `None` where the interface has gone, and the
    /// kernel's last numbers with it.
    pub fn pause(&mut self, totals: &InterfaceTotals, kernel: Option<Statistics>) {
        self.update(totals, kernel.map(|statistics| KernelReading { statistics, after: *totals }));
        self.presence = Presence::Gone;
        self.last = None;
        self.accounting =
            [Direction::Ingress, Direction::Egress].map(|way| Accounting::at(self.bytes(totals, way)));
    }

    /// Takes over both counts of the same moment; `kernel` is `None` where the interface has gone.
    pub fn update(&mut self, totals: &InterfaceTotals, kernel: Option<KernelReading>) {
        if let Some(KernelReading { statistics: now, after }) = kernel {
            if let Some(last) = self.last {
                let added = [
                    (since(last.rx_bytes, now.rx_bytes), since(last.rx_packets, now.rx_packets)),
                    (since(last.tx_bytes, now.tx_bytes), since(last.tx_packets, now.tx_packets)),
                ];
                for (direction, (bytes, packets)) in
                    [Direction::Ingress, Direction::Egress].into_iter().zip(added)
                {
                    let ours = [totals, &after].map(|totals| self.bytes(totals, direction));
                    if let Some(accounting) = self.accounting.get_mut(direction as usize) {
                        accounting.compare(ours[0], ours[1], bytes);
                    }
                    if let Some(counted) = self.kernel.get_mut(direction as usize) {
                        counted.bytes += bytes;
                        counted.packets += packets;
                    }
                }
            }
            self.last = Some(now);
        }
        self.totals = *totals;
        for direction in self.watched.directions() {
            let [passed, known] = self.account(*direction);
            let holds = known.packets <= passed.packets && known.bytes <= passed.bytes;
            debug_assert!(holds, "{direction:?}: {known:?} in flows and reasons, {passed:?} passed");
            if let Some(defects) = self.defects.get_mut(*direction as usize)
                && !holds
            {
                *defects += 1;
            }
        }
    }

    /// What passed while the flow table was being read: in the totals and not yet in flows.
    #[must_use]
    pub fn unread(&self, direction: Direction) -> Counted {
        let [passed, known] = self.account(direction);
        Counted {
            bytes: passed.bytes.saturating_sub(known.bytes),
            packets: passed.packets.saturating_sub(known.packets),
        }
    }

    /// What has passed, and what of it is in flows or has a reason not to be.
    fn account(&self, direction: Direction) -> [Counted; 2] {
        let passage = passage(&self.totals, direction);
        let sum = |tallies: &[Tally]| Counted {
            bytes: tallies.iter().map(|tally| tally.bytes).sum(),
            packets: tallies.iter().map(|tally| tally.packets).sum(),
        };
        let mut known = sum(&passage.skipped);
        if let Some(flows) = self.in_flows.get(direction as usize) {
            known.bytes += flows.bytes;
            known.packets += flows.packets;
        }
        [sum(&passage.seen), known]
    }

    /// flowd's bytes over the kernel's: ingress, egress; `None` where nothing has passed yet.
    #[must_use]
    pub fn ratios(&self) -> [Option<f64>; 2] {
        self.accounting.map(|accounting| accounting.ratio())
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

/// What a counter of the kernel went on by. One that is lower than before came round, where the driver's has 32
/// bits and it was in the last quarter of them; else the device was made anew and counts from 0.
const fn since(last: u64, now: u64) -> u64 {
    const ROUND: u64 = 1 << 32;
    if now >= last {
        now - last
    } else if last < ROUND && last > ROUND / 4 * 3 && now < ROUND / 4 {
        now + ROUND - last
    } else {
        now
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

    fn kernel(rx_bytes: u64, after: &InterfaceTotals) -> Option<KernelReading> {
        let statistics = Statistics { rx_bytes, ..Statistics::default() };
        Some(KernelReading { statistics, after: *after })
    }

    #[test]
    fn a_reading_is_held_against_the_kernels() {
        let first = Statistics { rx_bytes: 1_000, ..Statistics::default() };
        let mut numbers = InterfaceNumbers::new(watched(1, "eth0"), Some(first));
        let mut totals = InterfaceTotals::default();
        totals.passages[0].seen[0].skb_bytes = 90;
        numbers.update(&totals, kernel(1_100, &totals));
        assert_eq!((numbers.kernel[0].bytes, numbers.ratios()), (100, [Some(0.9), None]));
        let mut after = totals;
        after.passages[0].seen[1].skb_bytes = 60;
        numbers.update(&totals, kernel(1_150, &after));
        assert_eq!(numbers.ratios()[0], Some(1.0), "50 of the 60 that came while both were read");
        numbers.update(&after, None);
        assert_eq!(numbers.kernel[0].bytes, 150);
        numbers.pause(&after, None);
        numbers.resume(watched(1, "eth0"), Some(first));
        assert_eq!(numbers.ratios(), [None; 2]);
        totals.passages[0].seen[1].skb_bytes = 160;
        numbers.update(&totals, kernel(1_100, &totals));
        assert_eq!(numbers.ratios()[0], Some(1.0));
    }

    #[test]
    fn kernel_counters_that_begin_anew_go_on() {
        assert_eq!(since(5, 7), 2);
        assert_eq!(since(1 << 40, 7), 7);
        assert_eq!(since(1_000, 7), 7);
        assert_eq!(since(u64::from(u32::MAX), 7), 8);
        let first = Statistics { rx_bytes: 1_000, ..Statistics::default() };
        let mut numbers = InterfaceNumbers::new(watched(1, "eth0"), Some(first));
        let totals = InterfaceTotals::default();
        for now in [1_500, 200, 250] {
            numbers.update(&totals, kernel(now, &totals));
        }
        assert_eq!(numbers.kernel[0].bytes, 500 + 200 + 50);
    }

    #[test]
    fn unread_is_what_totals_are_ahead() {
        let mut numbers = InterfaceNumbers::new(watched(1, "eth0"), None);
        let mut totals = InterfaceTotals::default();
        totals.passages[1].seen[0] = Tally { packets: 10, bytes: 1_000, ..Tally::default() };
        totals.passages[1].seen[2] = Tally { packets: 1, bytes: 60, ..Tally::default() };
        totals.passages[1].skipped[0] = Tally { packets: 1, bytes: 60, ..Tally::default() };
        numbers.in_flows[1] = Counted { packets: 7, bytes: 800 };
        numbers.update(&totals, None);
        assert_eq!(numbers.unread(Direction::Egress), Counted { packets: 3, bytes: 200 });
        assert_eq!(numbers.unread(Direction::Ingress), Counted::default());
        assert_eq!(numbers.defects, [0; 2]);
    }

    #[test]
    #[should_panic(expected = "in flows and reasons")]
    fn more_in_flows_than_passed_is_a_defect() {
        let mut numbers = InterfaceNumbers::new(watched(1, "eth0"), None);
        numbers.in_flows[0] = Counted { packets: 1, bytes: 60 };
        numbers.update(&InterfaceTotals::default(), None);
    }

    #[test]
    fn loopback_is_compared_without_its_link_header() {
        let loopback = Watched { one_point: true, ..watched(1, "lo") };
        let mut numbers = InterfaceNumbers::new(loopback, Some(Statistics::default()));
        let mut totals = InterfaceTotals::default();
        totals.passages[0].seen[0].skb_packets = 2;
        totals.passages[0].seen[0].skb_bytes = 2 * (60 + 14);
        numbers.update(&totals, kernel(120, &totals));
        assert_eq!(numbers.ratios()[0], Some(1.0));
    }
}
