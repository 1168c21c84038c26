//! Attaches the programs to an interface: by TCX, else by a filter of the clsact qdisc.

use aya::programs::{
    SchedClassifier, TcAttachType,
    tc::{self, NlOptions, SchedClassifierLink, TcAttachOptions, TcError},
};
use flow_common::settings::Interface;

use super::Kernel;
use crate::{
    KernelError,
    error::errno,
    hook::{Hook, leftovers, order::Neighbours, place::Place},
    object::programs,
    sys::{self, pod::Plain},
};

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
        let interface = Interface { omissions: self.omissions, ..interface };
        self.interfaces.set(ifindex, Plain(interface), 0).map_err(|error| KernelError::Attach {
            interface: name.to_owned(),
            detail: format!("interface index {ifindex} is out of range: {error}"),
        })
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
        let program = programs::program(&mut self.bpf, program)?;
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
    pub(super) fn detach(&mut self) {
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
