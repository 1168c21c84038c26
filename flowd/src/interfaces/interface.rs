//! A network interface of this host.

use flow_common::settings::{LINK_ETHERNET, LINK_RAW};

pub(super) const ARPHRD_ETHER: u32 = 1;
pub(super) const ARPHRD_LOOPBACK: u32 = 772;

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    pub ifindex: u32,
    /// Link-layer address, empty where the device has none.
    pub mac: String,
    pub mtu: u32,
    /// The kernel's word: `up`, `down`, `unknown`, ...
    pub state: String,
    /// ARPHRD number of the kernel.
    pub kind: u32,
    /// Bytes per second, where the device tells.
    pub speed: Option<u64>,
    /// There is hardware behind it, which counts frames as they cross the wire; a virtual device counts
    /// what the kernel hands it, super-packets of segmentation offload included.
    pub physical: bool,
    pub default_route: bool,
    /// False where the name is no UTF-8, and is shown by escapes.
    pub is_utf8: bool,
}

impl Interface {
    /// [`LINK_ETHERNET`] or [`LINK_RAW`]: what its packets begin with.
    #[must_use]
    pub const fn link(&self) -> u8 {
        match self.kind {
            ARPHRD_ETHER | ARPHRD_LOOPBACK => LINK_ETHERNET,
            _ => LINK_RAW,
        }
    }

    /// True for the loopback device, where each packet passes out and in at one place.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.kind == ARPHRD_LOOPBACK
    }
}
