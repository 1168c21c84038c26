//! Who listens at a name among abstract Unix sockets (unix(7)).

use std::{
    io,
    mem::size_of_val,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
};

/// The process that listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// 0 where it belongs to another PID namespace.
    pub process: u32,
    /// As this user namespace knows the user.
    pub user: u32,
}

/// Whoever listens at `name`; `None` where the name is free.
///
/// # Errors
/// Somebody has the name and cannot be asked: the socket is of another kind, or has more waiting than it takes.
pub(crate) fn of(name: &str) -> io::Result<Option<Owner>> {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no pointers.
    let socket = unsafe { libc::socket(libc::AF_UNIX, kind, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that nobody else has.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let (address, length) = address(name);
    // SAFETY: `address` lives through the call, and `length` is not beyond it.
    let connected = unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if connected != 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::ConnectionRefused { Ok(None) } else { Err(error) };
    }
    let mut owner = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut size = size_of_val(&owner) as libc::socklen_t;
    // SAFETY: both pointers lead to values of ours that live through the call, and `size` is that of the first.
    let asked = unsafe {
        let into = (&raw mut owner).cast();
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, into, &raw mut size)
    };
    if asked != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Some(Owner { process: u32::try_from(owner.pid).unwrap_or_default(), user: owner.uid }))
}

/// An abstract name as the kernel takes it: a zero byte goes before it. What does not fit is cut.
fn address(name: &str) -> (libc::sockaddr_un, libc::socklen_t) {
    let mut address =
        libc::sockaddr_un { sun_family: libc::AF_UNIX as libc::sa_family_t, sun_path: [0; 108] };
    for (place, byte) in address.sun_path.iter_mut().skip(1).zip(name.bytes()) {
        *place = byte as libc::c_char;
    }
    let length = (size_of_val(&address.sun_family) + 1 + name.len()).min(size_of_val(&address));
    (address, length as libc::socklen_t)
}

/// The user that this process acts as.
pub(crate) fn user() -> u32 {
    // SAFETY: no arguments.
    unsafe { libc::geteuid() }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A socket that has the name and does not listen.
    pub(crate) fn bound(name: &str) -> OwnedFd {
        // SAFETY: no pointers.
        let socket = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
        assert!(socket >= 0);
        // SAFETY: a new descriptor that nobody else has.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        let (address, length) = address(name);
        // SAFETY: `address` lives through the call, and `length` is not beyond it.
        let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
        assert_eq!(bound, 0, "{}", io::Error::last_os_error());
        socket
    }
}
