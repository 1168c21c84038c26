//! Frames made by hand, sent as they are.

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use super::namespace::Namespace;

/// A socket that sends whole frames out of one device.
pub struct Wire {
    socket: OwnedFd,
    to: libc::sockaddr_ll,
}

impl Wire {
    pub fn open(namespace: &Namespace, device: &str) -> Self {
        let index = index(namespace, device);
        namespace.enter(|| {
            // SAFETY: no pointers.
            let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
            assert!(socket >= 0, "{}", std::io::Error::last_os_error());
            // SAFETY: a new descriptor that nobody else has.
            let socket = unsafe { OwnedFd::from_raw_fd(socket) };
            // SAFETY: integers only, for which zero is a value.
            let mut to: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
            to.sll_family = libc::AF_PACKET as u16;
            to.sll_ifindex = index;
            to.sll_halen = 6;
            Self { socket, to }
        })
    }

    pub fn send(&self, frame: &[u8]) {
        loop {
            // SAFETY: both point to memory of the stated length that lives through the call.
            let sent = unsafe {
                libc::sendto(
                    self.socket.as_raw_fd(),
                    frame.as_ptr().cast(),
                    frame.len(),
                    0,
                    std::ptr::from_ref(&self.to).cast(),
                    size_of::<libc::sockaddr_ll>() as u32,
                )
            };
            let error = std::io::Error::last_os_error();
            if sent < 0 && error.raw_os_error() == Some(libc::ENOBUFS) {
                std::thread::yield_now();
                continue;
            }
            assert_eq!(sent, frame.len() as isize, "{error}");
            return;
        }
    }
}

/// The number of a device.
pub fn index(namespace: &Namespace, device: &str) -> i32 {
    let shown: serde_json::Value =
        serde_json::from_str(&namespace.ip(&format!("-j link show dev {device}"))).unwrap();
    shown[0]["ifindex"].as_i64().unwrap().try_into().unwrap()
}

/// The link-layer address of a device.
pub fn mac(namespace: &Namespace, device: &str) -> [u8; 6] {
    let shown: serde_json::Value =
        serde_json::from_str(&namespace.ip(&format!("-j link show dev {device}"))).unwrap();
    let text = shown[0]["address"].as_str().unwrap();
    let mut bytes = text.split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap());
    std::array::from_fn(|_| bytes.next().unwrap())
}

/// An Ethernet frame to `to`.
pub fn ethernet(to: [u8; 6], kind: u16, payload: &[u8]) -> Vec<u8> {
    [&to[..], &[2, 0, 0, 0, 0, 9], &kind.to_be_bytes(), payload].concat()
}
