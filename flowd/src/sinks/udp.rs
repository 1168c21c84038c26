//! Datagrams to a peer, each batch one of them.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _, UdpSocket},
};

use super::{
    transport::{Failure, Transport},
    url::Url,
};
use crate::kernel::path_mtu;

/// Octets of a packet at most, where the URL does not say otherwise: Ethernet's. Loopback has a larger MTU, which many
/// collectors have no room for.
const MTU: usize = 1_500;
/// The least that IPv6 asks of a link (RFC 8200 section 5), and the most that UDP can say.
const MTUS: std::ops::RangeInclusive<usize> = 1_280..=65_535;
/// Headers of UDP behind IPv4 and behind IPv6.
const OVER_V4: usize = 28;
const OVER_V6: usize = 48;

/// A peer at a host and port. Nothing confirms what it got; all that is ever heard of it is that nobody listens there.
#[derive(Debug)]
pub(super) struct Udp {
    host: String,
    port: u16,
    mtu: usize,
    peer: String,
    socket: Option<UdpSocket>,
    /// Of the peer's address.
    overhead: usize,
}

impl Udp {
    /// The peer of a URL `SCHEME://HOST:PORT`.
    ///
    /// # Errors
    /// Says how it is written.
    pub(super) fn of(url: &Url, port: u16) -> Result<Self, String> {
        let form = || format!("write {}://HOST:PORT", url.scheme);
        let authority = url.target.strip_prefix("//").ok_or_else(form)?;
        let (host, given) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or_else(form)?;
                host.parse::<Ipv6Addr>().map_err(|_| form())?;
                (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or_else(form)?) })
            }
            None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
        if host.is_empty()
            || !host.chars().all(|letter| is_name(letter) || letter == ':')
            || host.contains(':') != authority.starts_with('[')
        {
            return Err(form());
        }
        let port = match given {
            None => port,
            Some(text) => text
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| format!("port {text}: use 1 to 65535"))?,
        };
        let mtu =
            match url.option("mtu") {
                None => MTU,
                Some(text) => text.parse().ok().filter(|mtu| MTUS.contains(mtu)).ok_or_else(|| {
                    format!("mtu={text}: use a number from {} to {}", MTUS.start(), MTUS.end())
                })?,
            };
        let peer = authority.to_owned();
        Ok(Self { host: host.to_owned(), port, mtu, peer, socket: None, overhead: OVER_V6 })
    }

    /// Whether the host is a name.
    pub(super) fn resolves(&self) -> bool {
        self.host.parse::<IpAddr>().is_err()
    }

    fn connect_to(&mut self, address: SocketAddr) -> io::Result<()> {
        let (any, overhead): (IpAddr, _) = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED.into(), OVER_V4),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED.into(), OVER_V6),
        };
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect(address)?;
        (self.socket, self.overhead, self.peer) = (Some(socket), overhead, address.to_string());
        Ok(())
    }
}

impl Transport for Udp {
    fn peer(&self) -> &str {
        &self.peer
    }

    /// Asks each time: the kernel learns of a narrower path by and by.
    fn limit(&self) -> usize {
        let path = self.socket.as_ref().and_then(|socket| path_mtu(socket).ok());
        path.map_or(self.mtu, |path| path.min(self.mtu)).saturating_sub(self.overhead)
    }

    /// Looks the name up again each time: the peer may have moved. The port stays as long as the socket works, as
    /// collectors tell senders apart by it.
    fn connect(&mut self) -> io::Result<()> {
        if self.socket.is_some() {
            return Ok(());
        }
        let mut problem = io::Error::new(ErrorKind::AddrNotAvailable, "the host has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match self.connect_to(address) {
                Ok(()) => return Ok(()),
                Err(error) => problem = error,
            }
        }
        Err(problem)
    }

    fn send(&mut self, batch: &[u8]) -> Result<(), Failure> {
        let Some(socket) = &self.socket else { return Err(Failure::Again(ErrorKind::NotConnected.into())) };
        match socket.send(batch) {
            Ok(_) => Ok(()),
            // Longer than the path takes, and it would be again.
            Err(error) if error.raw_os_error() == Some(libc::EMSGSIZE) => Err(Failure::Lost(error)),
            Err(error) => {
                // Of a peer that refused, the address is right; a host that cannot be reached may have another by now.
                if error.kind() != ErrorKind::ConnectionRefused {
                    self.socket = None;
                }
                Err(Failure::Again(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn udp(text: &str) -> Result<Udp, String> {
        Udp::of(&Url::parse(text).unwrap(), 4739)
    }

    #[test]
    fn hosts_and_ports() {
        for (text, host, port, resolves) in [
            ("x://192.0.2.1:2055", "192.0.2.1", 2055, false),
            ("x://192.0.2.1", "192.0.2.1", 4739, false),
            ("x://[2001:db8::1]:2055", "2001:db8::1", 2055, false),
            ("x://[::1]", "::1", 4739, false),
            ("x://flows.example.org:1", "flows.example.org", 1, true),
        ] {
            let udp = udp(text).unwrap();
            assert_eq!((&*udp.host, udp.port, udp.resolves()), (host, port, resolves));
        }
        for text in [
            "x:/a",
            "x://",
            "x://:1",
            "x://h:0",
            "x://h:70000",
            "x://h:",
            "x://2001:db8::1:1",
            "x://[h]:1",
            "x://[::1]1",
            "x://a b:1",
            "x://h/p:1",
            "x://h?mtu=100",
        ] {
            let error = udp(text).unwrap_err();
            assert!(error.contains("HOST:PORT") || error.contains("use"), "{text}: {error}");
        }
    }

    #[test]
    fn datagrams_fit_the_path() {
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut udp = udp(&format!("x://{}", peer.local_addr().unwrap())).unwrap();
        udp.connect().unwrap();
        // Loopback's is 65,536.
        assert_eq!(udp.limit(), MTU - OVER_V4);
        udp.mtu = 65_535;
        assert!(udp.limit() > 60_000, "{}", udp.limit());
    }

    #[test]
    fn nobody_there_is_heard_of() {
        let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut udp = udp(&format!("x://{closed}")).unwrap();
        udp.connect().unwrap();
        udp.send(b"x").unwrap();
        let refused = (0..100).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            udp.send(b"x").err()
        });
        assert!(
            matches!(refused, Some(Failure::Again(error)) if error.kind() == ErrorKind::ConnectionRefused)
        );
    }
}
