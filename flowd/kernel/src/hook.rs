//! Where programs are attached, who has an interface, and what stands there beside.

pub(crate) mod claim;
pub(crate) mod leftovers;
pub(crate) mod order;
pub(crate) mod place;
pub(crate) mod xdp;

/// How the programs of an interface are attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Links of TCX (Linux 6.6 and later): gone with the process.
    Tcx,
    /// Filters of the clsact qdisc.
    Clsact,
    /// Ingress by XDP in the driver.
    Xdp,
    /// Ingress by XDP in the kernel.
    XdpGeneric,
}

impl Hook {
    /// The word in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
            Self::Xdp => "xdp",
            Self::XdpGeneric => "xdp-generic",
        }
    }
}
