//! Attaches the programs to an interface: by TCX, else by a filter of the clsact qdisc.

use aya::programs::{
    LinkOrder, SchedClassifier, TcAttachType,
    links::Link as _,
    tc::{self, NlOptions, SchedClassifierLink, TcAttachOptions, TcError, TcHandle},
};
use flow_common::settings::Interface;

use super::{Kernel, KernelError, error::errno, load, pod::Plain};

/// How the programs of an interface are attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Links of TCX (Linux 6.6 and later): gone with the process.
    Tcx,
    /// Filters of the clsact qdisc.
    Clsact,
}

impl Hook {
    /// The word in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        }
    }
}

/// The handle by which flowd's filters are known.
const HANDLE: TcHandle = TcHandle::new(0x00f1, 0x0d00);
/// First in the chain, as a filter before that says "pass" ends it, and flowd would see nothing. Where
/// another kind of filter has this priority to itself, the second is taken.
const PRIORITIES: [u16; 2] = [1, 0x0fd0];

impl Kernel {
    /// Watches an interface: both directions, or ingress alone where every packet passes twice.
    ///
    /// # Errors
    /// The interface is gone, the privilege is missing, or the hook is in use by another flowd.
    pub fn attach(&mut self, name: &str, ifindex: u32, interface: Interface) -> Result<Hook, KernelError> {
        // First, so that the first packet already finds its slot.
        self.interfaces.set(ifindex, Plain(interface), 0).map_err(|error| KernelError::Attach {
            interface: name.to_owned(),
            detail: format!("interface index {ifindex} is out of range: {error}"),
        })?;
        let [ingress, egress] = load::programs(&self.settings);
        let wanted = self.hook;
        let hook = attach_one(load::program(&mut self.bpf, ingress)?, name, TcAttachType::Ingress, wanted)?;
        if interface.one_point == 0 {
            attach_one(load::program(&mut self.bpf, egress)?, name, TcAttachType::Egress, wanted)?;
        }
        Ok(hook)
    }
}

pub(super) fn attach_one(
    program: &mut SchedClassifier,
    interface: &str,
    at: TcAttachType,
    wanted: Option<Hook>,
) -> Result<Hook, KernelError> {
    // Whatever the hook: a flowd that was killed leaves its filter of clsact behind.
    remove_leftovers(interface, at);
    if wanted != Some(Hook::Clsact) {
        // First, as a program before that says "pass" would hide the packet; flowd always lets the next decide.
        let tcx = program.attach_with_options(interface, at, TcAttachOptions::TcxOrder(LinkOrder::first()));
        let Err(error) = tcx else { return Ok(Hook::Tcx) };
        // Kernels before 6.6 know no such attach type (EINVAL); some answer that they do not support it.
        let unknown = matches!(errno(&error), Some(libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS));
        if wanted.is_some() || !unknown {
            return Err(KernelError::attach(interface, &error));
        }
    }
    match tc::qdisc_add_clsact(interface) {
        Ok(()) => {}
        Err(TcError::AlreadyAttached) => {}
        Err(error) if errno(&error) == Some(libc::EEXIST) => {}
        Err(error) => return Err(KernelError::attach(interface, &error.into())),
    }
    let mut result = Ok(Hook::Clsact);
    for priority in PRIORITIES {
        let options = NlOptions { priority, handle: HANDLE, classid: None };
        match program.attach_with_options(interface, at, TcAttachOptions::Netlink(options)) {
            Ok(_) => return Ok(Hook::Clsact),
            Err(error) => result = Err(KernelError::attach(interface, &error)),
        }
    }
    result
}

/// Removes flowd's own filters of the clsact qdisc, known by their handle, and nothing else: they outlive a
/// flowd that is killed.
fn remove_leftovers(interface: &str, at: TcAttachType) {
    for priority in PRIORITIES {
        if let Ok(link) = SchedClassifierLink::attached(interface, at, priority, HANDLE, None) {
            // Fails where there is none, as is usual.
            let _ = link.detach();
        }
    }
}

impl Kernel {
    /// Takes the programs off every interface. Links and filters go with the loaded programs; here only
    /// the links do, so that the maps can still be read.
    pub(super) fn detach(&mut self) {
        for name in load::programs(&self.settings) {
            if let Ok(program) = load::program(&mut self.bpf, name) {
                // Unloading drops the program's links.
                let _ = program.unload();
            }
        }
    }
}
