//! Why a packet is in no flow, and the totals per interface that these reasons are held against.

/// Why a packet is in no flow record; the number is its index in [`Passage::skipped`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Counter {
    /// ARP and RARP.
    Arp = 0,
    /// Any other frame that carries no IP packet (LLDP, spanning tree, PPP control, ...).
    NotIp = 1,
    /// The packet ends before its headers do.
    Truncated = 2,
    /// A header contradicts itself (wrong version, length below its minimum).
    Malformed = 3,
    /// No free slot in the flow table.
    TableFull = 4,
    /// The interface has no slot: the program saw it before or after the daemon watched it.
    UnknownInterface = 5,
}

impl Counter {
    /// Every reason, in the order of its number.
    pub const ALL: [Self; 6] =
        [Self::Arp, Self::NotIp, Self::Truncated, Self::Malformed, Self::TableFull, Self::UnknownInterface];

    /// The label value in metrics and the key in the summary line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arp => "arp",
            Self::NotIp => "not_ip",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::TableFull => "table_full",
            Self::UnknownInterface => "unknown_interface",
        }
    }
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Family {
    Ipv4 = 0,
    Ipv6 = 1,
    Other = 2,
}

impl Family {
    /// Every family, in the order of its number.
    pub const ALL: [Self; 3] = [Self::Ipv4, Self::Ipv6, Self::Other];

    /// The label value in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Other => "other",
        }
    }
}

/// Packets and frame bytes, as they cross the wire and as the kernel handed them over (one super-packet
/// of segmentation offload is one skb).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Tally {
    pub packets: u64,
    pub bytes: u64,
    pub skb_packets: u64,
    pub skb_bytes: u64,
}

/// All that passed one interface in one direction: `seen` by family, and of it what is in no flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Passage {
    pub seen: [Tally; Family::ALL.len()],
    pub skipped: [Tally; Counter::ALL.len()],
    /// Payload copies that found no room in the ring buffer.
    pub events_lost: u64,
    /// Payload copies that were left out to spare the processor.
    pub events_skipped: u64,
    /// Payload copies that were left out to leave room for other clients'.
    pub events_thinned: u64,
    /// Makes the size a multiple of 16, so that per-CPU values lie alike everywhere.
    pub reserved: u64,
}

/// The totals of one interface, one copy per CPU: ingress, egress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct InterfaceTotals {
    pub passages: [Passage; 2],
}

const _: () = assert!(size_of::<InterfaceTotals>() == 2 * (9 * 32 + 32));

impl Tally {
    /// Adds another's counts.
    #[inline(always)]
    pub const fn add(&mut self, other: &Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.skb_packets += other.skb_packets;
        self.skb_bytes += other.skb_bytes;
    }
}

impl Passage {
    /// Adds another's counts, as of the same interface on another CPU.
    pub fn add(&mut self, other: &Self) {
        for (into, from) in self.seen.iter_mut().zip(&other.seen) {
            into.add(from);
        }
        for (into, from) in self.skipped.iter_mut().zip(&other.skipped) {
            into.add(from);
        }
        self.events_lost += other.events_lost;
        self.events_skipped += other.events_skipped;
        self.events_thinned += other.events_thinned;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_indices() {
        for (index, counter) in Counter::ALL.into_iter().enumerate() {
            assert_eq!(counter as usize, index);
        }
        for (index, family) in Family::ALL.into_iter().enumerate() {
            assert_eq!(family as usize, index);
        }
    }
}
