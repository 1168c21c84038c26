//! One frame through both parsers.

use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::{IpNumber, LaxNetSlice, LaxSlicedPacket, LenSource, TcpSlice, TransportSlice, err::Layer};
use flow_common::{
    counter::{Counter, Family},
    dissect::{Fragment, Headers, Link, NO_TAG, Start, Transport, dissect, tunnel},
    key::Endpoint,
    packet::Captured,
};

/// What the two had in common, so that a test can tell that it compared anything.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Agreed {
    pub(crate) network: bool,
    pub(crate) transport: bool,
}

const START: Start = Start { offset: 0, link: Link::Ethernet, moved_tag: NO_TAG };

fn address(endpoint: &Endpoint) -> [u8; 16] {
    let [high, low] = endpoint.address.map(u64::to_ne_bytes);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&high);
    bytes[8..].copy_from_slice(&low);
    bytes
}

/// Every cut length, then every byte at three wrong values.
pub(crate) fn try_everything(frame: &[u8]) {
    for cut in 0..=frame.len() {
        agree(frame, cut);
        inside(frame, cut);
    }
    let mut damaged = frame.to_vec();
    for at in 0..frame.len() {
        for value in [0x00, 0xff, frame[at] ^ 0x80] {
            damaged[at] = value;
            agree(&damaged, damaged.len());
            inside(&damaged, damaged.len());
        }
        damaged[at] = frame[at];
    }
}

/// Looks into tunnels as deep as they go; only to see that nothing panics and that each layer begins behind
/// the one before.
fn inside(frame: &[u8], cut: usize) {
    let packet = Captured { data: &frame[..cut], original_len: frame.len() as u32 };
    let (mut start, mut headers) = (START, Headers::NONE);
    while dissect(&packet, &start, &mut headers).is_ok() {
        let Some(inner) = tunnel::inner(&packet, &headers) else { return };
        assert!(inner.start.offset > start.offset);
        start = inner.start;
    }
}

/// Both parsers on the first `cut` bytes of a frame; panics where they contradict each other.
pub(crate) fn agree(frame: &[u8], cut: usize) -> Agreed {
    let data = &frame[..cut];
    let packet = Captured { data, original_len: frame.len() as u32 };
    let mut headers = Headers::NONE;
    let result = dissect(&packet, &START, &mut headers);
    let mut agreed = Agreed::default();
    let Ok(sliced) = LaxSlicedPacket::from_ethernet(data) else {
        assert_eq!(result.map_err(|skip| skip.counter), Err(Counter::Truncated), "shorter than Ethernet");
        return agreed;
    };
    let Some(network) = &sliced.net else { return agreed };
    if let LaxNetSlice::Arp(_) = network {
        assert_eq!(result.map_err(|skip| skip.counter), Err(Counter::Arp));
        return agreed;
    }
    if sliced.link_exts.iter().any(|extension| !matches!(extension, etherparse::LaxLinkExtSlice::Vlan(_))) {
        return agreed;
    }
    if let Err(skip) = result {
        refused(skip.counter, network, &sliced, &packet);
        return agreed;
    }
    agreed.network = true;
    // A priority tag names no VLAN.
    let ids: Vec<u16> = sliced.vlan_ids().iter().map(|id| id.value()).filter(|id| *id != 0).collect();
    let found = |at: usize| (headers.vlans >> (12 * at) & 0xfff) as u16;
    assert_eq!((0..ids.len()).map(found).collect::<Vec<_>>(), ids);

    let base = data.as_ptr() as usize;
    let payload = match network {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            assert_eq!(headers.family as u32, Family::Ipv4 as u32);
            assert_eq!(address(&headers.source)[12..], Ipv4Addr::from(header.source()).octets());
            assert_eq!(address(&headers.destination)[12..], Ipv4Addr::from(header.destination()).octets());
            assert_eq!(headers.tos, header.dcp().value() << 2 | header.ecn().value());
            assert_eq!(headers.ip_offset as usize, header.slice().as_ptr() as usize - base);
            if header.total_len() != 0 {
                assert_eq!(headers.ip_len, u32::from(header.total_len()));
            }
            let fragment = match (header.fragments_offset().value(), header.more_fragments()) {
                (0, false) => Fragment::Whole,
                (0, true) => Fragment::First,
                _ => Fragment::Later,
            };
            assert_eq!(headers.fragment, fragment);
            assert_eq!(headers.identification, u32::from(header.identification()));
            assert_eq!(headers.protocol, header.protocol().0);
            if header.protocol() == IpNumber::AUTHENTICATION_HEADER || header.total_len() == 0 {
                return agreed;
            }
            ip.payload()
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            assert_eq!(headers.family as u32, Family::Ipv6 as u32);
            assert_eq!(address(&headers.source), Ipv6Addr::from(header.source()).octets());
            assert_eq!(address(&headers.destination), Ipv6Addr::from(header.destination()).octets());
            assert_eq!(headers.tos, header.traffic_class());
            assert_eq!(headers.ip_offset as usize, header.slice().as_ptr() as usize - base);
            if header.payload_length() == 0 {
                return agreed;
            }
            assert_eq!(headers.ip_len, u32::from(header.payload_length()) + 40);
            let within_chain = |layer: Layer| {
                layer != Layer::TcpHeader && layer != Layer::UdpHeader && layer != Layer::Icmpv6
            };
            let broken = sliced.stop_err.as_ref().is_some_and(|(_, layer)| within_chain(*layer));
            if broken || matches!(ip.payload().ip_number.0, 135 | 139 | 140) {
                return agreed;
            }
            assert_eq!(ip.payload().fragmented, !matches!(headers.fragment, Fragment::Whole));
            if matches!(headers.fragment, Fragment::Later) {
                return agreed;
            }
            assert_eq!(headers.protocol, ip.payload().ip_number.0);
            ip.payload()
        }
        LaxNetSlice::Arp(_) => return agreed,
    };
    if payload.fragmented && matches!(headers.fragment, Fragment::Later) {
        return agreed;
    }
    let at = payload.payload.as_ptr() as usize - base;
    let len = headers.end() as usize - at;
    if payload.len_source != LenSource::Slice {
        assert_eq!(payload.payload.len(), len, "the IP payload");
    }
    if let Some(transport) = &sliced.transport {
        agreed.transport = same_transport(&headers, transport, at, len, payload.payload);
    }
    agreed
}

/// `dissect` found a reason against a packet in which etherparse found an IP header.
fn refused(counter: Counter, network: &LaxNetSlice<'_>, sliced: &LaxSlicedPacket<'_>, packet: &Captured<'_>) {
    let (total, header_len) = match network {
        LaxNetSlice::Ipv4(ip) => (Some(ip.header().total_len()), ip.header().slice().len()),
        _ => (None, 40),
    };
    match counter {
        Counter::Malformed => {
            let short_length = total.is_some_and(|total| usize::from(total) < header_len);
            let tcp_offset = sliced.transport.is_none();
            assert!(short_length || tcp_offset, "malformed to one only: {sliced:?}");
        }
        // A transport header that is cut, or too short for its IP packet.
        Counter::Truncated => {
            let short = network.ip_payload_ref().is_none_or(|payload| payload.payload.len() < 4);
            let unread = sliced.transport.is_none() || total == Some(0);
            let lax = matches!(network, LaxNetSlice::Ipv6(ip) if ip.header().payload_length() == 0);
            assert!(short || unread || lax, "truncated to one only: {sliced:?} {packet:?}");
        }
        _ => panic!("{counter:?} to one, an IP packet to the other: {sliced:?}"),
    }
}

fn same_transport(
    headers: &Headers,
    transport: &TransportSlice<'_>,
    at: usize,
    len: usize,
    payload: &[u8],
) -> bool {
    let ports = (headers.source.port, headers.destination.port);
    let header_len = match transport {
        TransportSlice::Udp(udp) => {
            assert_eq!(ports, (udp.source_port(), udp.destination_port()));
            8
        }
        TransportSlice::Tcp(tcp) => {
            assert_eq!(ports, (tcp.source_port(), tcp.destination_port()));
            same_segment(headers, tcp);
            tcp.header_len()
        }
        TransportSlice::Icmpv4(icmp) => {
            assert_eq!(headers.icmp, (icmp.type_u8(), icmp.code_u8()));
            8
        }
        TransportSlice::Icmpv6(icmp) => {
            assert_eq!(headers.icmp, (icmp.type_u8(), icmp.code_u8()));
            8
        }
        TransportSlice::Igmp(_) => 0,
    };
    if matches!(transport, TransportSlice::Icmpv4(_) | TransportSlice::Icmpv6(_)) {
        assert_ne!(headers.transport, Transport::Tcp);
        let echo =
            matches!((headers.family, headers.icmp.0), (Family::Ipv4, 0 | 8) | (Family::Ipv6, 128 | 129));
        if let Some([high, low]) = payload.get(4..6).filter(|_| echo) {
            let identifier = u16::from_be_bytes([*high, *low]);
            assert_eq!(ports, (identifier, identifier));
        }
    }
    assert_eq!(headers.payload_offset as usize, at + header_len);
    assert_eq!(headers.payload_len as usize, len.saturating_sub(header_len));
    true
}

fn same_segment(headers: &Headers, tcp: &TcpSlice<'_>) {
    let segment = &headers.segment;
    assert_eq!(headers.transport, Transport::Tcp);
    assert_eq!(segment.sequence, tcp.sequence_number());
    assert_eq!(segment.acknowledgement, tcp.acknowledgment_number());
    assert_eq!(segment.window, tcp.window_size());
    let flags =
        [tcp.fin(), tcp.syn(), tcp.rst(), tcp.psh(), tcp.ack(), tcp.urg(), tcp.ece(), tcp.cwr(), tcp.ns()];
    let flags = flags.iter().enumerate().fold(0, |sum, (bit, set)| sum | u16::from(*set) << bit);
    assert_eq!(segment.flags, flags);
    // The first timestamps option that stands among the first eight options; whatever is behind a broken one
    // is not read by either.
    let options: Vec<_> = tcp.options_iterator().collect();
    let timestamp = options.iter().take(8).find_map(|option| match option {
        Ok(etherparse::TcpOptionElement::Timestamp(value, echo)) => Some((*value, *echo)),
        _ => None,
    });
    if options.iter().all(Result::is_ok) {
        assert_eq!((segment.timestamp, segment.echo), timestamp.unwrap_or_default(), "{options:?}");
    }
}
