//! Five hosts that ask a web server, a resolver and a server of TLS, and get their answers.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread::Scope,
    time::Duration,
};

use serde_json::Value;

use super::{
    loopback,
    stories::{hello, query, server_hello},
};
use crate::support::router::{Router, SERVER_V4};

/// Of the client's network.
pub const HOSTS: u8 = 5;
const BETWEEN: Duration = Duration::from_millis(60);
const PATIENCE: Duration = Duration::from_secs(5);

/// What was asked and answered so far, in the order of [`Asked::NAMES`].
#[derive(Default)]
pub struct Asked([AtomicU64; 3]);

impl Asked {
    pub const NAMES: [&str; 3] = ["HTTP", "DNS", "TLS"];

    pub fn answered(&self) -> [u64; 3] {
        self.0.each_ref().map(|count| count.load(Relaxed))
    }
}

/// How many of the lines are whole, and of honest questions.
pub fn lines(lines: &[Value], field: &str, outcome: &str) -> u64 {
    let is_honest = |line: &&Value| {
        line[field].as_str().is_some_and(|text| text.contains("honest")) && line["outcome"] == outcome
    };
    lines.iter().filter(is_honest).count() as u64
}

/// Gives the hosts their addresses.
pub fn move_in(router: &Router) {
    for host in 1..HOSTS {
        router.client.ip(&format!("addr add {}/24 dev eth0", SocketAddr::from((address(host), 0)).ip()));
    }
}

fn address(host: u8) -> [u8; 4] {
    [192, 0, 2, 2 + host]
}

fn server(port: u16) -> SocketAddr {
    SocketAddr::new(SERVER_V4.parse().unwrap(), port)
}

/// Starts servers and hosts.
pub fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    router: &'scope Router,
    stop: &'scope AtomicBool,
    asked: &'scope Asked,
) {
    let (udp, tcp) = router
        .server
        .enter(|| (UdpSocket::bind((SERVER_V4, 53)).unwrap(), TcpListener::bind((SERVER_V4, 443)).unwrap()));
    udp.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    tcp.set_nonblocking(true).unwrap();
    scope.spawn(move || resolve(&udp, stop));
    scope.spawn(move || greet(&tcp, stop));
    for host in 0..HOSTS {
        scope.spawn(move || router.client.enter(|| talk(host, stop, asked)));
    }
}

/// Answers every query with its question.
fn resolve(socket: &UdpSocket, stop: &AtomicBool) {
    let mut buffer = [0; 2_048];
    while !stop.load(Relaxed) {
        let Ok((len, from)) = socket.recv_from(&mut buffer) else { continue };
        (buffer[2], buffer[3]) = (0x81, 0x80);
        let _ = socket.send_to(&buffer[..len], from);
    }
}

fn greet(listener: &TcpListener, stop: &AtomicBool) {
    while !stop.load(Relaxed) {
        let Ok((mut stream, _)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        };
        let _ = stream.set_nonblocking(false);
        let _ = stream.set_read_timeout(Some(PATIENCE));
        let mut buffer = [0; 2_048];
        if stream.read(&mut buffer).is_ok_and(|len| len > 0) {
            let _ = stream.write_all(&server_hello());
        }
    }
}

fn talk(host: u8, stop: &AtomicBool, asked: &Asked) {
    let socket = UdpSocket::bind((std::net::Ipv4Addr::from(address(host)), 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.connect(server(53)).unwrap();
    let mut number = 0_u16;
    while !stop.load(Relaxed) {
        number = number.wrapping_add(1);
        let name = format!("honest-{host}-{number}.example");
        let request =
            format!("GET /echo/honest-{host}-{number} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        let mut buffer = [0; 4_096];
        let http = exchange(host, 80, request.as_bytes(), &mut buffer, true);
        let sent = socket.send(&query(number, &name));
        let dns = sent.is_ok() && socket.recv(&mut buffer).is_ok();
        let tls = exchange(host, 443, &hello(&name), &mut buffer, false);
        for (count, answered) in asked.0.iter().zip([http, dns, tls]) {
            count.fetch_add(u64::from(answered), Relaxed);
        }
        std::thread::sleep(BETWEEN);
    }
}

/// Asks and reads an answer; whether there was one.
fn exchange(host: u8, port: u16, request: &[u8], buffer: &mut [u8], to_end: bool) -> bool {
    let Ok(mut stream) = loopback::connect_to(server(port), address(host), None) else { return false };
    let _ = stream.set_read_timeout(Some(PATIENCE));
    if stream.write_all(request).is_err() {
        return false;
    }
    let mut answered = false;
    while let Ok(len) = stream.read(buffer)
        && len > 0
    {
        answered = true;
        if !to_end {
            break;
        }
    }
    answered
}
