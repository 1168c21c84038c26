//! What the packet path asks of its surroundings: the kernel's maps and helpers, or this process's own memory.

use core::sync::atomic::AtomicU64;

use crate::{
    admission::Source, bins::Bins, clock::Clock, counter::Passage, event::PayloadEvent, flows::Flows,
    key::Address, packet::Packet, settings::Settings, shared::packed,
};

/// Where copies of payload go.
pub trait Events {
    /// Copies `len` bytes at `offset` behind an event; counts the loss where there is no room.
    fn copy<P: Packet>(&mut self, packet: &P, offset: u32, len: u16, event: impl FnOnce() -> PayloadEvent);
}

/// Names a fragmented datagram (RFC 791 section 3.2, RFC 8200 section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Datagram {
    pub source: Address,
    pub destination: Address,
    pub identification: u32,
    pub interface: u16,
    /// IPv4 only: IPv6 names a datagram without it, and its later fragments may show another.
    pub protocol: u8,
    /// Distinguishes datagrams inside tunnels.
    pub depth: u8,
}

/// What the first fragment knows and the others need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct FirstFragment {
    pub source_port: u16,
    pub destination_port: u16,
    pub protocol: u32,
}

packed! { FirstFragment }

/// Memory for first fragments; may forget.
pub trait Fragments {
    fn remember(&mut self, datagram: &Datagram, first: &FirstFragment);
    fn recall(&mut self, datagram: &Datagram) -> Option<FirstFragment>;
}

/// Everything outside the packet.
pub trait Env: Flows + Events + Fragments + Sized {
    /// See [`Env::clock`].
    type Clock: Clock;
    /// Tells the time of the packet at hand.
    fn clock(&self) -> Self::Clock;
    /// One field of the settings.
    fn setting<T: Copy>(&self, field: impl Fn(&Settings) -> &T) -> T;
    /// Number of the CPU that runs this.
    fn cpu(&self) -> u32;
    /// Adds atomically, without order: BPF's own instruction, which Rust's atomics do not offer there.
    fn add(counter: &AtomicU64, amount: u64);
    /// Totals of the packet's interface and direction.
    fn totals(&mut self) -> Option<&mut Passage>;
    /// Eighths of the room for payload copies that wait for their reader.
    fn waiting(&self) -> u32;
    /// The place of a client in the table of those that had copies; without one, all copies are made.
    fn source(&self, client: u32) -> Option<&Source>;
    /// This CPU's bins of the packet's interface and direction, where some are kept.
    fn bins(&mut self) -> Option<&Bins>;
}
