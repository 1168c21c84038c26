//! The whole story of one packet on one screen: read its headers, count it, find its flow, follow TCP,
//! copy what deserves it.

use core::{hint::cold_path, sync::atomic::AtomicU64};

use crate::{
    counter::{Counter, Family, Passage, Tally},
    dissect::{self, Headers, NO_TAG, Skip, Start, link::Link, tunnel},
    event::PayloadEvent,
    flows::Flows,
    key::{Address, Direction, FlowKey, TunnelKind},
    lane::Lane,
    packet::Packet,
    record::Volume,
    settings::{Settings, Thrift},
    shared::packed,
    wiretrue::{self, Frame, Offload},
};

/// Time of the packet at hand.
pub trait Clock {
    /// Nanoseconds; any origin, never backwards.
    fn now(&mut self) -> u64;
}

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
///
/// Steps that are taken at several places are methods, so that a BPF program can make functions of their own of
/// them, which the verifier walks once each, and which share the stack.
pub trait Env: Clock + Flows + Events + Fragments + Sized {
    /// One field of the settings.
    fn setting<T: Copy>(&self, field: impl Fn(&Settings) -> &T) -> T;
    /// Number of the CPU that runs this.
    fn cpu(&self) -> u32;
    /// Adds atomically, without order: BPF's own instruction, which Rust's atomics do not offer there.
    fn add(counter: &AtomicU64, amount: u64);
    /// Totals of the packet's interface and direction.
    fn totals(&mut self) -> Option<&mut Passage>;
    /// This CPU's lane of the packet's interface and direction, where one is kept.
    fn lane(&mut self) -> Option<&Lane>;

    /// [`step::read`].
    #[inline(always)]
    fn read<P: Packet>(&mut self, packet: &P, work: &mut Workspace) -> bool {
        step::read(packet, work)
    }

    /// [`step::innermost`].
    #[inline(always)]
    fn innermost<P: Packet>(&mut self, packet: &P, work: &mut Workspace) {
        step::innermost(packet, work);
    }

    /// [`step::account`].
    #[inline(always)]
    fn account<P: Packet>(&mut self, packet: &P, work: &mut Workspace) -> bool {
        step::account(packet, self, work)
    }

    /// [`step::enter`].
    #[inline(always)]
    fn enter<P: Packet>(&mut self, packet: &P, work: &mut Workspace) -> bool {
        step::enter(packet, self, work)
    }
}

/// How a packet came.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Slot of the interface.
    pub interface: u16,
    pub link: Link,
    pub hook: Direction,
    /// Both directions of a conversation pass this one hook (loopback, captures).
    pub one_point: bool,
    pub thrift: Thrift,
    /// VLAN id of a tag that the NIC or the kernel has moved out of the frame, or [`NO_TAG`].
    pub moved_tag: u16,
    pub offload: Offload,
}

impl Arrival {
    /// The hook, where the two directions of a conversation pass different ones.
    #[inline(always)]
    #[must_use]
    pub const fn crossing(&self) -> Option<Direction> {
        if self.one_point { None } else { Some(self.hook) }
    }
}

/// Bytes of a VLAN tag.
const TAG_LEN: u32 = 4;

/// What is known of the packet at hand. It is kept outside the stack, of which BPF programs have 512 bytes:
/// the caller lends the room for it, sets `arrival`, and finds nothing else of use in it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Workspace {
    pub arrival: Arrival,
    pub(crate) start: Start,
    /// A [`Counter`] and a [`Family`], as numbers: of an enum the compiler knows the range, and would leave
    /// out the comparison that the verifier needs.
    skip: (u32, u32),
    pub(crate) headers: Headers,
    inside: Headers,
    pub(crate) key: FlowKey,
    pub(crate) datagram: Datagram,
    pub(crate) volume: Volume,
    tally: Tally,
    pub(crate) now: u64,
    /// When the sender's packet before this one passed.
    pub(crate) own_last: u64,
    repeated: (u32, u32),
    pub(crate) tunnel_id: u32,
    pub(crate) depth: u8,
    pub(crate) tunnel: TunnelKind,
    pub(crate) sender: u8,
    /// Of the copy that is to be made: its length, kind and protocol.
    pub(crate) copied: u16,
    pub(crate) what: u16,
}

impl Workspace {
    /// Sets the reason for [`skipped`].
    #[inline(always)]
    pub const fn set_skip(&mut self, skip: Skip) {
        self.skip = (skip.counter as u32, skip.family as u32);
    }

    /// Goes to the start of the packet that `arrival` describes.
    #[inline(always)]
    pub const fn begin(&mut self) {
        self.start = Start { offset: 0, link: self.arrival.link, moved_tag: self.arrival.moved_tag };
        (self.tunnel, self.tunnel_id, self.depth) = (TunnelKind::None, 0, 0);
    }

    /// Those that [`step::read`] has read.
    #[inline(always)]
    #[must_use]
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Room for packets that arrive like this.
    #[must_use]
    pub const fn new(arrival: Arrival) -> Self {
        Self {
            arrival,
            start: Start { offset: 0, link: arrival.link, moved_tag: NO_TAG },
            skip: (0, 0),
            headers: Headers::NONE,
            inside: Headers::NONE,
            key: FlowKey::EMPTY,
            datagram: Datagram {
                source: [0; 2],
                destination: [0; 2],
                identification: 0,
                interface: 0,
                protocol: 0,
                depth: 0,
            },
            volume: Volume { packets: 0, skb_packets: 0, ip_bytes: 0, frame_bytes: 0, payload_bytes: 0 },
            tally: Tally { packets: 0, bytes: 0, skb_packets: 0, skb_bytes: 0 },
            now: 0,
            own_last: 0,
            repeated: (0, 0),
            tunnel_id: 0,
            depth: 0,
            tunnel: TunnelKind::None,
            sender: 0,
            copied: 0,
            what: 0,
        }
    }
}

/// Accounts for one packet; with `TUNNELS` also for those inside it, where the settings ask for that. Without, each
/// step has one place and stands there: a call costs 10 ns, as much as a look-up.
#[inline(always)]
pub fn on_packet<const TUNNELS: bool, P: Packet, E: Env>(packet: &P, env: &mut E, work: &mut Workspace) {
    work.begin();
    let read = if TUNNELS { env.read(packet, work) } else { step::read(packet, work) };
    if !read {
        cold_path();
        return skipped(packet, env, work);
    }
    // 0 means "never" in records.
    work.now = env.now().max(1);
    let tag_len = if work.arrival.moved_tag == NO_TAG { 0 } else { TAG_LEN };
    measure(packet, env, work, &Frame { start: 0, len: packet.len(), tag_len });
    let counted = if TUNNELS { env.account(packet, work) } else { step::account(packet, env, work) };
    // Down here, as the verifier walks all that follows once for each way through this.
    if let Some(lane) = env.lane() {
        lane.add(work.now, work.tally.bytes);
    }
    if let Some(totals) = env.totals() {
        let [ipv4, ipv6, _] = &mut totals.seen;
        let seen = if matches!(work.headers.family, Family::Ipv6) { ipv6 } else { ipv4 };
        seen.add(&work.tally);
        if !counted && let Some(full) = totals.skipped.get_mut(Counter::TableFull as usize) {
            full.add(&work.tally);
        }
    }
    // Three tunnels deep, written out: the verifier sees no end to a loop whose state it does not know.
    if TUNNELS && inside(packet, env, work) && inside(packet, env, work) {
        inside(packet, env, work);
    }
}

/// Accounts for the packet inside the one at hand; false where there is none.
#[inline(always)]
fn inside<P: Packet, E: Env>(packet: &P, env: &mut E, work: &mut Workspace) -> bool {
    if !env.enter(packet, work) || !env.read(packet, work) {
        return false;
    }
    let start = work.start.offset;
    let len = work.headers.end().saturating_sub(start);
    measure(packet, env, work, &Frame { start, len, tag_len: 0 });
    env.account(packet, work);
    true
}

/// Measures the packet whose headers were read.
#[inline(always)]
fn measure<P: Packet, E: Env>(packet: &P, env: &mut E, work: &mut Workspace, frame: &Frame) {
    work.repeated = work.headers.payload();
    if work.arrival.offload.is_super() {
        cold_path();
        env.innermost(packet, work);
    }
    (work.volume, work.tally) = wiretrue::measure(&work.headers, work.repeated, work.arrival.offload, frame);
}

/// The steps of [`on_packet`], as the default methods of [`Env`] call them.
pub mod step {
    use super::{Env, Packet, Workspace, dissect, tunnel};
    pub use crate::account::account;

    /// Reads the headers that begin at `work.start`; false, with the reason in `work`, where there are none.
    #[inline(always)]
    pub fn read<P: Packet>(packet: &P, work: &mut Workspace) -> bool {
        let read = dissect::dissect(packet, &work.start, &mut work.headers);
        if let Err(skip) = read {
            work.set_skip(skip);
        }
        read.is_ok()
    }

    /// Finds the payload of the innermost packet: what stands before it is what offload repeats.
    #[inline(always)]
    pub fn innermost<P: Packet>(packet: &P, work: &mut Workspace) {
        if let Some(inner) = tunnel::inner(packet, &work.headers)
            && dissect::dissect(packet, &inner.start, &mut work.inside).is_ok()
        {
            work.repeated = work.inside.payload();
        }
    }

    /// Goes on to the packet inside this one; false where there is none, or nobody wants it.
    #[inline(always)]
    pub fn enter<P: Packet, E: Env>(packet: &P, env: &E, work: &mut Workspace) -> bool {
        let Some(inner) = tunnel::inner(packet, &work.headers) else { return false };
        work.start = inner.start;
        (work.tunnel, work.tunnel_id) = (inner.kind, inner.id);
        work.depth += 1;
        env.setting(|settings| &settings.decapsulate) & inner.kind.bit() != 0
    }
}

/// Counts a packet that is in no flow, under the reason in `work.skip`.
#[inline(always)]
pub fn skipped<P: Packet, E: Env>(packet: &P, env: &mut E, work: &Workspace) {
    let tag_len = if work.arrival.moved_tag == NO_TAG { 0 } else { TAG_LEN };
    // Without headers, what the segments repeat is not known: their number is all that can be said.
    let packets = work.arrival.offload.wire_packets(packet.len());
    let tally = Tally {
        packets,
        bytes: u64::from(packet.len()) + packets * u64::from(tag_len),
        skb_packets: 1,
        skb_bytes: u64::from(packet.len()),
    };
    // Its time is of no other use.
    let now = if env.setting(|settings| &settings.windows) == 0 { 0 } else { env.now() };
    if let Some(lane) = env.lane() {
        lane.add(now, tally.bytes);
    }
    let Some(totals) = env.totals() else { return };
    if let Some(seen) = totals.seen.get_mut(work.skip.1 as usize) {
        seen.add(&tally);
    }
    if let Some(reason) = totals.skipped.get_mut(work.skip.0 as usize) {
        reason.add(&tally);
    }
}
