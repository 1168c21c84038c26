//! System calls that the standard library does not have.

use std::{
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
    process::Child,
    time::Duration,
};

pub(crate) fn is_root() -> bool {
    // SAFETY: no arguments.
    unsafe { libc::geteuid() == 0 }
}

/// CPU time of this thread.
pub(crate) fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure lives through the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

/// What a process took until its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) success: bool,
    /// User and system time of it and of children that it waited for, seconds.
    pub(crate) cpu: f64,
    /// Largest resident size, bytes.
    pub(crate) resident: u64,
}

/// Waits for the end of `child`.
pub(crate) fn wait(child: &Child) -> io::Result<Usage> {
    let (mut status, pid) = (0, child.id().cast_signed());
    // SAFETY: integers only, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both live through the call; the child was not waited for, so that its id is still its own.
    if unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } != pid {
        return Err(io::Error::last_os_error());
    }
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Ok(Usage {
        success: libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
        cpu: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        resident: usage.ru_maxrss.cast_unsigned() * 1024,
    })
}

/// Index of a device of this thread's network namespace.
pub(crate) fn device_index(device: &str) -> io::Result<u32> {
    let name = std::ffi::CString::new(device)?;
    // SAFETY: a string that lives through the call.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    if index == 0 { Err(io::Error::last_os_error()) } else { Ok(index) }
}

/// A socket that sends whole frames out of one device of this thread's network namespace.
pub(crate) struct RawSocket(OwnedFd);

impl RawSocket {
    pub(crate) fn open(device: &str) -> io::Result<Self> {
        let index = device_index(device)?;
        // SAFETY: no pointers.
        let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a new descriptor that nobody else has.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        // SAFETY: integers only, for which zero is a value.
        let mut to: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        to.sll_family = libc::AF_PACKET as u16;
        to.sll_ifindex = index.cast_signed();
        let length = size_of::<libc::sockaddr_ll>() as u32;
        // SAFETY: the address lives through the call, and its length is the one stated.
        if unsafe { libc::bind(socket.as_raw_fd(), (&raw const to).cast(), length) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self(socket))
    }

    /// Sends the frames, waiting for room in the queue.
    pub(crate) fn send_all<const N: usize>(&self, mut frames: &mut [Vec<u8>]) -> io::Result<()> {
        while !frames.is_empty() {
            match self.send::<N>(frames) {
                Ok(done) => frames = frames.get_mut(done..).unwrap_or_default(),
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => std::thread::yield_now(),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends the frames in one call; says how many went.
    fn send<const N: usize>(&self, frames: &mut [Vec<u8>]) -> io::Result<usize> {
        // SAFETY: integers and pointers, for which zero is a value.
        let mut parts: [libc::iovec; N] = unsafe { std::mem::zeroed() };
        // SAFETY: the same.
        let mut messages: [libc::mmsghdr; N] = unsafe { std::mem::zeroed() };
        let count = frames.len().min(N);
        for ((frame, part), message) in frames.iter_mut().zip(&mut parts).zip(&mut messages) {
            *part = libc::iovec { iov_base: frame.as_mut_ptr().cast(), iov_len: frame.len() };
            message.msg_hdr.msg_iov = part;
            message.msg_hdr.msg_iovlen = 1;
        }
        // SAFETY: `count` messages that point into `parts` and `frames`, all alive through the call.
        let sent = unsafe { libc::sendmmsg(self.0.as_raw_fd(), messages.as_mut_ptr(), count as u32, 0) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }
}
