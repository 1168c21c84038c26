//! What the daemon tells the packet path: once for all interfaces, and per interface.

use crate::{
    app::{App, Apps},
    shared::packed,
};

/// No link-layer header (tun, wireguard, ppp).
pub const LINK_RAW: u8 = 1;
/// Ethernet.
pub const LINK_ETHERNET: u8 = 0;

/// A watched interface, found by its index in the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Interface {
    /// Slot in keys and totals, counted from 1; 0 says that the interface is not watched.
    pub slot: u16,
    /// [`LINK_ETHERNET`] or [`LINK_RAW`].
    pub link: u8,
    /// 1 where both directions of a conversation are seen at one hook: loopback and captures.
    pub one_point: u8,
    pub omissions: Omissions,
    /// Keeps the size a multiple of 8.
    pub reserved: u16,
}

packed! { Interface }

/// What is left out for a while, to spare the processor. Never a count of bytes, packets, flows or retransmits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Omissions {
    /// 1: copies of payload are counted instead of made.
    pub no_copies: u8,
    /// Of so many TCP segments and one, one is timed; 0 times all. A power of two less one. Handshakes always are.
    pub untimed: u8,
}

impl Omissions {
    /// Nothing is left out.
    pub const NONE: Self = Self { no_copies: 0, untimed: 0 };
}

/// Constants of one load of the BPF object; times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Settings {
    pub idle_tcp_established: u64,
    pub idle_tcp_half_open: u64,
    pub idle_tcp_closed: u64,
    pub idle_udp: u64,
    pub idle_icmp: u64,
    pub idle_other: u64,
    /// Whose payload is looked for and copied.
    pub copies: Apps,
    /// Bytes of an HTTP head that are copied, at most [`crate::event::MAX_PAYLOAD`].
    pub head_bytes: u32,
    /// Bits of [`crate::key::TunnelKind::bit`] whose inner packets are flows of their own.
    pub decapsulate: u32,
    /// 1: the time of a packet is the skb's (replays of captures); 0: the kernel's monotonic clock.
    pub packet_time: u32,
    /// Interface slots, from 1, whose bytes are kept by the millisecond; 0 for none.
    pub windows: u32,
    /// One less than the buckets of [`crate::hint`], which the loader works out.
    pub hints: u32,
    /// 1: conversations are told apart without their VLAN ids, which records then leave out.
    pub ignore_vlan: u32,
    /// 1: busy CPUs reuse readings of the clock, as [`crate::clock`] says; 0: each packet has its own.
    pub reuse_time: u32,
    /// An eighth of the ring of payload copies in bytes, as a power of two, which the loader works out.
    pub ring_eighth: u32,
}

const _: () = assert!(size_of::<Settings>() == 88);

const SECOND: u64 = 1_000_000_000;

impl Settings {
    /// The defaults of the configuration.
    pub const DEFAULT: Self = Self {
        idle_tcp_established: 300 * SECOND,
        idle_tcp_half_open: 30 * SECOND,
        idle_tcp_closed: 5 * SECOND,
        idle_udp: 60 * SECOND,
        idle_icmp: 10 * SECOND,
        idle_other: 30 * SECOND,
        copies: Apps::of(&[App::Http]),
        head_bytes: 512,
        decapsulate: 0,
        packet_time: 0,
        windows: 0,
        hints: 0,
        ignore_vlan: 0,
        reuse_time: 0,
        ring_eighth: 31,
    };
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
