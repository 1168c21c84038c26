//! Frames aimed at edges: every header that the packet path knows, chained, cut and damaged, in conversations
//! that lose, repeat and reorder segments.

#![allow(clippy::indexing_slicing, reason = "a test's own tables")]

/// A frame, its time (ns), and what segmentation offload says of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    pub(crate) bytes: Vec<u8>,
    pub(crate) time: u64,
    pub(crate) segments: u32,
    pub(crate) segment_size: u32,
}

/// An endless, repeatable stream of frames.
pub(crate) struct Generator {
    state: u64,
    time: u64,
    /// Next sequence numbers of the conversations: both sides.
    conversations: Vec<[u32; 2]>,
}

/// What may stand around a packet.
const WRAPS: u64 = 15;

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        let conversations = (0..64).map(|index| [index * 0x0400_0000, u32::MAX - index * 777]).collect();
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            time: 1_700_000_000_000_000_000,
            conversations,
        }
    }

    /// xorshift64*.
    fn next_word(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next_word() % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One valid frame of each shape.
    pub(crate) fn shapes(&mut self) -> Vec<Frame> {
        let mut shapes = Vec::new();
        for inner in 0..8 {
            for wrap in 0..WRAPS {
                for ipv6 in [false, true] {
                    let bytes = self.frame(inner, wrap, ipv6);
                    self.time += 1_000_000;
                    shapes.push(Frame { bytes, time: self.time, segments: 0, segment_size: 0 });
                }
            }
        }
        shapes
    }

    fn frame(&mut self, inner: u64, wrap: u64, ipv6: bool) -> Vec<u8> {
        let (protocol, transport) = self.transport(inner);
        let packet = self.network(ipv6, protocol, &transport);
        let ethertype: [u8; 2] = if ipv6 { [0x86, 0xdd] } else { [0x08, 0x00] };
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        match wrap {
            // VLAN tags, one to four.
            1..=3 | 11 => {
                for _ in 0..if wrap == 11 { 4 } else { wrap } {
                    frame.extend([0x81, 0x00, 0x00, self.below(3) as u8]);
                }
                frame.extend(ethertype);
                frame.extend(packet);
            }
            // PPPoE session.
            4 => {
                frame.extend([0x88, 0x64, 0x11, 0, 0, 1, 0, 0]);
                frame.extend(if ipv6 { [0x00, 0x57] } else { [0x00, 0x21] });
                frame.extend(packet);
            }
            // MPLS, two labels.
            5 => {
                frame.extend([0x88, 0x47, 0, 1, 0x00, 64, 0, 1, 0x11, 64]);
                frame.extend(packet);
            }
            // IP in IP, GRE, VXLAN, Geneve, GTP-U, each around the packet.
            6 => {
                let outer = self.network(false, if ipv6 { 41 } else { 4 }, &packet);
                frame.extend([0x08, 0x00]);
                frame.extend(outer);
            }
            7 => {
                let mut gre = vec![0x20, 0x00];
                gre.extend(ethertype);
                gre.extend([0, 0, 0, 9 + self.below(3) as u8]);
                gre.extend(packet);
                let outer = self.network(false, 47, &gre);
                frame.extend([0x08, 0x00]);
                frame.extend(outer);
            }
            8..=10 => {
                let (port, mut head): (u16, Vec<u8>) = match wrap {
                    8 => (4789, vec![8, 0, 0, 0, 0, 0, 7, 0]),
                    9 => (6081, vec![1, 0, 0x65, 0x58, 0, 0, 5, 0, 0, 0, 0, 0]),
                    _ => (2152, vec![0x30, 255, 0, 0, 0, 0, 0, 6]),
                };
                if wrap != 10 {
                    head.extend([2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 4]);
                    head.extend(ethertype);
                }
                head.extend(packet);
                let udp = udp(49_152, port, &head);
                let outer = self.network(false, 17, &udp);
                frame.extend([0x08, 0x00]);
                frame.extend(outer);
            }
            // An Ethernet pseudowire over MPLS, with and without control word; addresses begin as IP and the word do.
            12 => {
                frame.extend([0x88, 0x47, 0, 1, 0x00, 64, 0, 1, 0x11, 64]);
                frame.extend([&[][..], &[0; 4], &[0, 0, 0x12, 0x34]][self.below(3) as usize]);
                frame.extend(
                    [[0x45, 0, 0, 0x30], [0x60, 0, 0, 0], [0; 4], [2, 0, 0, 0]][self.below(4) as usize],
                );
                frame.extend([0, 3, 2, 0, 0, 0, 0, 4]);
                frame.extend([&[][..], &[0x81, 0x00, 0x00, 7]][self.below(2) as usize]);
                frame.extend(ethertype);
                frame.extend(packet);
            }
            // ERSPAN of each type, the third with its subheader.
            13 => {
                let mut gre = match self.below(3) {
                    0 => vec![0, 0, 0x88, 0xbe],
                    1 => vec![0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 5, 0, 0, 0, 0],
                    _ => {
                        let mut head = vec![0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 5];
                        head.extend([0, 0, 0, 0, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9]);
                        head
                    }
                };
                gre.extend([2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 4]);
                gre.extend(ethertype);
                gre.extend(packet);
                let outer = self.network(false, 47, &gre);
                frame.extend([0x08, 0x00]);
                frame.extend(outer);
            }
            // LLC with SNAP, of both organisations.
            14 => {
                let length = (packet.len() + 8) as u16;
                frame.extend(length.min(1_500).to_be_bytes());
                frame.extend([0xaa, 0xaa, 3, 0, 0, [0, 0xf8][self.below(2) as usize]]);
                frame.extend(ethertype);
                frame.extend(packet);
            }
            _ => {
                frame.extend(ethertype);
                frame.extend(packet);
            }
        }
        frame
    }

    /// An IP packet; IPv4 sometimes with options, IPv6 with extension headers, both in fragments.
    fn network(&mut self, ipv6: bool, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let host = |generator: &mut Self| generator.below(6) as u8 + 1;
        let (source, destination) = (host(self), host(self));
        let tos = [0, 0, 0, 3, 0xb8][self.below(5) as usize];
        if !ipv6 {
            let options: &[u8] = match self.below(12) {
                0 => &[1, 1, 1, 0],
                1 => &[131, 7, 4, 10, 0, 0, 9, 0],
                2 => &[7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                _ => &[],
            };
            let header_len = 20 + options.len();
            let total = (header_len + payload.len()) as u16;
            let fragment: [u8; 2] = match self.below(20) {
                0 => [0x20, 0],
                1 => [0x20, 10],
                2 => [0x00, 20],
                _ => [0x40, 0],
            };
            let mut packet = vec![0x40 | (header_len / 4) as u8, tos];
            packet.extend(total.to_be_bytes());
            packet.extend([0, self.below(4) as u8]);
            packet.extend(fragment);
            packet.extend([64, protocol, 0, 0, 10, 0, 0, source, 10, 0, 0, destination]);
            packet.extend(options);
            packet.extend(payload);
            return packet;
        }
        let mut chain: Vec<(u8, Vec<u8>)> = Vec::new();
        for _ in 0..self.below(4) {
            chain.push(match self.below(5) {
                0 => (0, vec![0, 0, 1, 4, 0, 0, 0, 0]),
                1 => (43, vec![0, 0, 0, 0, 0, 0, 0, 0]),
                2 => (60, vec![0, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
                3 => (51, vec![0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
                _ => (44, vec![0, 0, 0, [0, 1, 9][self.below(3) as usize], 0, 0, 0, self.below(4) as u8]),
            });
        }
        let mut rest = Vec::new();
        for index in 0..chain.len() {
            let next = chain.get(index + 1).map_or(protocol, |(kind, _)| *kind);
            chain[index].1[0] = next;
            rest.extend_from_slice(&chain[index].1);
        }
        rest.extend(payload);
        let first = chain.first().map_or(protocol, |(kind, _)| *kind);
        let mut packet = vec![0x60 | tos >> 4, tos << 4, 0, 0];
        packet.extend((rest.len() as u16).to_be_bytes());
        packet.extend([first, 64]);
        for last in [source, destination] {
            packet.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
        }
        packet.extend(rest);
        packet
    }

    fn transport(&mut self, kind: u64) -> (u8, Vec<u8>) {
        match kind {
            0..=3 => (6, self.tcp()),
            4 => {
                let (client, message) = (1024 + self.below(8) as u16, dns(self.below(1500) as usize));
                (17, if self.chance(50) { udp(53, client, &message) } else { udp(client, 53, &message) })
            }
            5 => {
                let kind = [8, 0, 3, 128, 129][self.below(5) as usize];
                (if self.chance(50) { 1 } else { 58 }, vec![kind, 0, 0, 0, 0, self.below(4) as u8, 0, 1])
            }
            6 => (132, vec![0x0b, 0x59, 0x0b, 0x5a, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]),
            _ => ([50, 89, 112, 59][self.below(4) as usize], vec![0; 24]),
        }
    }

    /// A segment of one of the conversations: mostly the next, sometimes an old, a late or a far one.
    fn tcp(&mut self) -> Vec<u8> {
        let index = self.below(64) as usize;
        let side = self.below(2) as usize;
        let (hello, lookup) = (client_hello(400 + 1400 * (index as u64 % 2)), dns(40));
        let (first, second) = hello.split_at(hello.len().min(700));
        let payload: &[u8] = match self.below(16) {
            0 => b"GET /path?q=1 HTTP/1.1\r\nHost: a\r\n\r\n",
            1 => b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
            2 => b"POST / HTTP/1.1\r\nHost: b\r\nContent-Le",
            3 => b"G",
            4 => b"x",
            5 => &[0x55; 700],
            // A hello in one segment, or in two; another record; an alert; a head of a record alone.
            6 => &hello,
            7 => first,
            8 => second,
            9 => &[22, 3, 3, 0, 4, 2, 0, 0, 0],
            10 => &[21, 3, 3, 0, 2, 2, 40],
            11 => &[22, 3],
            // A message behind its length, and the length alone.
            12 => &lookup,
            13 => &[0, 40],
            _ => b"",
        };
        let sequence = self.conversations[index][side];
        let other = self.conversations[index][1 - side];
        let start = match self.below(16) {
            0 => sequence.wrapping_sub(1),
            1 => sequence.wrapping_sub(self.below(2000) as u32),
            2 => sequence.wrapping_add(self.below(3000) as u32),
            _ => sequence,
        };
        let flags: u8 = match self.below(24) {
            0 => 0x02,
            1 => 0x12,
            2 => 0x11,
            3 => 0x04,
            4 => 0x14,
            5 => 0xc2,
            6 => 0x01,
            7 => 0x29,
            8..=13 => 0x18,
            _ => 0x10,
        };
        if start == sequence {
            self.conversations[index][side] = sequence.wrapping_add(payload.len() as u32);
        }
        let stamp = (self.time / 1_000_000) as u32;
        let options: Vec<u8> = match self.below(8) {
            0 => vec![2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7],
            1 => {
                let mut late = vec![1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 8, 10];
                late.extend(stamp.to_be_bytes());
                late.extend(stamp.wrapping_sub(3).to_be_bytes());
                late.extend([1, 1, 0]);
                late
            }
            2..=4 => {
                let mut aligned = vec![1, 1, 8, 10];
                aligned.extend(stamp.to_be_bytes());
                aligned.extend(stamp.wrapping_sub(self.below(4) as u32).to_be_bytes());
                aligned
            }
            _ => Vec::new(),
        };
        let ports = [1024 + index as u16, [80_u16, 53, 50_000, 443][index % 4]];
        let mut segment = Vec::new();
        segment.extend(ports[side].to_be_bytes());
        segment.extend(ports[1 - side].to_be_bytes());
        segment.extend(start.to_be_bytes());
        segment.extend(other.wrapping_sub(self.below(3) as u32 * 100).to_be_bytes());
        segment.extend([((20 + options.len()) / 4 * 16) as u8, flags]);
        segment.extend(([0_u16, 512, 512, 1000][self.below(4) as usize]).to_be_bytes());
        segment.extend([0; 4]);
        segment.extend(options);
        segment.extend(payload);
        segment
    }
}

impl Iterator for Generator {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        // Mostly close together, at times long enough apart for a timeout.
        self.time += match self.below(200) {
            0 => 6_000_000_000,
            1 if self.chance(10) => 301_000_000_000,
            _ => self.below(4_000_000),
        };
        let inner = if self.chance(60) { 0 } else { self.below(8) };
        let wrap = if self.chance(50) { 0 } else { self.below(WRAPS) };
        let ipv6 = self.chance(30);
        let mut bytes = self.frame(inner, wrap, ipv6);
        if self.chance(10) {
            let cut = self.below(bytes.len() as u64) as usize;
            bytes.truncate(cut.max(14));
        }
        if self.chance(10) {
            let at = 12 + self.below(bytes.len() as u64 - 12) as usize;
            bytes[at] = self.next_word() as u8;
        }
        if self.chance(3) {
            // ARP, spanning tree, or Ethernet padding behind a short packet.
            match self.below(3) {
                0 => bytes.splice(12..14, [0x08, 0x06]).for_each(drop),
                1 => bytes.splice(12..14, [0x00, 0x26]).for_each(drop),
                _ => bytes.resize(bytes.len().max(60), 0),
            }
        }
        let super_packet = self.chance(5);
        let segments = if super_packet { self.below(5) as u32 } else { 0 };
        let segment_size = if super_packet { 1 + self.below(300) as u32 } else { 0 };
        Some(Frame { bytes, time: self.time, segments, segment_size })
    }
}

fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend(source.to_be_bytes());
    datagram.extend(destination.to_be_bytes());
    datagram.extend((8 + payload.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    datagram
}

/// A message of `len` bytes behind its length, as over TCP.
fn dns(len: usize) -> Vec<u8> {
    let mut message = (len as u16).to_be_bytes().to_vec();
    message.extend([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 1, 0, 1]);
    message.resize(len + 2, 0);
    message
}

/// A record with the head of a ClientHello whose body takes `len` bytes.
fn client_hello(len: u64) -> Vec<u8> {
    let [.., high, low] = len.to_be_bytes();
    let [.., outer_high, outer_low] = (len + 4).to_be_bytes();
    let mut record = vec![22, 3, 1, outer_high, outer_low, 1, 0, high, low, 3, 3];
    record.resize(len as usize + 9, 7);
    record
}
