//! Frames as fast as this machine can send them.

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use super::{frames::index, namespace::Namespace};

pub const AT_ONCE: usize = 64;

pub struct Flood {
    socket: OwnedFd,
    frames: Vec<Vec<u8>>,
    sent: u64,
}

impl Flood {
    /// Sends variations of `frame` out of one device.
    pub fn open(namespace: &Namespace, device: &str, frame: &[u8]) -> Self {
        Self::of(namespace, device, &[frame.to_vec()])
    }

    /// Sends variations of these frames, one after the other, as often as makes about so many at once.
    pub fn of(namespace: &Namespace, device: &str, frames: &[Vec<u8>]) -> Self {
        let index = index(namespace, device);
        let socket = namespace.enter(|| {
            // SAFETY: no pointers.
            let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
            assert!(socket >= 0, "{}", std::io::Error::last_os_error());
            // SAFETY: a new descriptor that nobody else has.
            unsafe { OwnedFd::from_raw_fd(socket) }
        });
        // SAFETY: integers only, for which zero is a value.
        let mut to: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        (to.sll_family, to.sll_ifindex) = (libc::AF_PACKET as u16, index);
        let len = size_of_val(&to) as u32;
        // SAFETY: `to` lives through the call and has the stated length.
        let bound = unsafe { libc::bind(socket.as_raw_fd(), std::ptr::from_ref(&to).cast(), len) };
        assert_eq!(bound, 0, "{}", std::io::Error::last_os_error());
        let frames =
            std::iter::repeat_n(frames, (AT_ONCE / frames.len()).max(1)).flatten().cloned().collect();
        Self { socket, frames, sent: 0 }
    }

    /// Changes each of some frames and sends them.
    pub fn send(&mut self, mut change: impl FnMut(&mut [u8])) {
        let mut parts: Vec<libc::iovec> = Vec::with_capacity(self.frames.len());
        for frame in &mut self.frames {
            change(frame);
            parts.push(libc::iovec { iov_base: frame.as_mut_ptr().cast(), iov_len: frame.len() });
        }
        let mut messages: Vec<libc::mmsghdr> = Vec::with_capacity(self.frames.len());
        for part in &mut parts {
            // SAFETY: integers and null pointers, for which zero is a value.
            let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
            (message.msg_hdr.msg_iov, message.msg_hdr.msg_iovlen) = (part, 1);
            messages.push(message);
        }
        // SAFETY: the messages, their parts and the frames live through the call.
        let sent = unsafe {
            libc::sendmmsg(self.socket.as_raw_fd(), messages.as_mut_ptr(), messages.len() as u32, 0)
        };
        // What finds a queue full is not sent, and not counted by the kernel either.
        self.sent += u64::try_from(sent).unwrap_or(0);
    }

    /// Frames that the kernel took.
    pub const fn sent(&self) -> u64 {
        self.sent
    }
}
