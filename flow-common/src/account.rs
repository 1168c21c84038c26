//! One packet into its flow: the key, the record, what TCP says, what deserves a copy.

use core::hint::cold_path;

use crate::{
    admission::{self, Request},
    clock::Time,
    counter::Family,
    dissect::{Fragment, Headers, Transport, transport::protocol},
    env::{Datagram, Env, FirstFragment},
    event::{PayloadEvent, PayloadKind},
    flows,
    key::{Scope, Sender},
    packet::Packet,
    record::{Ended, RoleBy, SharedHalf, SharedRecord, TcpEnd, seen},
    role,
    settings::Settings,
    sniff::{self, Wanted},
    tcp::{self, Payload},
    verifier::{launder, reload},
    wire::tcp::flag,
    workspace::Workspace,
};

/// Puts one packet into its flow; false when the table is full.
///
/// In one piece: with the key or the copy in a function of its own, even an inlined one, the compiler keeps more apart
/// and the verifier walks up to 1.9 times as much.
#[inline(always)]
pub fn account<P: Packet, E: Env>(packet: &P, env: &mut E, work: &mut Workspace) -> bool {
    let arrival = &work.arrival;
    let headers = &work.headers;
    let scope = Scope {
        interface: arrival.interface,
        vlans: headers.vlans,
        protocol: headers.protocol,
        ipv6: matches!(headers.family, Family::Ipv6),
        tunnel: work.tunnel,
        tunnel_id: work.tunnel_id,
    };
    let sender = work.key.set(&headers.source, &headers.destination, &scope, arrival.crossing());
    let joined = match headers.fragment {
        Fragment::Whole => Some(sender),
        fragment => {
            cold_path();
            join_fragments(env, work, sender, matches!(fragment, Fragment::Later))
        }
    };
    let sender = Sender::from_number(launder(&mut work.sender, joined.unwrap_or(sender) as u8));
    let (headers, key) = (&work.headers, &work.key);
    let mut time = Time { pace: &mut work.pace, clock: env.clock() };
    let now = time.now();
    let cpu = env.cpu();
    let apps = env.setting(|settings| &settings.copies);
    let wanted = Wanted {
        apps,
        conversations: !apps.without_known().is_empty(),
        head_bytes: env.setting(|settings| &settings.head_bytes),
    };
    let Some(found) = flows::update(env, key, now, |env, record| over(env, record, sender, headers, now))
    else {
        return false;
    };
    let (slot, record) = (found.slot, found.record);
    if found.fresh {
        cold_path();
        record.start.set(time.exact());
        let (client, role_by) = role::of_first(headers, sender);
        record.client.set(client as u8);
        record.role_by.set(role_by as u8);
        record.fragment.set(u8::from(joined.is_none()));
    }
    let (own, peer) = record.pair(sender);
    let now = time.now();
    work.own_last = stamp(own, headers, now);
    own.count(cpu, &work.volume, E::add);
    let find = match headers.transport {
        Transport::Tcp => {
            let segment = &headers.segment;
            own.tcp_flags.set_bits(segment.flags);
            if role::proves_client(segment.flags, record.role_by.get()) {
                record.client.set(sender as u8);
                record.role_by.set(RoleBy::Syn as u8);
            }
            let untimed = work.arrival.omissions.untimed;
            launder(&mut work.last_talker, record.last_talker.get());
            let payload =
                Payload { len: headers.payload_len, segment_size: work.arrival.offload.segment_size };
            let kind = tcp::track(record, sender, segment, payload, untimed, &mut time, &mut work.verdict);
            if apps.is_empty() {
                None
            } else {
                let last_talker = reload(&work.last_talker);
                sniff::sniff(packet, record, sender, headers, kind, last_talker, wanted)
            }
        }
        Transport::Icmp | Transport::IcmpAnswer => {
            if found.fresh {
                record.icmp_type.set(headers.icmp.0);
                record.icmp_code.set(headers.icmp.1);
            }
            None
        }
        Transport::Other => sniff::datagram(packet, record, headers, wanted),
    };
    if let Some(find) = find {
        cold_path();
        let now = time.exact();
        // The ways through the sniffer meet here.
        let copied = launder(&mut work.copied, find.len as u16);
        let [kind, app] =
            launder(&mut work.what, u16::from_ne_bytes([find.kind as u8, find.app])).to_ne_bytes();
        let segment = &headers.segment;
        let ack =
            if kind == PayloadKind::End as u8 { peer.tcp.next_seq.get() } else { segment.acknowledgement };
        let retransmits = own.quality.retransmits.get().wrapping_add(peer.quality.retransmits.get());
        let number = PayloadEvent::number_after(own.tcp.copies.get());
        own.tcp.copies.set(number);
        let peer_last = peer.tcp.next_seq_time.get();
        if reload(&work.waiting) >= admission::COUNTED {
            cold_path();
            work.deafness = admission::deafness(segment.acknowledgement, peer);
            work.client = admission::client(key, record.client.get());
        }
        // Behind its number: the reader then sees that copies are missing, and pairs nothing over the gap.
        if work.arrival.omissions.no_copies != 0 {
            if let Some(totals) = env.totals() {
                totals.events_skipped += 1;
            }
            return true;
        }
        let (waiting, client, deafness) =
            (reload(&work.waiting), reload(&work.client), reload(&work.deafness));
        // For the next one: eight copies do not change it by much.
        if work.copies & 7 == 0 {
            work.waiting = env.waiting();
        }
        work.copies = work.copies.wrapping_add(1);
        let ring_eighth = env.setting(|settings| &settings.ring_eighth);
        let request = Request {
            client,
            connection: launder(&mut work.slot, slot),
            deafness,
            waiting,
            ring_eighth,
            now,
            copied,
        };
        // Ends are short, two of a connection at most, and close what is open.
        if waiting >= admission::COUNTED
            && kind != PayloadKind::End as u8
            && !env.source(client).is_none_or(|source| source.admits(&request))
        {
            if let Some(totals) = env.totals() {
                totals.events_thinned += 1;
            }
            return true;
        }
        let own_last = work.own_last;
        env.copy(packet, headers.payload_offset, copied, || PayloadEvent {
            key: *key,
            time: now,
            slot,
            seq: segment.payload_sequence(),
            payload_len: headers.payload_len,
            copied,
            kind,
            sender: PayloadEvent::numbered(sender, number),
            ack,
            tcp_flags: segment.flags as u8,
            app,
            retransmits: retransmits as u16,
            own_last,
            peer_last,
        });
    }
    true
}

/// Gives a later fragment's key the ports of its first, and keeps those of a first one. Says who sent it, or
/// `None` where the first fragment was not seen.
#[inline(always)]
fn join_fragments<E: Env>(env: &mut E, work: &mut Workspace, sender: Sender, later: bool) -> Option<Sender> {
    let key = &mut work.key;
    let (source, destination) = match sender {
        Sender::A => (key.a_address, key.b_address),
        Sender::B => (key.b_address, key.a_address),
    };
    let protocol = if key.is_ipv6() { 0 } else { key.protocol() };
    work.datagram = Datagram {
        source,
        destination,
        identification: work.headers.identification,
        interface: key.interface(),
        protocol,
        depth: work.depth,
    };
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
fn over<E: Env>(
    env: &E,
    record: &SharedRecord,
    sender: Sender,
    headers: &Headers,
    now: u64,
) -> Option<Ended> {
    let ended = record.ended.get();
    if headers.segment.flags & flag::SYN != 0 && reopens(record, sender, headers) {
        cold_path();
        // Who said the last word, said it; of a connection whose end was not seen nobody knows when it came.
        let closed = record.halves.iter().any(|half| half.tcp.state.get() == TcpEnd::Closed as u8);
        return Some(if closed { Ended::Fin } else { Ended::Idle });
    }
    let states = || record.halves.each_ref().map(|half| half.tcp.state.get());
    let timeout = idle_timeout(record.key.protocol(), ended, states, |field| env.setting(field));
    // What the sender's own last packet rules out need not be asked of the peer's, which lies elsewhere.
    if now.saturating_sub(record.half(sender).last.get()) <= timeout {
        return None;
    }
    (now.saturating_sub(record.last()) > timeout).then_some(Ended::Idle)
}

/// Whether a SYN opens another connection than the one on record: its sequence number is none that its sender has used
/// there. One that was used comes again, or late, also after the end (RFC 9293 section 3.6.1: a new one lies beyond).
#[inline(always)]
fn reopens(record: &SharedRecord, sender: Sender, headers: &Headers) -> bool {
    let (segment, own) = (&headers.segment, record.half(sender));
    // A reset may have any number, 0 for one (RFC 9293 section 3.5.2).
    if own.tcp.seen.get() & seen::SEQ == 0 || tcp::only_reset(record, sender) {
        return segment.flags & flag::ACK == 0 && record.ended.get() != Ended::No as u8;
    }
    let [_, _, _, _, others] = &own.others;
    let sent = own.owned.payload_bytes.get().wrapping_add(others.get());
    // SYN and FIN take a number each (RFC 9293 section 3.4). In a split handshake an acknowledgement goes before the SYN.
    u64::from(own.tcp.next_seq.get().wrapping_sub(segment.sequence)) > sent.wrapping_add(2)
}

/// How long a record may rest, in nanoseconds. `ended` is an [`Ended`], `states` gives a [`TcpEnd`] of each side,
/// `setting` reads one field of the settings.
#[inline(always)]
pub fn idle_timeout(
    protocol: u8,
    ended: u8,
    states: impl FnOnce() -> [u8; 2],
    setting: impl Fn(fn(&Settings) -> &u64) -> u64,
) -> u64 {
    match protocol {
        protocol::TCP => {
            if ended != Ended::No as u8 {
                setting(|settings| &settings.idle_tcp_closed)
            } else if has_established(states()) {
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

#[inline(always)]
const fn has_established(states: [u8; 2]) -> bool {
    states[0] >= TcpEnd::Partial as u8 || states[1] >= TcpEnd::Partial as u8
}

/// Notes time, DSCP and congestion marks; says when the packet before passed.
#[inline(always)]
fn stamp(half: &SharedHalf, headers: &Headers, now: u64) -> u64 {
    let last = half.last.get();
    // The last one's time is at hand, the first one's is not.
    if last == 0 {
        half.first.set(now);
    }
    half.last.set(now);
    half.dscp.set_bits(1 << (headers.tos >> 2));
    // Congestion Experienced is the codepoint 11 (RFC 3168 section 5).
    half.ecn_ce.add(u32::from(headers.tos & 3 == 3));
    last
}
