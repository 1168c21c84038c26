//! One packet into its flow: the key, the record, what TCP says, what deserves a copy.

use core::hint::cold_path;

use crate::{
    counter::Family,
    dissect::{
        Fragment, Headers,
        transport::{Transport, protocol},
    },
    event::{PayloadEvent, PayloadKind},
    flows,
    key::{Scope, Sender},
    observe::{Datagram, Env, FirstFragment, Workspace},
    packet::{Packet, forget},
    record::{Ended, FlowRecord, Half, RoleBy, TcpEnd},
    role,
    settings::Settings,
    sniff::{self, Wanted},
    tcp,
    wire::tcp::flag,
};

/// Puts one packet into its flow; false when the table is full.
#[inline(always)]
pub fn account<P: Packet, E: Env>(packet: &P, env: &mut E, work: &mut Workspace) -> bool {
    let arrival = &work.arrival;
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
    let sender = work.key.set(&headers.source, &headers.destination, &scope, arrival.crossing());
    let joined = match headers.fragment {
        Fragment::Whole => Some(sender),
        fragment => {
            cold_path();
            join_fragments(env, work, sender, matches!(fragment, Fragment::Later))
        }
    };
    let sender = Sender::from_number(forget(&mut work.sender, joined.unwrap_or(sender) as u8));
    let (headers, key) = (&work.headers, &work.key);
    let cpu = env.cpu();
    let apps = env.setting(|settings| &settings.copies);
    let wanted = Wanted { apps, head_bytes: env.setting(|settings| &settings.head_bytes) };
    let Some(found) = flows::update(env, key, now, |env, record| over(env, record, sender, headers, now))
    else {
        return false;
    };
    let (slot, record) = (found.slot, found.record);
    if found.fresh {
        cold_path();
        let (client, role_by) = role::of_first(headers, sender);
        record.client = client as u8;
        record.role_by = role_by as u8;
        record.fragment = u8::from(joined.is_none());
    }
    work.own_last = record.half_mut(sender).last;
    stamp(record.half_mut(sender), headers, now);
    record.half_mut(sender).count(cpu, &work.volume, E::add);
    let find = match headers.transport {
        Transport::Tcp => {
            let segment = &headers.segment;
            record.half_mut(sender).tcp_flags |= segment.flags;
            if role::proves_client(segment.flags, record.role_by) {
                record.client = sender as u8;
                record.role_by = RoleBy::Syn as u8;
            }
            let segment_size = work.arrival.offload.segment_size;
            let untimed = work.arrival.thrift.untimed;
            let order = tcp::track(record, sender, segment, headers.payload_len, segment_size, untimed, now);
            if apps.is_empty() {
                None
            } else {
                sniff::sniff(packet, record, sender, headers, order, wanted).map(|find| (find, segment))
            }
        }
        Transport::Icmp | Transport::IcmpAnswer => {
            if found.fresh {
                (record.icmp_type, record.icmp_code) = headers.icmp;
            }
            None
        }
        Transport::Other => {
            let known = record.app != 0;
            let find = sniff::datagram(packet, headers, apps, wanted.head_bytes, known);
            find.map(|find| (find, &headers.segment))
        }
    };
    if let Some((find, segment)) = find {
        cold_path();
        if find.shown && record.app == 0 {
            record.app = find.app;
        }
        let copied = if matches!(find.kind, PayloadKind::End) { 0 } else { find.len as u16 };
        let retransmits =
            record.halves[0].quality.retransmits.wrapping_add(record.halves[1].quality.retransmits);
        let (own, peer) = tcp::pair(record, sender);
        own.tcp.copies = PayloadEvent::number_after(own.tcp.copies);
        let (number, peer_last) = (own.tcp.copies, peer.tcp.next_seq_time);
        // Behind its number: the reader then sees that copies are missing, and pairs nothing over the gap.
        if work.arrival.thrift.no_copies != 0 {
            if let Some(totals) = env.totals() {
                totals.events_skipped += 1;
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
            kind: find.kind as u8,
            sender: PayloadEvent::numbered(sender, number),
            ack: segment.acknowledgement,
            tcp_flags: segment.flags as u8,
            app: find.app,
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
fn over<E: Env>(env: &E, record: &FlowRecord, sender: Sender, headers: &Headers, now: u64) -> Option<Ended> {
    if headers.segment.flags & (flag::SYN | flag::ACK) == flag::SYN && record.ended != Ended::No as u8 {
        return Some(Ended::Fin);
    }
    let states = || [record.halves[0].tcp.state, record.halves[1].tcp.state];
    let timeout = idle_timeout(record.key.protocol(), record.ended, states, |field| env.setting(field));
    // What the sender's own last packet rules out need not be asked of the peer's, which lies elsewhere.
    if now.saturating_sub(record.half(sender).last) <= timeout {
        return None;
    }
    (now.saturating_sub(record.last()) > timeout).then_some(Ended::Idle)
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

/// Notes time, DSCP and congestion marks.
#[inline(always)]
fn stamp(half: &mut Half, headers: &Headers, now: u64) {
    // The last one's time is at hand, the first one's is not.
    if half.last == 0 {
        half.first = now;
    }
    half.last = now;
    half.dscp |= 1 << (headers.tos >> 2);
    // Congestion Experienced is the codepoint 11 (RFC 3168 section 5).
    half.ecn_ce += u32::from(headers.tos & 3 == 3);
}
