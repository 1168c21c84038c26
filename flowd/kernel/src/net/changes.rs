//! News of interfaces: rtnetlink(7) sends a message for each that comes, goes or changes. What they say is not
//! looked at: one that was lost would leave a wrong picture, and to look at the interfaces afresh costs little.

use std::{
    fs::File,
    io::{self, Read as _},
    os::fd::AsRawFd as _,
};

use super::netlink;

/// Room for one message. What does not fit is cut off, and nobody misses it.
const MESSAGE: usize = 256;
/// Messages that are taken at once: who sends more of them than that is heard again at the next look.
const AT_ONCE: usize = 4_096;

/// Hears of the interfaces of the network namespace in which it was made.
pub struct Changes(File);

impl Changes {
    /// Listens from now on.
    ///
    /// # Errors
    /// There is no netlink here.
    pub fn listen() -> io::Result<Self> {
        let socket = netlink::open(libc::SOCK_NONBLOCK)?;
        // SAFETY: integers only, for which zero is a value.
        let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
        address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        address.nl_groups = libc::RTMGRP_LINK.unsigned_abs();
        let length = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
        // SAFETY: the address has that length and lives until the call returns.
        let bound = unsafe { libc::bind(socket.as_raw_fd(), std::ptr::from_ref(&address).cast(), length) };
        if bound == 0 { Ok(Self(socket)) } else { Err(io::Error::last_os_error()) }
    }

    /// True if there was any news since the last time.
    pub fn any(&mut self) -> bool {
        let mut message = [0; MESSAGE];
        let mut any = false;
        for _ in 0..AT_ONCE {
            match self.0.read(&mut message) {
                Ok(_) => any = true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // There was more than the socket had room for (ENOBUFS): news as well.
                Err(_) => return true,
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_no_news_for_long() {
        let mut changes = Changes::listen().unwrap();
        // Other tests make interfaces meanwhile, but not all the time.
        let quiet = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            !changes.any()
        });
        assert!(quiet);
    }
}
