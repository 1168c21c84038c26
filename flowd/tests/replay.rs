//! A capture that the test writes itself: `flowd read` logs and counts what the daemon would have, had it watched.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{fs, process::Command};

use etherparse::PacketBuilder;

const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [198, 51, 100, 7];
/// Seconds since the epoch at which each capture begins.
const BEGAN: u64 = 1_790_000_000;
const SECOND: u64 = 1_000_000_000;

/// A pcapng file in nanoseconds.
struct Capture {
    bytes: Vec<u8>,
    /// Nanoseconds since [`BEGAN`].
    now: u64,
}

impl Capture {
    /// With an Ethernet interface of each name.
    fn new(interfaces: &[&str]) -> Self {
        let mut capture = Self { bytes: Vec::new(), now: 0 };
        let unknown_length = u64::MAX.to_le_bytes();
        capture.block(
            0x0a0d_0d0a,
            &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &unknown_length].concat(),
        );
        for name in interfaces {
            let mut body = vec![1, 0, 0, 0, 0, 0, 0, 0];
            option(&mut body, 2, name.as_bytes());
            // if_tsresol: 10 to the minus 9th.
            option(&mut body, 9, &[9]);
            option(&mut body, 0, &[]);
            capture.block(1, &body);
        }
        capture
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let length = u32::try_from(body.len().next_multiple_of(4) + 12).unwrap().to_le_bytes();
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(length);
        self.bytes.extend(body);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.bytes.extend(length);
    }

    /// A packet that passes an interface at the present time.
    fn packet(&mut self, interface: u32, frame: &[u8]) {
        let time = BEGAN * SECOND + self.now;
        let length = u32::try_from(frame.len()).unwrap();
        let head = [interface, (time >> 32) as u32, time as u32, length, length];
        let body = [&head.map(u32::to_le_bytes).concat(), frame].concat();
        self.block(6, &body);
    }

    /// What `flowd read` prints of it.
    fn read(&self, arguments: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture.pcapng");
        fs::write(&path, &self.bytes).unwrap();
        let output =
            Command::new(env!("CARGO_BIN_EXE_flowd")).arg("read").arg(path).args(arguments).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn option(into: &mut Vec<u8>, code: u16, value: &[u8]) {
    into.extend(code.to_le_bytes());
    into.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
    into.extend(value);
    into.resize(into.len().next_multiple_of(4), 0);
}

/// A TCP connection, as frames.
struct Connection {
    ports: [u16; 2],
    /// The next sequence numbers of client and server.
    next: [u32; 2],
}

impl Connection {
    const CLIENT: usize = 0;
    const SERVER: usize = 1;

    /// Opens it, `each` frame handed on.
    fn open(port: u16, server_port: u16, mut each: impl FnMut(&[u8])) -> Self {
        let mut connection = Self { ports: [port, server_port], next: [1_000, 9_000] };
        for (from, flags) in [(Self::CLIENT, "S"), (Self::SERVER, "SA"), (Self::CLIENT, "A")] {
            each(&connection.frame(from, flags, b""));
        }
        connection
    }

    /// The next segment of a side: `S`, `A` and `P` are its flags.
    fn frame(&mut self, from: usize, flags: &str, payload: &[u8]) -> Vec<u8> {
        let (ends, to) = ([CLIENT, SERVER], 1 - from);
        let builder =
            PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]).ipv4(ends[from], ends[to], 64);
        let mut builder = builder.tcp(self.ports[from], self.ports[to], self.next[from], 65_000);
        if flags.contains('S') {
            builder = builder.syn();
        }
        if flags.contains('A') {
            builder = builder.ack(self.next[to]);
        }
        if flags.contains('P') {
            builder = builder.psh();
        }
        let mut frame = Vec::new();
        builder.write(&mut frame, payload).unwrap();
        self.next[from] += u32::try_from(payload.len()).unwrap() + u32::from(flags.contains('S'));
        frame
    }
}

/// The sum of all series of a family that have this label, or of all.
fn sum(metrics: &str, family: &str, label: &str) -> u64 {
    let lines = metrics.lines().filter(|line| {
        let named = line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' ']));
        named && line.contains(label)
    });
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() as u64).sum()
}

/// Each request has a segment of its own, and none an answer: the first of them make room for those after the 64th.
#[test]
fn messages_that_were_given_up_are_counted() {
    const REQUESTS: u64 = 80;
    const KEPT: u64 = 64;
    let mut capture = Capture::new(&["eth0"]);
    let mut connection = Connection::open(40_000, 80, |frame| capture.packet(0, frame));
    for number in 0..REQUESTS {
        capture.now += 1_000_000;
        let request = format!("GET /{number} HTTP/1.1\r\nHost: www.example.org\r\n\r\n");
        capture.packet(0, &connection.frame(Connection::CLIENT, "AP", request.as_bytes()));
    }
    let metrics = capture.read(&["--metrics"]);
    let dropped = |reason: &str| sum(&metrics, "flowd_http_messages_dropped_total", reason);
    assert_eq!(dropped("pipeline_full"), REQUESTS - KEPT, "{metrics}");
    assert_eq!(dropped(""), REQUESTS - KEPT);
}

fn datagram(from: ([u8; 4], u16), to: ([u8; 4], u16), payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]).ipv4(from.0, to.0, 64);
    let mut frame = Vec::new();
    builder.udp(from.1, to.1).write(&mut frame, payload).unwrap();
    frame
}

/// A query for `flowd.example` with its answer of one address (RFC 1035 section 4).
fn lookup() -> [Vec<u8>; 2] {
    let name = b"\x05flowd\x07example\0\0\x01\0\x01";
    let head =
        |flags: [u8; 2], answers| [&[0x12, 0x34][..], &flags, &[0, 1, 0, answers, 0, 0, 0, 0]].concat();
    let address = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x09";
    [[&head([1, 0], 0)[..], name].concat(), [&head([0x81, 0x80], 1)[..], name, address].concat()]
}

/// Every packet passes eth0 and then eth1, as on a gateway both of whose sides are watched. An exchange has one line and
/// counts once; flows and interfaces tell what passed each.
#[test]
fn both_sides_of_a_gateway_tell_each_exchange_once() {
    let (client, server) = ((CLIENT, 45_000), (SERVER, 53));
    let [query, answer] = lookup();
    let mut frames = vec![datagram(client, server, &query), datagram(server, client, &answer)];
    let mut connection = Connection::open(40_000, 80, |frame| frames.push(frame.to_vec()));
    for (request, response) in [
        (
            "GET /a HTTP/1.1\r\nHost: www.example.org\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        ),
        (
            "GET /b HTTP/1.1\r\nHost: www.example.org\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        ),
    ] {
        frames.push(connection.frame(Connection::CLIENT, "AP", request.as_bytes()));
        frames.push(connection.frame(Connection::SERVER, "AP", response.as_bytes()));
    }
    let mut capture = Capture::new(&["eth0", "eth1"]);
    for frame in &frames {
        for interface in [0, 1] {
            capture.now += 20_000;
            capture.packet(interface, frame);
        }
    }

    let printed = capture.read(&[]);
    let lines: Vec<serde_json::Value> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).collect::<Vec<_>>();
    let targets: Vec<&str> = of("http").iter().map(|line| line["target"].as_str().unwrap()).collect();
    assert_eq!(targets, ["/a", "/b"], "{printed}");
    assert_eq!(of("dns").len(), 1, "{printed}");
    let ifaces: Vec<&str> = ["http", "dns"]
        .iter()
        .flat_map(|kind| of(kind))
        .map(|line| line["iface"].as_str().unwrap())
        .collect();
    assert_eq!(ifaces, ["eth0"; 3], "the first that saw it");
    assert_eq!(of("flow").len(), 4, "one of each conversation at each interface");
    let summary = of("summary")[0];
    assert_eq!((&summary["http"], &summary["dns"]), (&2.into(), &1.into()), "{summary}");

    let metrics = capture.read(&["--metrics"]);
    assert_eq!(sum(&metrics, "flowd_http_requests_total", ""), 2, "{metrics}");
    assert_eq!(sum(&metrics, "flowd_http_request_duration_seconds_count", ""), 2);
    assert_eq!(sum(&metrics, "flowd_dns_queries_total", ""), 1);
    for iface in ["iface=\"eth0\"", "iface=\"eth1\""] {
        assert_eq!(sum(&metrics, "flowd_interface_packets_total", iface), frames.len() as u64);
    }
}

/// A scan takes every series before the services come that carry the traffic. These have series in the end, as with the
/// daemon, and the sum stays exact.
#[test]
fn the_heaviest_have_series_in_the_end() {
    // More ports than there are series for by default, 2,000: each has one per direction.
    const SCANNED: u16 = 2_500;
    const HEAVY: [u16; 10] = [443, 5_432, 6_379, 3_306, 8_080, 9_092, 9_200, 27_017, 5_672, 1_883];
    const ROUNDS: u32 = 15_000;
    let mut capture = Capture::new(&["eth0"]);
    for port in 0..SCANNED {
        capture.now += 1_000_000;
        Connection::open(40_000, 10_000 + port, |frame| capture.packet(0, frame));
    }
    let mut heavy: Vec<Connection> =
        HEAVY.iter().map(|port| Connection::open(41_000, *port, |frame| capture.packet(0, frame))).collect();
    let mut sent = 0;
    // For a quarter of an hour.
    for _ in 0..ROUNDS {
        capture.now += 60_000_000;
        for connection in &mut heavy {
            let frame = connection.frame(Connection::CLIENT, "A", &[0; 100]);
            capture.packet(0, &frame);
            sent += 1;
        }
    }
    let metrics = capture.read(&["--metrics"]);
    let packets = "flowd_flow_packets_total";
    for port in HEAVY {
        let shown = sum(&metrics, packets, &format!("server_port=\"{port}\""));
        assert!(shown > u64::from(ROUNDS) / 4, "{shown} of port {port} have a series");
    }
    let opening = 3 * (u64::from(SCANNED) + HEAVY.len() as u64);
    assert_eq!(sum(&metrics, packets, ""), sent + opening);
    assert_eq!(sum(&metrics, packets, ""), sum(&metrics, "flowd_interface_packets_total", ""));
    let drained = sum(&metrics, "flowd_last_drain_timestamp_seconds", "");
    assert_eq!(drained, BEGAN + capture.now / SECOND, "the end of the capture");
}
