//! The packets that are measured, and what each really exercises.

use flowd::kernel::{Stream, Vary};

/// A stream of packets of one kind.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// What a run of the program does, as the output says.
    pub(crate) exercises: &'static str,
    pub(crate) stream: Stream,
    /// Runs before the daemon would have emptied the ring buffer.
    pub(crate) at_once: u32,
    /// Sent once before: what later packets refer to.
    pub(crate) before: Option<Vec<u8>>,
}

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const PUSH_ACK: u8 = 0x18;
const TCP: u8 = 6;
const UDP: u8 = 17;
const GRE: u8 = 47;

const GET: &[u8] =
    b"GET /index.html HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n";
const QUERY: &[u8] =
    b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x01\x00\x01";

/// Every shape, hot: one flow each.
pub(crate) fn hot() -> Vec<Shape> {
    let data = [0x55; 1_448];
    let ethernet = |rest: Vec<u8>| frame(&[0x08, 0x00], &rest);
    let v4 = |protocol, rest: &[u8]| ethernet(ipv4(1, protocol, 0, rest));
    let later = ipv4(2, UDP, 185, &data);
    let first = ipv4(2, UDP, 0x2000, &udp(7, 9_000, &data));
    let six = frame(&[0x86, 0xdd], &ipv6(TCP, &tcp(10, 443, PUSH_ACK, &data)));
    let tagged = [&[0, 100, 0x08, 0x00][..], &ipv4(1, TCP, 0, &tcp(11, 443, ACK, &data))].concat();
    let shape = |name, exercises, frame: Vec<u8>, vary| Shape {
        name,
        exercises,
        stream: Stream { frame, vary, transport_offset: 34, payload_len: 0 },
        at_once: u32::MAX,
        before: None,
    };
    let sends = |mut shape: Shape, transport_offset, payload: &[u8]| {
        shape.stream.transport_offset = transport_offset;
        shape.stream.payload_len = payload.len() as u32;
        shape
    };
    vec![
        sends(
            shape(
                "tcp_data",
                "next segment in order, timestamps",
                v4(TCP, &tcp(1, 443, ACK, &data)),
                Vary::Next,
            ),
            34,
            &data,
        ),
        shape("ack", "next acknowledgement", v4(TCP, &tcp(2, 443, ACK, &[])), Vary::Acknowledge),
        shape("syn", "a SYN sent again, its flow is known", v4(TCP, &tcp(3, 443, SYN, &[])), Vary::Same),
        shape("udp", "same datagram", v4(UDP, &udp(4, 9_000, &data[..100])), Vary::Same),
        sends(shape("ipv6_tcp", "next segment in order, timestamps", six, Vary::Next), 54, &data),
        sends(
            shape(
                "vlan",
                "next segment in order, tag in the frame",
                frame(&[0x81, 0x00], &tagged),
                Vary::Next,
            ),
            38,
            &data,
        ),
        Shape {
            at_once: 8_000,
            ..shape("dns_query", "same query, each copied", v4(UDP, &udp(5, 53, QUERY)), Vary::Same)
        },
        Shape {
            at_once: 8_000,
            ..sends(
                shape(
                    "http_turn",
                    "both sides in turn, each head copied, each a round trip",
                    v4(TCP, &tcp(6, 80, PUSH_ACK, GET)),
                    Vary::Turn,
                ),
                34,
                GET,
            )
        },
        Shape {
            before: Some(ethernet(first)),
            ..shape("fragment", "later fragment, the first one is known", ethernet(later), Vary::Same)
        },
        shape("arp", "no IP: counted and left", frame(&[0x08, 0x06], &[0; 46]), Vary::Same),
    ]
}

/// A segment inside GRE, where tunnels are looked into: two flows are counted per packet.
pub(crate) fn inside_gre() -> Shape {
    let data = [0x55; 1_400];
    let inner = ipv4(3, TCP, 0, &tcp(12, 443, ACK, &data));
    // RFC 2784, section 2.1: no checksum, version 0, IPv4 inside.
    let gre = [&[0, 0, 0x08, 0x00][..], &inner].concat();
    Shape {
        name: "gre_inner",
        exercises: "next segment inside GRE, outer and inner flow, decapsulate = all",
        stream: Stream {
            frame: frame(&[0x08, 0x00], &ipv4(1, GRE, 0, &gre)),
            vary: Vary::Next,
            transport_offset: 14 + 20 + 4 + 20,
            payload_len: data.len() as u32,
        },
        at_once: u32::MAX,
        before: None,
    }
}

/// Both sides of many connections, in random order.
pub(crate) fn connections() -> Shape {
    let data = [0x55; 1_448];
    Shape {
        name: "connections_131072",
        exercises: "2^17 connections, both sides in random order, next segment of each",
        stream: Stream {
            frame: frame(&[0x08, 0x00], &ipv4(1, TCP, 0, &tcp(21, 443, ACK, &data))),
            vary: Vary::Connection,
            transport_offset: 34,
            payload_len: data.len() as u32,
        },
        at_once: u32::MAX,
        before: None,
    }
}

/// A million flows in random order, each with its next segment.
pub(crate) fn million() -> Shape {
    let data = [0x55; 1_448];
    Shape {
        name: "million_flows",
        exercises: "2^20 flows in random order, next segment of each",
        stream: Stream {
            frame: frame(&[0x08, 0x00], &ipv4(1, TCP, 0, &tcp(20, 443, ACK, &data))),
            vary: Vary::Flow,
            transport_offset: 34,
            payload_len: data.len() as u32,
        },
        at_once: u32::MAX,
        before: None,
    }
}

fn frame(ethertype: &[u8], rest: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], ethertype, rest].concat()
}

fn ipv4(identification: u8, protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (20 + payload.len() as u16).to_be_bytes();
    let [fragment_high, fragment_low] = fragment.to_be_bytes();
    let mut packet =
        vec![0x45, 0, high, low, 0, identification, fragment_high, fragment_low, 64, protocol, 0, 0];
    packet.extend([10, 0, 0, 1, 192, 0, 2, 1]);
    packet.extend(payload);
    packet
}

fn ipv6(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16).to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, high, low, protocol, 64];
    for host in [1, 2] {
        packet.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host]);
    }
    packet.extend(payload);
    packet
}

fn tcp(host: u16, port: u16, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut segment = (40_000 + host).to_be_bytes().to_vec();
    segment.extend(port.to_be_bytes());
    segment.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x80, flags, 1, 0, 0, 0, 0, 0]);
    segment.extend([1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1]);
    segment.extend(payload);
    segment
}

fn udp(host: u16, port: u16, payload: &[u8]) -> Vec<u8> {
    let mut datagram = (40_000 + host).to_be_bytes().to_vec();
    datagram.extend(port.to_be_bytes());
    datagram.extend((8 + payload.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    datagram
}
