//! Names and capacities on which the BPF object and the daemon agree.

/// TC classifier for packets towards this host.
pub const PROGRAM_INGRESS: &str = "flow_ingress";
/// TC classifier for packets that leave this host.
pub const PROGRAM_EGRESS: &str = "flow_egress";

/// The same two with a look into tunnels.
pub const PROGRAM_INGRESS_TUNNELS: &str = "flow_ingress_tunnels";
/// See [`PROGRAM_INGRESS_TUNNELS`].
pub const PROGRAM_EGRESS_TUNNELS: &str = "flow_egress_tunnels";

/// XDP: ingress before there is a socket buffer. Frames of one buffer, and of several, each with and without a look
/// into tunnels.
pub const PROGRAM_XDP: &str = "flow_xdp";
/// See [`PROGRAM_XDP`].
pub const PROGRAM_XDP_TUNNELS: &str = "flow_xdp_tunnels";
/// See [`PROGRAM_XDP`].
pub const PROGRAM_XDP_FRAGS: &str = "flow_xdp_frags";
/// See [`PROGRAM_XDP`].
pub const PROGRAM_XDP_FRAGS_TUNNELS: &str = "flow_xdp_frags_tunnels";

/// [`PROGRAM_EMPTY`] for XDP.
pub const PROGRAM_XDP_EMPTY: &str = "flow_xdp_empty";
/// [`PROGRAM_VARY`] for XDP, with [`vary::NEXT`] and [`vary::ACKNOWLEDGE`] only.
pub const PROGRAM_XDP_VARY: &str = "flow_xdp_vary";
/// [`MAP_MEASURED`] for [`PROGRAM_XDP_VARY`].
pub const MAP_MEASURED_FRAMES: &str = "MEASURED_FRAMES";

/// Programs for measuring: one that does nothing, one that reads the headers alone, and one that makes each
/// repetition another packet before it goes on to the program in [`MAP_MEASURED`].
pub const PROGRAM_EMPTY: &str = "flow_empty";
/// See [`PROGRAM_EMPTY`].
pub const PROGRAM_PARSE_ONLY: &str = "flow_parse_only";
/// See [`PROGRAM_EMPTY`].
pub const PROGRAM_VARY: &str = "flow_vary";
/// Program array of one: what [`PROGRAM_VARY`] goes on to.
pub const MAP_MEASURED: &str = "MEASURED";

/// The plainest flow counter there can be, to measure others by.
pub const PROGRAM_PLAIN: &str = "flow_plain";

/// Work of the kinds that the programs do, without any of their code: tells how fast the machine is.
pub const PROGRAM_YARDSTICK: &str = "flow_yardstick";

/// How [`PROGRAM_VARY`] changes a packet from one repetition to the next.
pub mod vary {
    /// The sequence number moves on by the payload.
    pub const NEXT: u32 = 1;
    /// The acknowledgement number moves on.
    pub const ACKNOWLEDGE: u32 = 2;
    /// The other side answers (IPv4): addresses, ports and numbers swap.
    pub const TURN: u32 = 3;
    /// The low 20 bits of the word two before the ports change: the source address, where it is IPv4.
    pub const FLOW: u32 = 4;
    /// Another of 131,072 connections, in either direction (IPv4): the word of checksum and urgent pointer, which
    /// nobody reads, says which.
    pub const CONNECTION: u32 = 5;
}

/// Hash: flow key to slot in [`MAP_FLOWS`].
pub const MAP_INDEX: &str = "FLOW_INDEX";
/// Array of [`crate::hint::Hints`]: by a key's hash, where its flow was found last.
pub const MAP_HINTS: &str = "HINTS";
/// Array of flow records, mapped into the daemon's memory and read in place.
pub const MAP_FLOWS: &str = "FLOWS";
/// Stack of [`crate::free::Run`]: the daemon fills it, the programs take from it; low slots are used first.
pub const MAP_FREE: &str = "FREE_SLOTS";
/// Per-CPU array of one [`crate::free::Hand`].
pub const MAP_HAND: &str = "FREE_HAND";
/// LRU hash: fragmented datagram to the ports of its first fragment.
pub const MAP_FRAGMENTS: &str = "FRAGMENTS";
/// Array: interface index of the kernel to [`crate::settings::Interface`].
pub const MAP_INTERFACES: &str = "INTERFACES";
/// Per-CPU array: interface slot to [`crate::counter::InterfaceTotals`].
pub const MAP_TOTALS: &str = "TOTALS";
/// Array of [`crate::bins::Bins`], mapped into the daemon's memory: by CPU, then by interface slot from 1, then by
/// direction.
pub const MAP_BINS: &str = "BINS";
/// Ring buffer of [`crate::event::PayloadEvent`].
pub const MAP_EVENTS: &str = "EVENTS";
/// Array of [`crate::admission::Source`]: by a hash of the client's address.
pub const MAP_SOURCES: &str = "SOURCES";
/// Per-CPU array of one event with its payload, on its way into the ring.
pub const MAP_COPY: &str = "COPY";
/// Per-CPU array of one [`crate::workspace::Workspace`].
pub const MAP_WORKSPACE: &str = "WORKSPACE";
/// Read-only [`crate::settings::Settings`].
pub const GLOBAL_SETTINGS: &str = "SETTINGS";

/// Flows that fit into the table by default.
pub const DEFAULT_FLOWS: u32 = 262_144;
/// Interface indices of the kernel that can be watched; the kernel numbers them upwards from 1.
pub const MAX_IFINDEX: u32 = 65_536;
/// Interfaces watched at once by default.
pub const DEFAULT_INTERFACES: u32 = 256;
/// Fragmented datagrams remembered at once.
pub const MAX_FRAGMENTS: u32 = 4_096;
/// Bytes of the ring buffer by default: 8 MiB hold about 13,000 heads of 512 bytes, a quarter of a second at 25,000
/// requests a second. The reader looks every 100 ms, but on a busy CPU it is late.
pub const DEFAULT_EVENT_BYTES: u32 = 8 * 1024 * 1024;
