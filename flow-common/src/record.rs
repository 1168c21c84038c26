//! One flow's record: what both endpoints sent, and what TCP said about the path between them.
//!
//! Counters only grow, so that a reader may take differences without stopping the writers. A record lives
//! in a slot of a shared array; `life` says who owns the slot.

use core::{
    hint::cold_path,
    mem::offset_of,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::key::{FlowKey, Sender};

/// Bytes of a cache line. Records begin with one: the values of an array map that can be mapped begin with a page.
const LINE: usize = 64;

/// Slot states, in [`FlowRecord::life`].
pub mod life {
    /// Nobody's; in a run of free slots.
    pub const FREE: u32 = 0;
    /// Found through the index; programs write to it.
    pub const LIVE: u32 = 1;
    /// Its key now leads to a newer record; programs that found it earlier may still be writing.
    pub const DETACHED: u32 = 2;
}

/// Which rule named the client (DESIGN: SYN, then port rank, then first sender).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RoleBy {
    First = 0,
    Port = 1,
    Syn = 2,
}

/// Why a record ended, where the packet path ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ended {
    /// Still open, as far as packets tell.
    No = 0,
    /// Both sides sent FIN.
    Fin = 1,
    /// One side sent RST.
    Rst = 2,
    /// A packet came after the idle timeout and began a new record.
    Idle = 3,
}

/// Counts of one direction that only one CPU writes, and the twin of each for all other CPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Volume {
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

/// Round-trip samples, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Rtt {
    pub sum: u64,
    pub min: u64,
    pub max: u64,
    pub count: u32,
    /// Samples by upper bound [`Rtt::BOUNDS`], the last bucket unbounded.
    pub buckets: [u32; 12],
    pub reserved: u32,
}

impl Rtt {
    /// Upper bounds of the buckets in nanoseconds; the buckets of `flowd_tcp_rtt_seconds`.
    pub const BOUNDS: [u64; 11] = [
        500_000,
        1_000_000,
        2_000_000,
        5_000_000,
        10_000_000,
        25_000_000,
        50_000_000,
        100_000_000,
        250_000_000,
        500_000_000,
        1_000_000_000,
    ];
}

/// One side of a TCP connection as Zeek names its states; the order is of no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TcpEnd {
    Inactive = 0,
    SynSent = 1,
    SynAckSent = 2,
    Partial = 3,
    Established = 4,
    Closed = 5,
    Reset = 6,
}

/// A stretch of sequence space not yet seen: `start == end` where unused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Hole {
    pub start: u32,
    pub end: u32,
}

/// Stretches remembered per direction; more losses than these at once are told apart less well.
pub const HOLES: usize = 4;

/// What TCP tracking keeps of the segments that one endpoint sent, as far as every segment needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct TcpHalf {
    /// When `next_seq` last moved, ns.
    pub next_seq_time: u64,
    /// One past the highest sequence number sent.
    pub next_seq: u32,
    /// Last acknowledgement number sent.
    pub last_ack: u32,
    /// Window field of the last segment, not scaled.
    pub window: u16,
    /// A [`TcpEnd`].
    pub state: u8,
    /// Bits of [`seen`].
    pub seen: u8,
    /// Duplicate acknowledgements in a row, saturating.
    pub duplicates_in_row: u8,
    /// The [`crate::app::App`] that this side spoke last; 0: none that is looked for.
    pub app: u8,
    /// Bits of [`sniffing`].
    pub sniffing: u8,
    /// Peeks at this side's payload that found nothing known, saturating.
    pub misses: u8,
    /// Sequence number of the first byte of the message whose head is being copied.
    pub head_seq: u32,
    /// Bytes from `head_seq` on that are wanted; 0: none.
    pub head_window: u16,
    /// What [`crate::tcp::track`] found of the last segment.
    pub verdict: u8,
    /// Number of the last copy of payload, [`crate::event::PayloadEvent::number`].
    pub copies: u8,
    /// One past the last byte of the latest segment.
    pub latest_seq: u32,
    /// Its timestamp value.
    pub latest_tsval: u32,
    /// Probe for the round trip to the peer: one past the last byte of the timed segment.
    pub probe_seq: u32,
    /// Timestamp value of the timed segment.
    pub probe_tsval: u32,
    /// When the timed segment passed, ns; 0: no probe under way.
    pub probe_time: u64,
    /// When the segment that ends at `latest_seq`, the latest sent, passed, ns; 0: answered or ambiguous.
    pub latest_time: u64,
}

/// What TCP said of the path that one endpoint's segments took: nothing on most of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct TcpQuality {
    pub holes: [Hole; HOLES],
    /// Sequence space that covers what was already sent.
    pub retransmitted_bytes: u64,
    pub retransmits: u32,
    pub out_of_order: u32,
    pub duplicate_acks: u32,
    pub zero_windows: u32,
    pub syn_retransmits: u32,
    pub resets: u32,
}

/// Bits of [`TcpHalf::seen`].
pub mod seen {
    /// `next_seq` holds.
    pub const SEQ: u8 = 1;
    /// `last_ack` and `window` hold.
    pub const ACK: u8 = 2;
    /// Payload was sent.
    pub const DATA: u8 = 4;
    /// TCP timestamps are in use.
    pub const TIMESTAMPS: u8 = 8;
}

/// Bits of [`TcpHalf::sniffing`].
pub mod sniffing {
    /// The last segment with payload ended a write (PSH): the next one may begin a message.
    pub const PUSHED: u8 = 1;
    /// A FIN or RST of this side was reported.
    pub const END_TOLD: u8 = 2;
    /// This side has spoken what comes in messages: one may begin wherever a write ended.
    pub const MESSAGES: u8 = 4;
    /// This side has spoken what needs to know of the connection's end.
    pub const NEEDS_END: u8 = 8;
}

/// What one endpoint sent.
///
/// Of its sender a packet touches the first cache line, and if it is TCP and in order the second, which then is also all
/// that it touches of its receiver: what a packet costs is for the most part how many lines it has to wait for.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Half {
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
    pub shared: [AtomicU64; 5],
    pub quality: TcpQuality,
    /// Round trips from the observation point to this endpoint and back.
    pub rtt: Rtt,
}

const _: () = assert!(offset_of!(Half, tcp) == LINE && offset_of!(Half, first) == 2 * LINE);

impl Half {
    /// Adds to the counters: plainly on the CPU that owns this half, atomically on any other.
    ///
    /// Programs on the TC and XDP hooks run with bottom halves off, so that on one CPU none interrupts
    /// another: plain additions there lose nothing. `add` adds atomically, without order.
    #[inline(always)]
    pub fn count(&mut self, cpu: u32, amount: &Volume, add: impl Fn(&AtomicU64, u64)) {
        // Linux has 8,192 CPUs at most (CONFIG_NR_CPUS).
        let this = cpu as u16 + 1;
        if self.owner == 0 {
            self.owner = this;
        }
        if self.owner == this {
            self.owned.packets += amount.packets;
            self.owned.skb_packets += amount.skb_packets;
            self.owned.ip_bytes += amount.ip_bytes;
            self.owned.frame_bytes += amount.frame_bytes;
            self.owned.payload_bytes += amount.payload_bytes;
        } else {
            cold_path();
            add(&self.shared[0], amount.packets);
            add(&self.shared[1], amount.skb_packets);
            add(&self.shared[2], amount.ip_bytes);
            add(&self.shared[3], amount.frame_bytes);
            add(&self.shared[4], amount.payload_bytes);
        }
    }

    /// Owner's and other CPUs' counts together.
    #[must_use]
    pub fn volume(&self) -> Volume {
        let shared =
            |index: usize| self.shared.get(index).map_or(0, |counter| counter.load(Ordering::Relaxed));
        Volume {
            packets: self.owned.packets + shared(0),
            skb_packets: self.owned.skb_packets + shared(1),
            ip_bytes: self.owned.ip_bytes + shared(2),
            frame_bytes: self.owned.frame_bytes + shared(3),
            payload_bytes: self.owned.payload_bytes + shared(4),
        }
    }
}

/// One flow. Lines as in [`Half`]: a packet in order needs the first one alone of those before the halves.
#[derive(Debug)]
#[repr(C)]
pub struct FlowRecord {
    pub key: FlowKey,
    /// One of [`life`].
    pub life: u32,
    /// An [`Ended`].
    pub ended: u8,
    /// A [`Sender`]: the client.
    pub client: u8,
    /// A [`RoleBy`].
    pub role_by: u8,
    /// A [`Sender`] plus one: who sent TCP payload last; 0: nobody.
    pub last_talker: u8,
    /// Bit 2n+s: history letter n was noted for sender s.
    pub history_seen: u32,
    /// Letters used in `history`.
    pub history_len: u8,
    /// 1: the handshake's last segment is to come.
    pub awaits_ack: u8,
    /// 1: the ports are unknown, the first fragment was not seen.
    pub fragment: u8,
    /// The first [`crate::app::App`] that payload of either side showed; 0: none.
    pub app: u8,
    /// First packet, ns of the packet's clock.
    pub start: u64,
    /// Type and code of the first ICMP message.
    pub icmp_type: u8,
    pub icmp_code: u8,
    pub reserved2: u16,
    /// While the slot is free: how many slots lie between it and the next of its run, see [`crate::free`].
    pub skip: u32,
    /// Last SYN before the SYN-ACK, and the first SYN-ACK, ns; 0: not seen.
    pub syn_time: u64,
    pub syn_ack_time: u64,
    /// Handshake round trips, ns plus one; 0: not known.
    pub handshake_server_rtt: u64,
    pub handshake_client_rtt: u64,
    /// Zeek's history letters, in order; upper case: sent by the client.
    pub history: [u8; 16],
    /// What A and what B sent.
    pub halves: [Half; 2],
}

const _: () = assert!(size_of::<FlowRecord>() == 12 * LINE);
const _: () = assert!(offset_of!(FlowRecord, start) == LINE && offset_of!(FlowRecord, halves) == 2 * LINE);

impl FlowRecord {
    /// What `sender` sent.
    #[inline(always)]
    #[must_use]
    pub const fn half(&self, sender: Sender) -> &Half {
        match sender {
            Sender::A => &self.halves[0],
            Sender::B => &self.halves[1],
        }
    }

    /// What `sender` sent.
    #[inline(always)]
    #[allow(clippy::indexing_slicing, reason = "a sender is 0 or 1")]
    pub const fn half_mut(&mut self, sender: Sender) -> &mut Half {
        &mut self.halves[sender as usize]
    }

    /// The client's side of the key.
    #[inline(always)]
    #[must_use]
    pub const fn client(&self) -> Sender {
        if self.client == Sender::A as u8 { Sender::A } else { Sender::B }
    }
}

impl FlowRecord {
    /// When the last packet of either side passed, ns.
    #[inline(always)]
    #[must_use]
    pub const fn last(&self) -> u64 {
        let [a, b] = &self.halves;
        let last = if a.last > b.last { a.last } else { b.last };
        // Before its first packet is stamped, a record is as old as its start.
        if last > self.start { last } else { self.start }
    }

    /// The empty record of a new flow, not yet shown to the reader.
    #[inline(always)]
    #[must_use]
    pub fn new(key: &FlowKey, now: u64) -> Self {
        Self {
            key: *key,
            life: life::FREE,
            ended: Ended::No as u8,
            client: 0,
            role_by: 0,
            last_talker: 0,
            history_seen: 0,
            history_len: 0,
            awaits_ack: 0,
            fragment: 0,
            app: 0,
            start: now,
            icmp_type: 0,
            icmp_code: 0,
            reserved2: 0,
            skip: 0,
            syn_time: 0,
            syn_ack_time: 0,
            handshake_server_rtt: 0,
            handshake_client_rtt: 0,
            history: [0; 16],
            halves: [Half::default(), Half::default()],
        }
    }

    /// Makes this [`FlowRecord::new`].
    #[inline(always)]
    pub fn begin(&mut self, key: &FlowKey, now: u64) {
        *self = Self::new(key, now);
    }
}
