//! Ingress by XDP: which mode, and what is there.

use aya::programs::loaded_programs;

use crate::net::netlink;

/// Who runs the program for each frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FrameMode {
    /// The driver where it can, else the kernel.
    #[default]
    Auto,
    /// The driver only.
    Native,
    /// The kernel, with a socket buffer that is there already: for every device.
    Generic,
}

/// Ingress by XDP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    pub mode: FrameMode,
    /// Frames of several buffers as well, where the kernel can (Linux 5.18 and later): drivers ask for it where the
    /// MTU is more than one buffer holds. It costs some ns per packet.
    pub frags: bool,
}

/// Name of the XDP program on an interface, or its number where names may not be asked for (they take
/// CAP_SYS_ADMIN); `None` where there is none.
#[must_use]
pub fn attached_frames(ifindex: u32) -> Option<String> {
    let id = netlink::xdp_program(ifindex).ok()??;
    let named = loaded_programs().filter_map(Result::ok).find(|program| program.id() == id);
    let name = named.and_then(|program| program.name_as_str().map(str::to_owned));
    Some(name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("program {id}")))
}
