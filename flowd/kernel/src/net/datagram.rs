//! What the kernel knows of the path of a connected socket.

use std::{io, net::UdpSocket, os::fd::AsRawFd as _};

/// Octets of a packet that the path to the peer of a connected socket takes, as far as the kernel has learnt.
///
/// # Errors
/// The socket is not connected.
pub fn path_mtu(socket: &UdpSocket) -> io::Result<usize> {
    let (level, option) = if socket.local_addr()?.is_ipv4() {
        (libc::IPPROTO_IP, libc::IP_MTU)
    } else {
        (libc::IPPROTO_IPV6, libc::IPV6_MTU)
    };
    let mut mtu: libc::c_int = 0;
    let mut length = size_of::<libc::c_int>() as libc::socklen_t;
    let into = std::ptr::from_mut(&mut mtu).cast();
    // SAFETY: the kernel writes at most `length` octets, which is what `mtu` has, and both live until the call returns.
    let done = unsafe { libc::getsockopt(socket.as_raw_fd(), level, option, into, &raw mut length) };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    usize::try_from(mtu).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_tells_its_own() {
        for here in ["127.0.0.1:0", "[::1]:0"] {
            // A machine may have no IPv6.
            let Ok(socket) = UdpSocket::bind(here) else { continue };
            assert!(path_mtu(&socket).is_err(), "not connected");
            socket.connect(socket.local_addr().unwrap()).unwrap();
            assert!(path_mtu(&socket).unwrap() >= 1_280);
        }
    }
}
