//! What strangers may send, made by hand: first packets, and requests, queries and hellos of as many clients as are wanted,
//! none of which is ever answered.

use etherparse::PacketBuilder;

use crate::support::{flood::Flood, namespace::Namespace};

const CLIENT: [u8; 4] = [10, 0, 0, 0];
/// Where it never arrives: the frames are for another device than the gateway's.
const SERVER: [u8; 4] = [198, 51, 100, 2];
/// Where an IPv4 packet has its addresses, and behind them its ports, in an Ethernet frame.
const SOURCE: usize = 26;
const DESTINATION: usize = 30;
const PORTS: usize = 34;

/// Frames of one kind, each with the client as its source or as its destination.
pub struct Story {
    pub name: &'static str,
    frames: Vec<Vec<u8>>,
    from_client: Vec<bool>,
    /// How often one client does it, each time with other bytes.
    times: u32,
    udp: bool,
}

fn tcp(from_client: bool, port: u16, seq: u32, syn: bool, payload: &[u8]) -> Vec<u8> {
    let (source, destination) = if from_client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
    let (from, to) = if from_client { (1_024, port) } else { (port, 1_024) };
    let ip =
        PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0, 0x77]).ipv4(source, destination, 64);
    let mut tcp = ip.tcp(from, to, seq, 64_240);
    if syn {
        tcp = tcp.syn();
    }
    if !syn || !from_client {
        tcp = tcp.ack(if from_client { 5_001 } else { 1_001 });
    }
    let mut frame = Vec::new();
    tcp.write(&mut frame, payload).unwrap();
    frame
}

impl Story {
    fn of_tcp(name: &'static str, port: u16, times: u32, handshake: bool, payload: &[u8]) -> Self {
        let mut frames = vec![tcp(true, port, 1_000, true, &[]), tcp(false, port, 5_000, true, &[])];
        if !handshake {
            frames.clear();
        }
        let mut from_client = vec![true, false];
        from_client.truncate(frames.len());
        if !payload.is_empty() {
            frames.push(tcp(true, port, 1_001, false, payload));
            from_client.push(true);
        }
        Self { name, frames, from_client, times, udp: false }
    }

    /// First packets of connections.
    pub fn syns() -> Self {
        Self {
            name: "SYN",
            frames: vec![tcp(true, 80, 1_000, true, &[])],
            from_client: vec![true],
            times: 1,
            udp: false,
        }
    }

    /// Connections of HTTP whose request is never answered, with a target of so many bytes; without a handshake where
    /// that is not wanted.
    pub fn http(handshake: bool, target: usize) -> Self {
        let target = "x".repeat(target);
        let request =
            format!("GET /flood/{target} HTTP/1.1\r\nHost: flood.example\r\nUser-Agent: flood\r\n\r\n");
        Self::of_tcp("HTTP", 80, 1, handshake, request.as_bytes())
    }

    /// One connection after the other asks for so much at once that most of it waits.
    pub fn pipelines(requests: usize) -> Self {
        let request = "GET /p HTTP/1.1\r\nHost: h\r\n\r\n".repeat(requests);
        Self::of_tcp("HTTP, pipelined", 80, 1, true, request.as_bytes())
    }

    /// Hellos of TLS that nobody answers.
    pub fn tls(handshake: bool) -> Self {
        Self::of_tcp("TLS", 443, 1, handshake, &hello("flood.example"))
    }

    /// Queries that nobody answers, so many of each client.
    pub fn dns(times: u32) -> Self {
        let ip = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0, 0x77]).ipv4(CLIENT, SERVER, 64);
        let mut frame = Vec::new();
        ip.udp(1_024, 53).write(&mut frame, &query(0, "a-label-of-some-length.flood.example")).unwrap();
        Self { name: "DNS", frames: vec![frame], from_client: vec![true], times, udp: true }
    }

    /// How it goes out of a device, from so many addresses: 10.0.0.0 and those behind it.
    pub fn start(&self, namespace: &Namespace, device: &str, sources: u32) -> Telling<'_> {
        Telling { story: self, flood: Flood::of(namespace, device, &self.frames), sources, frame: 0 }
    }
}

/// A story that is told again and again.
pub struct Telling<'a> {
    story: &'a Story,
    flood: Flood,
    sources: u32,
    frame: u64,
}

impl Telling<'_> {
    /// Sends some frames more.
    pub fn send(&mut self) {
        let Self { story, flood, sources, frame: number } = self;
        let len = story.frames.len() as u64;
        flood.send(|frame| {
            let [round, at] = [*number / len, *number % len];
            let client = round / u64::from(story.times);
            let address = (u32::from_be_bytes(CLIENT) + client as u32 % *sources).to_be_bytes();
            // Another port where the addresses have all had their turn.
            let port = (1_024 + (client / u64::from(*sources)) % 60_000) as u16;
            let from_client = story.from_client[at as usize];
            let (place, ports) = if from_client { (SOURCE, PORTS) } else { (DESTINATION, PORTS + 2) };
            frame[place..place + 4].copy_from_slice(&address);
            frame[ports..ports + 2].copy_from_slice(&port.to_be_bytes());
            if story.udp {
                // Another query each time.
                frame[PORTS + 8..PORTS + 10].copy_from_slice(&(round as u16).to_be_bytes());
            }
            *number += 1;
        });
    }

    /// Frames that the kernel took.
    pub const fn sent(&self) -> u64 {
        self.flood.sent()
    }
}

/// A ClientHello in its record, of the usual size; the name is all that matters here.
pub fn hello(name: &str) -> Vec<u8> {
    let name = name.as_bytes();
    let mut extensions = vec![0, 0];
    extensions.extend((name.len() as u16 + 5).to_be_bytes());
    extensions.extend((name.len() as u16 + 3).to_be_bytes());
    extensions.push(0);
    extensions.extend((name.len() as u16).to_be_bytes());
    extensions.extend(name);
    // Padding (RFC 7685).
    extensions.extend([0, 21, 1, 44]);
    extensions.extend([0; 300]);
    let mut body = vec![3, 3];
    body.extend([9; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    handshake(1, &body)
}

/// The answer to it.
pub fn server_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([8; 32]);
    // No session, a cipher, no compression, TLS 1.3 by its extension.
    body.extend([0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
    handshake(2, &body)
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut record = vec![22, 3, 3];
    record.extend((body.len() as u16 + 4).to_be_bytes());
    record.extend([kind, 0]);
    record.extend((body.len() as u16).to_be_bytes());
    record.extend(body);
    record
}

/// A query for an address.
pub fn query(id: u16, name: &str) -> Vec<u8> {
    let mut query = id.to_be_bytes().to_vec();
    query.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        query.push(label.len() as u8);
        query.extend(label.bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    query
}
