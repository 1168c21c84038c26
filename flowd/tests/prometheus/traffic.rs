//! Traffic that gives every panel something to show.

use std::{
    net::{TcpStream, UdpSocket},
    time::{Duration, Instant},
};

use super::support::{
    frames::{Wire, ethernet},
    iperf::Iperf,
    lossy::Lossy,
    nginx::Nginx,
    process::attempt,
    router::{CLIENT_V4, SERVER_V4},
    scripts,
};

/// Connections that the scan begins.
const SCAN: u32 = 200_000;

pub fn run(path: &Lossy, seconds: u64) {
    let _nginx = Nginx::start(&path.server);
    let iperf = Iperf::start(&path.server);
    let resolver = path.server.enter(|| UdpSocket::bind((SERVER_V4, 53)).unwrap());
    resolver.set_nonblocking(true).unwrap();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut scanned = 0;
    let wire = Wire::open(&path.client, "eth0");
    let mut round = 0;
    let scripts = scripts::all();
    while Instant::now() < end || scanned < SCAN {
        iperf.second(&path.client, SERVER_V4, &["-b", "20M"]);
        requests(path);
        scripts::play(&scripts, &path.client, &path.server, SERVER_V4);
        refused(path);
        names(path, &resolver);
        // In three parts, so that readings and scrapes fall between and into them.
        round += 1;
        if round % 4 == 0 && scanned < SCAN {
            let part = scanned..(scanned + SCAN.div_ceil(3)).min(SCAN);
            scanned = part.end;
            scan(&wire, part);
        }
    }
}

fn requests(path: &Lossy) {
    let mut curl = path.client.command("curl");
    curl.args(["-sS", "--max-time", "10"]);
    for target in ["page/", "large/", "missing/", "broken/", "echo/"] {
        for number in 0..10 {
            curl.args(["-o", "/dev/null", &format!("http://{SERVER_V4}/{target}{number}")]);
        }
    }
    attempt(&mut curl);
    let mut post = path.client.command("curl");
    let url = format!("http://{SERVER_V4}/made/");
    attempt(post.args(["-sS", "--max-time", "10", "-o", "/dev/null", "--data", "x=1", &url]));
}

fn refused(path: &Lossy) {
    path.client.enter(|| {
        for _ in 0..20 {
            assert!(TcpStream::connect((SERVER_V4, 81)).is_err());
        }
    });
}

/// Queries for a name, of which the last finds no answer.
fn names(path: &Lossy, resolver: &UdpSocket) {
    path.client.enter(|| {
        let socket = UdpSocket::bind((CLIENT_V4, 0)).unwrap();
        for number in 0..5 {
            let mut query = vec![0, number, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
            query.extend_from_slice(b"\x07example\x03org\x00\x00\x01\x00\x01");
            socket.send_to(&query, (SERVER_V4, 53)).unwrap();
        }
    });
    std::thread::sleep(Duration::from_millis(50));
    let mut query = [0; 512];
    for _ in 0..4 {
        let Ok((len, client)) = resolver.recv_from(&mut query) else { return };
        let Some(answer) = query.get_mut(..len) else { return };
        answer[2] |= 0x80;
        resolver.send_to(answer, client).unwrap();
    }
}

/// SYNs from one host to all ports, to a link address that is nobody's, so that only flowd looks at them.
fn scan(wire: &Wire, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let builder = etherparse::PacketBuilder::ipv4([192, 0, 2, 9], [198, 51, 100, 77], 64)
            .tcp(20_000 + (number / 50_000) as u16, (number % 50_000 + 1) as u16, number, 1_024)
            .syn();
        let mut packet = Vec::with_capacity(builder.size(0));
        builder.write(&mut packet, &[]).unwrap();
        wire.send(&ethernet([2, 0, 0, 0, 0, 0x77], 0x0800, &packet));
    }
}
