//! Attaches the programs to an interface: by TCX, else by a filter of the clsact qdisc.

use aya::programs::{
    LinkOrder, Program, SchedClassifier, TcAttachType,
    tc::{self, NlOptions, TcAttachOptions, TcError},
};
use flow_common::settings::Interface;
use tracing::warn;

use super::{Kernel, KernelError, claim::Claim, error::errno, leftovers, load, pod::Plain};

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

/// Where flowd stands among other programs of the same hook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Before others, as one that says "pass" or "drop" ends the chain, and flowd would not see the packet.
    #[default]
    First,
    /// Behind others.
    Last,
}

impl Order {
    const fn link(self) -> LinkOrder {
        match self {
            Self::First => LinkOrder::first(),
            Self::Last => LinkOrder::last(),
        }
    }

    /// Where another kind of filter has the first priority to itself, the second is taken. The last ones are
    /// behind those that the kernel gives by itself, from 49152 downwards.
    const fn priorities(self) -> [u16; 2] {
        match self {
            Self::First => [1, 0x0fd0],
            Self::Last => [0xfff0, 0xffd0],
        }
    }
}

/// An interface that is watched: on drop, after its links, what was made for them goes as well.
#[derive(Debug)]
pub(super) struct Place {
    ifindex: u32,
    /// Made by flowd; another's qdisc stays.
    made_qdisc: bool,
    _claim: Claim,
}

impl Place {
    /// Claims an interface and removes what a killed flowd has left there.
    pub(super) fn take(interface: &str, ifindex: u32) -> Result<Self, KernelError> {
        let claim = Claim::take(interface, ifindex)?;
        // Whatever the hook: the one before may have had another.
        let removed =
            leftovers::remove(ifindex).map_err(|error| KernelError::leftovers(interface, &error))?;
        Ok(Self { ifindex, made_qdisc: removed.shared, _claim: claim })
    }
}

impl Place {
    pub(super) const fn ifindex(&self) -> u32 {
        self.ifindex
    }
}

impl Drop for Place {
    fn drop(&mut self) {
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
    /// The interface is gone, the privilege is missing, or another flowd watches it.
    pub fn attach(&mut self, name: &str, ifindex: u32, interface: Interface) -> Result<Hook, KernelError> {
        let place = Place::take(name, ifindex)?;
        let interface = Interface { thrift: self.thrift, ..interface };
        // First, so that the first packet already finds its slot.
        self.interfaces.set(ifindex, Plain(interface), 0).map_err(|error| KernelError::Attach {
            interface: name.to_owned(),
            detail: format!("interface index {ifindex} is out of range: {error}"),
        })?;
        // Kept before it is attached to: on failure, links go before it as well.
        self.places.push(place);
        let [ingress, egress] = self.programs;
        let hook = match self.frames {
            Some(frames) => self.attach_frames(ingress, name, ifindex, frames.mode)?,
            None => self.attach_program(ingress, name, TcAttachType::Ingress)?,
        };
        if interface.one_point == 0 {
            self.attach_program(egress, name, TcAttachType::Egress)?;
        }
        Ok(hook)
    }

    /// Attaches a program to the interface whose place was taken last.
    pub(super) fn attach_program(
        &mut self,
        program: &str,
        interface: &str,
        at: TcAttachType,
    ) -> Result<Hook, KernelError> {
        let (hook, order) = (self.hook, self.order);
        let program = load::program(&mut self.bpf, program)?;
        if hook != Some(Hook::Clsact) {
            let tcx = program.attach_with_options(interface, at, TcAttachOptions::TcxOrder(order.link()));
            let Err(error) = tcx else { return Ok(Hook::Tcx) };
            // Kernels before 6.6 know no such attach type (EINVAL); some answer that they do not support it.
            let unknown = matches!(errno(&error), Some(libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS));
            if hook.is_some() || !unknown {
                return Err(KernelError::attach(interface, &error));
            }
        }
        let made = make_qdisc(interface)?;
        let made = self.places.last_mut().is_some_and(|place| {
            place.made_qdisc |= made;
            place.made_qdisc
        });
        attach_filter(program, interface, at, order, made)
    }

    /// Takes the programs off every interface. Links and filters go with the loaded programs; here only
    /// the links do, so that the maps can still be read.
    pub(super) fn detach(&mut self) {
        for name in self.programs {
            // Unloading drops the program's links.
            let _ = match self.bpf.program_mut(name) {
                Some(Program::SchedClassifier(program)) => program.unload(),
                Some(Program::Xdp(program)) => program.unload(),
                _ => Ok(()),
            };
        }
        self.places.clear();
    }
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

fn attach_filter(
    program: &mut SchedClassifier,
    interface: &str,
    at: TcAttachType,
    order: Order,
    made_qdisc: bool,
) -> Result<Hook, KernelError> {
    let mut result = Ok(Hook::Clsact);
    for priority in order.priorities() {
        let options = NlOptions { priority, handle: leftovers::handle(made_qdisc), classid: None };
        match program.attach_with_options(interface, at, TcAttachOptions::Netlink(options)) {
            Ok(_) => return Ok(Hook::Clsact),
            Err(error) => result = Err(KernelError::attach(interface, &error)),
        }
    }
    result
}
