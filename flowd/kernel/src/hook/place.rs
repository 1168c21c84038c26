//! An interface that is watched, with what is attached there.

use aya::programs::{MultiProgLink as _, links::FdLink, tc::SchedClassifierLink, xdp::XdpLink};
use tracing::warn;

use super::{claim::Claim, leftovers};
use crate::{KernelError, net::netlink, sys};

/// An interface that is watched: on drop, after its links, what was made for them goes as well.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) ifindex: u32,
    pub(crate) slot: u16,
    pub(crate) links: Vec<SchedClassifierLink>,
    /// A program of XDP, by its number.
    pub(crate) frames: Option<(XdpLink, u32)>,
    /// Made by flowd; another's qdisc stays.
    pub(crate) made_qdisc: bool,
    _claim: Claim,
}

impl Place {
    /// Claims an interface and removes what a killed flowd has left there.
    pub(crate) fn take(interface: &str, ifindex: u32, slot: u16) -> Result<Self, KernelError> {
        let claim = Claim::take(interface, ifindex)?;
        // Whatever the hook: the one before may have had another.
        let removed =
            leftovers::remove(ifindex).map_err(|error| KernelError::leftovers(interface, &error))?;
        let made_qdisc = removed.shared;
        Ok(Self { ifindex, slot, links: Vec::new(), frames: None, made_qdisc, _claim: claim })
    }

    /// True while every program is where it was attached. Links of TCX lose their interface when that is deleted;
    /// filters go with their qdisc, which a device that leaves the namespace loses as well.
    pub(crate) fn stands(&self) -> bool {
        let filters = |link: &&SchedClassifierLink| <&FdLink>::try_from(*link).is_err();
        let tcx = self.links.iter().filter(|link| !filters(link));
        let mut on = tcx.map(|link| link.fd().ok().and_then(|link| sys::bpf::link_interface(link).ok()));
        let filters = self.links.iter().filter(filters).count();
        let frames = |(_, id): &(XdpLink, u32)| {
            netlink::xdp_program(self.ifindex).is_ok_and(|there| there == Some(*id))
        };
        self.frames.as_ref().is_none_or(frames)
            && on.all(|on| on == Some(self.ifindex))
            && (filters == 0 || leftovers::count(self.ifindex).is_ok_and(|count| count == filters))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.links.clear();
        self.frames = None;
        if self.made_qdisc
            && let Err(error) = leftovers::remove_empty(self.ifindex)
            && error.raw_os_error() != Some(libc::ENODEV)
        {
            warn!("the clsact qdisc of interface {} stays: {error}; see flowd clean", self.ifindex);
        }
    }
}
