//! What one endpoint of a flow sent, and what TCP said of its path.

use core::{hint::cold_path, mem::offset_of, sync::atomic::AtomicU64};

use super::{
    rtt::Rtt,
    tcp::{TcpHalf, TcpQuality},
};
use crate::shared::share;

/// Bytes of a cache line. Records begin with one: the values of an array map that can be mapped begin with a page.
pub(super) const CACHE_LINE: usize = 64;

share! {
    /// Counts of one direction that only one CPU writes, and the twin of each for all other CPUs.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Volume, shared SharedVolume {
        /// Packets as they cross the wire: a super-packet of n segments counts n.
        pub packets: u64,
        /// Packets as the kernel handed them over.
        pub skb_packets: u64,
        /// IP header and payload (IPFIX octetDeltaCount).
        pub ip_bytes: u64,
        /// With the link header, without FCS.
        pub frame_bytes: u64,
        /// Payload of the transport protocol.
        pub payload_bytes: u64,
    }
}

share! {
    /// What one endpoint sent.
    ///
    /// Of its sender a packet touches the first cache line, and if it is TCP and in order the second, which then is also all
    /// that it touches of its receiver: what a packet costs is for the most part how many lines it has to wait for.
    #[derive(Clone, Debug, Default)]
    pub struct Half, shared SharedHalf {
        /// Written without atomics by the CPU that `owner` names.
        pub owned: Volume,
        /// Last packet, ns of the packet's clock; 0: none yet.
        pub last: u64,
        /// Bit n: DSCP n was seen.
        pub dscp: u64,
        /// CPU number plus one; 0: nobody yet.
        pub owner: u16,
        /// Union of the TCP flags, NS included (9 bits).
        pub tcp_flags: u16,
        /// Packets marked Congestion Experienced (RFC 3168).
        pub ecn_ce: u32,
        pub tcp: TcpHalf,
        /// First packet, ns of the packet's clock.
        pub first: u64,
        /// What CPUs other than the owner counted.
        pub others: [u64; 5],
        pub quality: TcpQuality,
        /// Round trips from the observation point to this endpoint and back.
        pub rtt: Rtt,
    }
}

const _: () = assert!(offset_of!(Half, tcp) == CACHE_LINE && offset_of!(Half, first) == 2 * CACHE_LINE);

impl Half {
    /// Owner's and other CPUs' counts together.
    #[must_use]
    pub const fn volume(&self) -> Volume {
        let [packets, skb_packets, ip_bytes, frame_bytes, payload_bytes] = self.others;
        Volume {
            packets: self.owned.packets + packets,
            skb_packets: self.owned.skb_packets + skb_packets,
            ip_bytes: self.owned.ip_bytes + ip_bytes,
            frame_bytes: self.owned.frame_bytes + frame_bytes,
            payload_bytes: self.owned.payload_bytes + payload_bytes,
        }
    }
}

impl SharedHalf {
    /// Adds to the counters: plainly on the CPU that owns this half, atomically on any other.
    ///
    /// Programs on the TC and XDP hooks run with bottom halves off, so that on one CPU none interrupts
    /// another: plain additions there lose nothing. `add` adds atomically, without order.
    #[inline(always)]
    pub fn count(&self, cpu: u32, amount: &Volume, add: impl Fn(&AtomicU64, u64)) {
        // Linux has 8,192 CPUs at most (CONFIG_NR_CPUS).
        let this = cpu as u16 + 1;
        let mut owner = self.owner.get();
        if owner == 0 {
            self.owner.set(this);
            owner = this;
        }
        if owner == this {
            self.owned.packets.add(amount.packets);
            self.owned.skb_packets.add(amount.skb_packets);
            self.owned.ip_bytes.add(amount.ip_bytes);
            self.owned.frame_bytes.add(amount.frame_bytes);
            self.owned.payload_bytes.add(amount.payload_bytes);
        } else {
            cold_path();
            let [packets, skb_packets, ip_bytes, frame_bytes, payload_bytes] = &self.others;
            add(packets.atomic(), amount.packets);
            add(skb_packets.atomic(), amount.skb_packets);
            add(ip_bytes.atomic(), amount.ip_bytes);
            add(frame_bytes.atomic(), amount.frame_bytes);
            add(payload_bytes.atomic(), amount.payload_bytes);
        }
    }
}
