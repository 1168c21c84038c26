//! Payload copies of DNS and TLS.

use flow_common::{
    app::App,
    event::{PayloadEvent, PayloadKind},
    key::{Endpoint, FlowKey, Scope, TunnelKind},
};
use flowd_protocols::{
    dns::{DnsOptions, DnsTracker},
    tls::{TlsOptions, TlsTracker},
};

use super::line;

/// A copy as [`dns`] and [`tls`] read it from an input: who and when in a byte (side, connection, slot, whether
/// time passes), distance of the sequence number, length, bytes.
struct Copy<'a> {
    who: u8,
    event: PayloadEvent,
    bytes: &'a [u8],
}

/// The copies of an input, of payload of `app` over IP protocol `protocol`.
fn copies(input: &[u8], app: App, protocol: u8) -> impl Iterator<Item = Copy<'_>> {
    let (mut rest, mut now, mut next) = (input, 0_u64, [u32::MAX - 40; 8]);
    std::iter::from_fn(move || {
        let (&[who, step, high, low], tail) = rest.split_first_chunk()?;
        let len = usize::from(u16::from_be_bytes([high & 15, low])).min(tail.len());
        let (bytes, after) = tail.split_at(len);
        rest = after;
        now += if who & 0x40 == 0 { 1_000_000 } else { 6_000_000_000 };
        let scope =
            Scope { interface: 1, vlans: 0, protocol, ipv6: false, tunnel: TunnelKind::None, tunnel_id: 0 };
        let (client, server) = (Endpoint::v4(1, 1000 + u16::from(who >> 1 & 3)), Endpoint::v4(2, 53));
        let (key, _) = FlowKey::new(client, server, &scope, None);
        let place = next.get_mut(usize::from(who & 7))?;
        let seq = place.wrapping_add_signed(i32::from(step.cast_signed()));
        *place = seq.wrapping_add(bytes.len() as u32);
        let event = PayloadEvent {
            key,
            time: now,
            slot: u32::from(who >> 3 & 1),
            seq,
            payload_len: bytes.len() as u32,
            copied: bytes.len() as u16,
            kind: PayloadKind::Message as u8,
            sender: who & 1,
            ack: 0,
            tcp_flags: who >> 4 & 4,
            app: app as u8,
            retransmits: 0,
            own_last: 0,
            peer_last: 0,
        };
        Some(Copy { who, event, bytes })
    })
}

/// The transport in a byte, then copies.
pub(crate) fn dns(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let protocol = if first & 1 == 0 { 17 } else { 6 };
    let options = DnsOptions { max_pending: 8, max_connections: 2, ..DnsOptions::default() };
    let (mut tracker, mut bytes, mut told) = (DnsTracker::new(options), 0, 0);
    let mut sink = |exchange| {
        line(&exchange);
        told += 1;
    };
    for copy in copies(rest, App::Dns, protocol) {
        bytes += copy.bytes.len();
        tracker.event(&copy.event, copy.bytes, &mut sink);
        if copy.who & 0x80 != 0 {
            tracker.expire(copy.event.time, &mut sink);
        }
        let (pending, connections) = tracker.held();
        assert!(pending <= 8 && connections <= 2);
    }
    tracker.finish(&mut sink);
    assert_eq!(tracker.held(), (0, 0));
    assert!(told * 5 <= bytes, "a question takes five bytes at least");
}

/// Copies.
pub(crate) fn tls(input: &[u8]) {
    let options = TlsOptions { max_connections: 2, ..TlsOptions::default() };
    let (mut tracker, mut events, mut told) = (TlsTracker::new(options), 0, 0);
    let mut sink = |handshake| {
        line(&handshake);
        told += 1;
    };
    for copy in copies(input, App::Tls, 6) {
        events += 1;
        tracker.event(&copy.event, copy.bytes, &mut sink);
        if copy.who & 0x80 != 0 {
            let end = PayloadEvent { kind: PayloadKind::End as u8, ..copy.event };
            tracker.event(&end, &[], &mut sink);
        }
        assert!(tracker.held() <= 2);
    }
    tracker.finish(&mut sink);
    assert_eq!(tracker.held(), 0);
    assert!(told <= events, "a line takes a copy at least");
}
