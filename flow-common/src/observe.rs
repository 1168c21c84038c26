//! The whole story of one packet on one screen: read its headers, count it, find its flow, follow TCP,
//! copy what deserves it.

use core::sync::atomic::AtomicU64;

use crate::{
    counter::{Counter, Passage, Tally},
    dissect::{self, Fragment, Headers, Skip, Start, link::Link, transport::Transport, tunnel},
    event::{PayloadEvent, PayloadKind},
    flows::{self, Flows},
    key::{Direction, FlowKey, Scope, Sender, TunnelKind},
    packet::Packet,
    record::{Ended, FlowRecord, Half, RoleBy, TcpEnd, Volume},
    role,
    settings::Settings,
    sniff::{self, Find},
    tcp,
    wire::tcp::flag,
    wiretrue::{self, Offload},
};

/// Time of the packet at hand.
pub trait Clock {
    /// Nanoseconds; any origin, never backwards.
    fn now(&mut self) -> u64;
}

/// Where copies of payload go.
pub trait Events {
    /// Copies `event.copied` bytes at `offset` behind `event`; counts the loss where there is no room.
    fn copy<P: Packet>(&mut self, packet: &P, offset: u32, event: &PayloadEvent);
}

/// Names a fragmented datagram (RFC 791 section 3.2, RFC 8200 section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Datagram {
    pub source: [u32; 4],
    pub destination: [u32; 4],
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
    pub protocol: u8,
    pub reserved: [u8; 3],
}

/// Memory for first fragments; may forget.
pub trait Fragments {
    fn remember(&mut self, datagram: &Datagram, first: &FirstFragment);
    fn recall(&mut self, datagram: &Datagram) -> Option<FirstFragment>;
}

/// Everything outside the packet.
pub trait Env: Clock + Flows + Events + Fragments {
    fn settings(&self) -> &Settings;
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

/// Tunnels in tunnels that are looked into.
pub const MAX_DEPTH: u8 = 3;

/// Bytes of a VLAN tag.
const TAG_LEN: u32 = 4;

/// Accounts for one packet.
#[inline(always)]
pub fn on_packet<P: Packet, E: Env>(packet: &P, arrival: &Arrival, env: &mut E) {
    let start = Start { offset: 0, link: arrival.link, moved_tag: arrival.moved_tag };
    let tag_len = if arrival.moved_tag.is_some() { TAG_LEN } else { 0 };
    let headers = match dissect::dissect(packet, &start) {
        Ok(headers) => headers,
        Err(skip) => return skipped(packet, arrival, env, skip, tag_len),
    };
    let now = env.now();
    let innermost = if arrival.offload.is_super() { innermost(packet, headers) } else { headers };
    let (volume, tally) = wiretrue::measure(&headers, &innermost, arrival.offload, packet.len(), tag_len);
    let layer = Layer { interface: arrival.interface, crossing: arrival.crossing, depth: 0, tunnel: None };
    let counted = account(packet, env, &headers, &layer, &volume, now);
    if let Some(totals) = env.totals() {
        add(&mut totals.seen[headers.family as usize & 1], &tally);
        if !counted {
            add(&mut totals.skipped[Counter::TableFull as usize], &tally);
        }
    }
    if env.settings().decapsulate != 0 {
        inner_flows(packet, arrival, env, headers, now);
    }
}

/// Where in a stack of tunnels a packet is.
struct Layer {
    interface: u16,
    crossing: Option<Direction>,
    depth: u8,
    tunnel: Option<(TunnelKind, u32)>,
}

/// Accounts for the packets inside tunnels, each as a flow of its own.
#[inline(always)]
fn inner_flows<P: Packet, E: Env>(packet: &P, arrival: &Arrival, env: &mut E, outer: Headers, now: u64) {
    let mut headers = outer;
    for depth in 1..=MAX_DEPTH {
        let Some(inner) = tunnel::inner(packet, &headers) else { return };
        if env.settings().decapsulate & inner.kind.bit() == 0 {
            return;
        }
        let Ok(found) = dissect::dissect(packet, &inner.start) else { return };
        let innermost = if arrival.offload.is_super() { innermost(packet, found) } else { found };
        let end = found.ip_offset.saturating_add(found.ip_len);
        let len = end.saturating_sub(inner.start.offset);
        let (mut volume, _) = wiretrue::measure(&found, &innermost, arrival.offload, len, 0);
        // The segments repeat the headers from the tunnelled frame's start on, not from the outer one's.
        volume.frame_bytes -= (volume.packets - 1) * u64::from(inner.start.offset);
        let layer = Layer {
            interface: arrival.interface,
            crossing: arrival.crossing,
            depth,
            tunnel: Some((inner.kind, inner.id)),
        };
        account(packet, env, &found, &layer, &volume, now);
        headers = found;
    }
}

/// The headers that offload repeats: those of the innermost packet.
#[inline(always)]
fn innermost<P: Packet>(packet: &P, outer: Headers) -> Headers {
    let mut headers = outer;
    for _ in 0..MAX_DEPTH {
        let Some(inner) = tunnel::inner(packet, &headers) else { break };
        let Ok(found) = dissect::dissect(packet, &inner.start) else { break };
        headers = found;
    }
    headers
}

/// Counts a packet that is in no flow, under its reason.
#[inline(always)]
fn skipped<P: Packet, E: Env>(packet: &P, arrival: &Arrival, env: &mut E, skip: Skip, tag_len: u32) {
    // Without headers, what the segments repeat is not known: their number is all that can be said.
    let packets = arrival.offload.wire_packets(packet.len());
    let tally = Tally {
        packets,
        bytes: u64::from(packet.len()) + packets * u64::from(tag_len),
        skb_packets: 1,
        skb_bytes: u64::from(packet.len()),
    };
    if let Some(totals) = env.totals() {
        for (index, family) in totals.seen.iter_mut().enumerate() {
            if index == skip.family as usize {
                add(family, &tally);
            }
        }
        for (index, reason) in totals.skipped.iter_mut().enumerate() {
            if index == skip.counter as usize {
                add(reason, &tally);
            }
        }
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
fn account<P: Packet, E: Env>(
    packet: &P,
    env: &mut E,
    headers: &Headers,
    layer: &Layer,
    volume: &Volume,
    now: u64,
) -> bool {
    let mut headers = *headers;
    let portless = join_fragments(env, &mut headers, layer);
    let (tunnel, tunnel_id) = layer.tunnel.unwrap_or((TunnelKind::None, 0));
    let scope = Scope {
        interface: layer.interface,
        vlans: headers.vlans,
        protocol: headers.protocol,
        ipv6: headers.family as u32 == 1,
        tunnel,
        tunnel_id,
    };
    let (key, sender) = FlowKey::new(headers.source, headers.destination, &scope, layer.crossing);
    let cpu = env.cpu();
    let settings = *env.settings();
    let Some(found) = flows::update(env, &key, now, |record| over(record, &headers, &settings, now)) else {
        return false;
    };
    let (slot, record) = (found.slot, found.record);
    if found.fresh {
        let (client, role_by) = role::of_first(&headers, sender);
        record.client = client as u8;
        record.role_by = role_by as u8;
        record.fragment = u8::from(portless);
    }
    stamp(record.half_mut(sender), &headers, now);
    record.half_mut(sender).count(cpu, volume, E::add);
    let find = match &headers.transport {
        Transport::Tcp(segment) => {
            record.half_mut(sender).tcp_flags |= segment.flags;
            if role::proves_client(segment.flags, record.role_by) {
                record.client = sender as u8;
                record.role_by = RoleBy::Syn as u8;
            }
            let order = tcp::track(record, sender, segment, headers.payload_len, now);
            let payload = (headers.payload_offset, headers.payload_len);
            if settings.head_bytes == 0 {
                None
            } else {
                sniff::sniff(packet, record, sender, segment, order, payload, settings.head_bytes)
                    .map(|find| (find, segment.payload_sequence(), segment.flags))
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
    if let Some((find, seq, tcp_flags)) = find {
        copy(packet, env, &headers, key, slot, sender, (find, seq, tcp_flags), now);
    }
    true
}

/// Gives later fragments the ports of their first; true where they stay unknown.
#[inline(always)]
fn join_fragments<E: Env>(env: &mut E, headers: &mut Headers, layer: &Layer) -> bool {
    let (identification, later) = match headers.fragment {
        Fragment::Whole => return false,
        Fragment::First { identification } => (identification, false),
        Fragment::Later { identification } => (identification, true),
    };
    let ipv6 = headers.family as u32 == 1;
    let datagram = Datagram {
        source: headers.source.address,
        destination: headers.destination.address,
        identification,
        interface: layer.interface,
        protocol: if ipv6 { 0 } else { headers.protocol },
        depth: layer.depth,
    };
    if !later {
        let first = FirstFragment {
            source_port: headers.source.port,
            destination_port: headers.destination.port,
            protocol: headers.protocol,
            reserved: [0; 3],
        };
        env.remember(&datagram, &first);
        return false;
    }
    let Some(first) = env.recall(&datagram) else { return true };
    headers.source.port = first.source_port;
    headers.destination.port = first.destination_port;
    headers.protocol = first.protocol;
    false
}

/// Whether a packet finds its flow's record over: idle for too long, or a new connection on used ports.
#[inline(always)]
fn over(record: &FlowRecord, headers: &Headers, settings: &Settings, now: u64) -> Option<Ended> {
    if let Transport::Tcp(segment) = &headers.transport
        && segment.flags & (flag::SYN | flag::ACK) == flag::SYN
        && record.ended != Ended::No as u8
    {
        return Some(Ended::Fin);
    }
    (now.saturating_sub(record.last()) > idle_timeout(record, settings)).then_some(Ended::Idle)
}

/// How long a record may rest, in nanoseconds.
#[inline(always)]
#[must_use]
pub fn idle_timeout(record: &FlowRecord, settings: &Settings) -> u64 {
    use dissect::transport::protocol;
    match record.key.protocol() {
        protocol::TCP => {
            let established = |half: &Half| half.tcp.state >= TcpEnd::Partial as u8;
            if record.ended != Ended::No as u8 {
                settings.idle_tcp_closed
            } else if established(&record.halves[0]) || established(&record.halves[1]) {
                settings.idle_tcp_established
            } else {
                settings.idle_tcp_half_open
            }
        }
        protocol::UDP => settings.idle_udp,
        protocol::ICMP | protocol::ICMPV6 => settings.idle_icmp,
        _ => settings.idle_other,
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

#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "one call, inlined; a struct would only rename its fields")]
fn copy<P: Packet, E: Env>(
    packet: &P,
    env: &mut E,
    headers: &Headers,
    key: FlowKey,
    slot: u32,
    sender: Sender,
    (find, seq, tcp_flags): (Find, u32, u16),
    now: u64,
) {
    let event = PayloadEvent {
        key,
        time: now,
        slot,
        seq,
        payload_len: headers.payload_len,
        copied: if matches!(find.kind, PayloadKind::End) { 0 } else { find.len as u16 },
        kind: find.kind as u8,
        sender: sender as u8,
        tcp_flags,
        reserved: [0; 3],
    };
    env.copy(packet, headers.payload_offset, &event);
}
