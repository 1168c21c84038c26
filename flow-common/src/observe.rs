//! The whole story of one packet on one screen: read its headers, count it, find its flow, follow TCP,
//! copy what deserves it.

use core::sync::atomic::AtomicU64;

use crate::{
    counter::{Counter, Family, Passage, Tally},
    dissect::{self, Fragment, Headers, Skip, Start, link::Link, transport::Transport, tunnel},
    event::{PayloadEvent, PayloadKind},
    flows::{self, Flows},
    key::{Address, Direction, FlowKey, Scope, Sender, TunnelKind},
    packet::Packet,
    record::{Ended, FlowRecord, Half, RoleBy, TcpEnd, Volume},
    role,
    settings::Settings,
    sniff,
    tcp,
    wire::tcp::flag,
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
#[repr(C)]
pub struct FirstFragment {
    pub source_port: u16,
    pub destination_port: u16,
    pub protocol: u32,
}

/// Memory for first fragments; may forget.
pub trait Fragments {
    fn remember(&mut self, datagram: &Datagram, first: &FirstFragment);
    fn recall(&mut self, datagram: &Datagram) -> Option<FirstFragment>;
}

/// Everything outside the packet.
pub trait Env: Clock + Flows + Events + Fragments {
    /// Tunnels in tunnels that are looked into; 0 leaves the code for it out.
    const DEPTH: u8;
    /// One field of the settings.
    fn setting<T: Copy>(&self, field: impl Fn(&Settings) -> &T) -> T;
    /// Number of the CPU that runs this.
    fn cpu(&self) -> u32;
    /// Adds atomically, without order: BPF's own instruction, which Rust's atomics do not offer there.
    fn add(counter: &AtomicU64, amount: u64);
    /// Totals of the packet's interface and direction.
    fn totals(&mut self) -> Option<&mut Passage>;
}

/// How a packet came.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Slot of the interface.
    pub interface: u16,
    pub link: Link,
    /// The hook; `None` where both directions of a conversation pass one (loopback, captures).
    pub crossing: Option<Direction>,
    /// VLAN id of a tag that the NIC or the kernel has moved out of the frame.
    pub moved_tag: Option<u16>,
    pub offload: Offload,
}

/// Tunnels in tunnels that are looked into, where they are at all.
pub const MAX_DEPTH: u8 = 3;

/// Bytes of a VLAN tag.
const TAG_LEN: u32 = 4;

/// What is known of the packet at hand. It is kept outside the stack, of which BPF programs have 512 bytes:
/// the caller lends the room for it, and finds nothing of use in it afterwards.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Workspace {
    start: Start,
    headers: Headers,
    key: FlowKey,
    datagram: Datagram,
    volume: Volume,
    tally: Tally,
    now: u64,
    tunnel_id: u32,
    depth: u8,
    tunnel: TunnelKind,
}

/// Accounts for one packet, and for those inside it where the settings ask for that.
#[inline(always)]
pub fn on_packet<P: Packet, E: Env>(packet: &P, arrival: &Arrival, env: &mut E, work: &mut Workspace) {
    let tag_len = if arrival.moved_tag.is_some() { TAG_LEN } else { 0 };
    work.start = Start { offset: 0, link: arrival.link, moved_tag: arrival.moved_tag };
    (work.tunnel, work.tunnel_id, work.depth) = (TunnelKind::None, 0, 0);
    // The depth that decides stands in memory: the compiler would otherwise write the loop out twice.
    for _ in 0..=E::DEPTH {
        let read = if E::DEPTH == 0 { read_headers(packet, work) } else { read_headers_apart(packet, work) };
        if let Err(skip) = read {
            if work.depth == 0 {
                skipped(packet, arrival, env, skip.counter, skip.family);
            }
            return;
        }
        let headers = &work.headers;
        let repeated = if arrival.offload.is_super() { innermost(packet, headers) } else { headers.payload() };
        let mut frame = Frame { start: 0, len: packet.len(), tag_len };
        if work.depth == 0 {
            work.now = env.now();
        } else {
            let start = work.start.offset;
            frame = Frame { start, len: headers.end().saturating_sub(start), tag_len: 0 };
        }
        (work.volume, work.tally) = wiretrue::measure(headers, repeated, arrival.offload, &frame);
        let counted = if E::DEPTH == 0 {
            account(packet, arrival, env, work)
        } else {
            account_apart(packet, arrival, env, work)
        };
        if work.depth == 0
            && let Some(totals) = env.totals()
        {
            add(&mut totals.seen[work.headers.family as usize & 1], &work.tally);
            if !counted {
                add(&mut totals.skipped[Counter::TableFull as usize], &work.tally);
            }
        }
        if E::DEPTH == 0 {
            return;
        }
        let Some(inner) = tunnel::inner(packet, &work.headers) else { return };
        if env.setting(|settings| &settings.decapsulate) & inner.kind.bit() == 0 {
            return;
        }
        work.start = inner.start;
        (work.tunnel, work.tunnel_id) = (inner.kind, inner.id);
        work.depth += 1;
    }
}

#[inline(always)]
fn read_headers<P: Packet>(packet: &P, work: &mut Workspace) -> Result<(), Skip> {
    work.headers = dissect::dissect(packet, &work.start)?;
    Ok(())
}

/// A call of its own: inside the loop over tunnels, everything in one function would not fit the stack.
#[inline(never)]
fn read_headers_apart<P: Packet>(packet: &P, work: &mut Workspace) -> Result<(), Skip> {
    read_headers(packet, work)
}

/// See [`read_headers_apart`].
#[inline(never)]
fn account_apart<P: Packet, E: Env>(packet: &P, arrival: &Arrival, env: &mut E, work: &mut Workspace) -> bool {
    account(packet, arrival, env, work)
}

/// Where the payload of the innermost packet begins and how long it is: what stands before it is what
/// segmentation offload repeats. Not inlined, as super-packets can bear a call.
#[inline(never)]
fn innermost<P: Packet>(packet: &P, outer: &Headers) -> (u32, u32) {
    let Some(inner) = tunnel::inner(packet, outer) else { return outer.payload() };
    let Ok(headers) = dissect::dissect(packet, &inner.start) else { return outer.payload() };
    headers.payload()
}

/// Counts a packet that is in no flow, under its reason.
#[inline(always)]
pub fn skipped<P: Packet, E: Env>(packet: &P, arrival: &Arrival, env: &mut E, counter: Counter, family: Family) {
    let tag_len = if arrival.moved_tag.is_some() { TAG_LEN } else { 0 };
    // Without headers, what the segments repeat is not known: their number is all that can be said.
    let packets = arrival.offload.wire_packets(packet.len());
    let tally = Tally {
        packets,
        bytes: u64::from(packet.len()) + packets * u64::from(tag_len),
        skb_packets: 1,
        skb_bytes: u64::from(packet.len()),
    };
    let Some(totals) = env.totals() else { return };
    if let Some(seen) = totals.seen.get_mut(family as usize) {
        add(seen, &tally);
    }
    if let Some(reason) = totals.skipped.get_mut(counter as usize) {
        add(reason, &tally);
    }
}

#[inline(always)]
fn add(total: &mut Tally, tally: &Tally) {
    total.packets += tally.packets;
    total.bytes += tally.bytes;
    total.skb_packets += tally.skb_packets;
    total.skb_bytes += tally.skb_bytes;
}

/// Puts one packet into its flow; false when the table is full.
#[inline(always)]
fn account<P: Packet, E: Env>(packet: &P, arrival: &Arrival, env: &mut E, work: &mut Workspace) -> bool {
    let headers = &work.headers;
    let now = work.now;
    let scope = Scope {
        interface: arrival.interface,
        vlans: headers.vlans,
        protocol: headers.protocol,
        ipv6: matches!(headers.family, Family::Ipv6),
        tunnel: work.tunnel,
        tunnel_id: work.tunnel_id,
    };
    let mut sender = work.key.set(&headers.source, &headers.destination, &scope, arrival.crossing);
    let joined = match headers.fragment {
        Fragment::Whole => Some(sender),
        Fragment::First { identification } => join_fragments(env, work, sender, identification, false),
        Fragment::Later { identification } => join_fragments(env, work, sender, identification, true),
    };
    sender = joined.unwrap_or(sender);
    let (headers, key) = (&work.headers, &work.key);
    let cpu = env.cpu();
    let head_bytes = env.setting(|settings| &settings.head_bytes);
    let Some(found) = flows::update(env, key, now, |env, record| over(env, record, headers, now)) else {
        return false;
    };
    let (slot, record) = (found.slot, found.record);
    if found.fresh {
        let (client, role_by) = role::of_first(headers, sender);
        record.client = client as u8;
        record.role_by = role_by as u8;
        record.fragment = u8::from(joined.is_none());
    }
    stamp(record.half_mut(sender), headers, now);
    record.half_mut(sender).count(cpu, &work.volume, E::add);
    let find = match &headers.transport {
        Transport::Tcp(segment) => {
            record.half_mut(sender).tcp_flags |= segment.flags;
            if role::proves_client(segment.flags, record.role_by) {
                record.client = sender as u8;
                record.role_by = RoleBy::Syn as u8;
            }
            let order = tcp::track(record, sender, segment, headers.payload_len, now);
            let payload = (headers.payload_offset, headers.payload_len);
            if head_bytes == 0 {
                None
            } else {
                sniff::sniff(packet, record, sender, segment, order, payload, head_bytes)
                    .map(|find| (find, segment))
            }
        }
        Transport::Icmp { kind, code, .. } => {
            if record.half(sender).owned.skb_packets == 1 {
                record.icmp_type[sender as usize & 1] = *kind;
                record.icmp_code[sender as usize & 1] = *code;
            }
            None
        }
        Transport::Other => None,
    };
    if let Some((find, segment)) = find {
        let copied = if matches!(find.kind, PayloadKind::End) { 0 } else { find.len as u16 };
        env.copy(packet, headers.payload_offset, copied, || PayloadEvent {
            key: *key,
            time: now,
            slot,
            seq: segment.payload_sequence(),
            payload_len: headers.payload_len,
            copied,
            kind: find.kind as u8,
            sender: sender as u8,
            ack: segment.acknowledgement,
            tcp_flags: segment.flags,
            reserved: 0,
        });
    }
    true
}

/// Gives a later fragment's key the ports of its first, and keeps those of a first one. Says who sent it, or
/// `None` where the first fragment was not seen.
#[inline(always)]
fn join_fragments<E: Env>(
    env: &mut E,
    work: &mut Workspace,
    sender: Sender,
    identification: u32,
    later: bool,
) -> Option<Sender> {
    let key = &mut work.key;
    let (source, destination) = match sender {
        Sender::A => (key.a_address, key.b_address),
        Sender::B => (key.b_address, key.a_address),
    };
    let protocol = if key.is_ipv6() { 0 } else { key.protocol() };
    work.datagram =
        Datagram { source, destination, identification, interface: key.interface(), protocol, depth: work.depth };
    if later {
        let first = env.recall(&work.datagram)?;
        return Some(key.set_ports(sender, first.source_port, first.destination_port, first.protocol as u8));
    }
    let first = FirstFragment {
        source_port: key.port(sender),
        destination_port: key.port(sender.other()),
        protocol: u32::from(key.protocol()),
    };
    env.remember(&work.datagram, &first);
    Some(sender)
}

/// Whether a packet finds its flow's record over: idle for too long, or a new connection on used ports.
#[inline(always)]
fn over<E: Env>(env: &E, record: &FlowRecord, headers: &Headers, now: u64) -> Option<Ended> {
    if let Transport::Tcp(segment) = &headers.transport
        && segment.flags & (flag::SYN | flag::ACK) == flag::SYN
        && record.ended != Ended::No as u8
    {
        return Some(Ended::Fin);
    }
    let timeout = idle_timeout(record, |field| env.setting(field));
    (now.saturating_sub(record.last()) > timeout).then_some(Ended::Idle)
}

/// How long a record may rest, in nanoseconds; `setting` reads one field of the settings.
#[inline(always)]
pub fn idle_timeout(record: &FlowRecord, setting: impl Fn(fn(&Settings) -> &u64) -> u64) -> u64 {
    use dissect::transport::protocol;
    match record.key.protocol() {
        protocol::TCP => {
            let established = |half: &Half| half.tcp.state >= TcpEnd::Partial as u8;
            if record.ended != Ended::No as u8 {
                setting(|settings| &settings.idle_tcp_closed)
            } else if established(&record.halves[0]) || established(&record.halves[1]) {
                setting(|settings| &settings.idle_tcp_established)
            } else {
                setting(|settings| &settings.idle_tcp_half_open)
            }
        }
        protocol::UDP => setting(|settings| &settings.idle_udp),
        protocol::ICMP | protocol::ICMPV6 => setting(|settings| &settings.idle_icmp),
        _ => setting(|settings| &settings.idle_other),
    }
}

/// Notes time, DSCP and congestion marks.
#[inline(always)]
fn stamp(half: &mut Half, headers: &Headers, now: u64) {
    if half.first == 0 {
        half.first = now;
    }
    half.last = now;
    half.dscp |= 1 << (headers.tos >> 2);
    // Congestion Experienced is the codepoint 11 (RFC 3168 section 5).
    half.ecn_ce += u32::from(headers.tos & 3 == 3);
}
