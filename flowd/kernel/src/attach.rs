//! Attaches the programs to an interface: by TCX, else by a filter of the clsact qdisc.

use aya::programs::{
    MultiProgLink as _, SchedClassifier, TcAttachType,
    links::FdLink,
    tc::{self, NlOptions, SchedClassifierLink, TcAttachOptions, TcError},
    xdp::XdpLink,
};
use flow_common::settings::Interface;
use tracing::warn;

use crate::{
    Kernel, KernelError,
    claim::Claim,
    error::errno,
    leftovers, load,
    net::netlink,
    order::Neighbours,
    sys::{self, pod::Plain},
};

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

/// An interface that is watched: on drop, after its links, what was made for them goes as well.
#[derive(Debug)]
pub(crate) struct Place {
    ifindex: u32,
    slot: u16,
    links: Vec<SchedClassifierLink>,
    /// A program of XDP, by its number.
    frames: Option<(XdpLink, u32)>,
    /// Made by flowd; another's qdisc stays.
    made_qdisc: bool,
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

    pub(crate) const fn ifindex(&self) -> u32 {
        self.ifindex
    }

    /// True while every program is where it was attached. Links of TCX lose their interface when that is deleted;
    /// filters go with their qdisc, which a device that leaves the namespace loses as well.
    fn stands(&self) -> bool {
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

impl Kernel {
    /// Watches an interface: both directions, or ingress alone where every packet passes twice.
    ///
    /// # Errors
    /// The interface is gone, the privilege is missing, another flowd watches it, or the program is not there
    /// that the order names.
    pub fn attach(&mut self, name: &str, ifindex: u32, interface: Interface) -> Result<Hook, KernelError> {
        let mut place = Place::take(name, ifindex, interface.slot)?;
        let neighbours = self.order.look(name, ifindex, self.hook)?;
        // First, so that the first packet already finds its slot.
        self.tell(name, ifindex, interface)?;
        let [ingress, egress] = self.programs;
        let mut attached = match self.frames {
            Some(frames) => self.attach_frames(ingress, name, ifindex, frames.mode).map(|(link, hook)| {
                place.frames = Some(link);
                hook
            }),
            None => self.attach_program(ingress, name, TcAttachType::Ingress, &neighbours, &mut place),
        };
        if interface.one_point == 0
            && attached.is_ok()
            && let Err(error) =
                self.attach_program(egress, name, TcAttachType::Egress, &neighbours, &mut place)
        {
            attached = Err(error);
        }
        match attached {
            Ok(hook) => {
                self.places.push(place);
                Ok(hook)
            }
            Err(error) => {
                self.leave(place)?;
                Err(error)
            }
        }
    }

    /// Ends the watching of an interface, there or gone; nothing where it was not watched. Its flows end with the
    /// next drain.
    ///
    /// # Errors
    /// The wait for running programs fails.
    pub fn detach_from(&mut self, ifindex: u32) -> Result<(), KernelError> {
        match self.places.iter().position(|place| place.ifindex == ifindex) {
            Some(at) => {
                let place = self.places.swap_remove(at);
                self.leave(place)
            }
            None => Ok(()),
        }
    }

    /// Counts a watched interface under another slot from now on. The flows of the one before end with the next
    /// drain.
    ///
    /// # Errors
    /// The wait for running programs fails.
    pub fn assign(&mut self, ifindex: u32, interface: Interface) -> Result<(), KernelError> {
        let Some(at) = self.places.iter().position(|place| place.ifindex == ifindex) else { return Ok(()) };
        self.tell("", ifindex, interface)?;
        // Programs that are running may have the slot from before.
        sys::grace()?;
        if let Some(place) = self.places.get_mut(at) {
            self.drained.evicted.push(place.slot);
            place.slot = interface.slot;
        }
        Ok(())
    }

    /// True while everything is there that was attached to an interface.
    #[must_use]
    pub fn stands(&self, ifindex: u32) -> bool {
        self.places.iter().any(|place| place.ifindex == ifindex && place.stands())
    }

    fn leave(&mut self, place: Place) -> Result<(), KernelError> {
        let (ifindex, slot) = (place.ifindex, place.slot);
        drop(place);
        // What runs still must find the slot: there is none to count a packet under without it.
        sys::grace()?;
        self.tell("", ifindex, Interface::default())?;
        self.drained.evicted.push(slot);
        Ok(())
    }

    fn tell(&mut self, name: &str, ifindex: u32, interface: Interface) -> Result<(), KernelError> {
        let interface = Interface { thrift: self.thrift, ..interface };
        self.interfaces.set(ifindex, Plain(interface), 0).map_err(|error| KernelError::Attach {
            interface: name.to_owned(),
            detail: format!("interface index {ifindex} is out of range: {error}"),
        })
    }

    /// Attaches a program for measuring, which nobody is told of.
    pub(crate) fn attach_nameless(
        &mut self,
        program: &str,
        interface: &str,
        at: TcAttachType,
    ) -> Result<(), KernelError> {
        let program = load::program(&mut self.bpf, program)?;
        program.attach(interface, at).map_err(|error| KernelError::attach(interface, &error))?;
        Ok(())
    }

    fn attach_program(
        &mut self,
        program: &str,
        interface: &str,
        at: TcAttachType,
        neighbours: &Neighbours,
        place: &mut Place,
    ) -> Result<Hook, KernelError> {
        let hook = neighbours.hook.or(self.hook);
        let program = load::program(&mut self.bpf, program)?;
        if hook != Some(Hook::Clsact) {
            let options = TcAttachOptions::TcxOrder(self.order.link(neighbours, at));
            let error = match hold(program, interface, at, options) {
                Ok(link) => {
                    place.links.push(link);
                    return Ok(Hook::Tcx);
                }
                Err(error) => error,
            };
            // Kernels before 6.6 know no such attach type (EINVAL); some answer that they do not support it.
            let unknown = matches!(errno(&error), Some(libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS));
            if hook.is_some() || !unknown {
                return Err(KernelError::attach(interface, &error));
            }
        }
        place.made_qdisc |= make_qdisc(interface)?;
        let mut result = Err(KernelError::Attach {
            interface: interface.to_owned(),
            detail: "no priority is free next to the filter that `order` names: give that one another"
                .to_owned(),
        });
        for priority in self.order.priorities(neighbours, at) {
            let handle = leftovers::handle(place.made_qdisc);
            let options = TcAttachOptions::Netlink(NlOptions { priority, handle, classid: None });
            match hold(program, interface, at, options) {
                Ok(link) => {
                    place.links.push(link);
                    return Ok(Hook::Clsact);
                }
                Err(error) => result = Err(KernelError::attach(interface, &error)),
            }
        }
        result
    }

    /// Takes the programs off every interface. They stay loaded, so that the maps can still be read.
    pub(crate) fn detach(&mut self) {
        self.places.clear();
    }
}

/// The link is the caller's, and goes with it.
fn hold(
    program: &mut SchedClassifier,
    interface: &str,
    at: TcAttachType,
    options: TcAttachOptions,
) -> Result<SchedClassifierLink, aya::programs::ProgramError> {
    let id = program.attach_with_options(interface, at, options)?;
    program.take_link(id)
}

/// True where there was none.
fn make_qdisc(interface: &str) -> Result<bool, KernelError> {
    match tc::qdisc_add_clsact(interface) {
        Ok(()) => Ok(true),
        Err(TcError::AlreadyAttached) => Ok(false),
        Err(error) if errno(&error) == Some(libc::EEXIST) => Ok(false),
        Err(error) => Err(KernelError::attach(interface, &error.into())),
    }
}
