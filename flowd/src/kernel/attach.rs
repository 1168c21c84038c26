//! Attaches the programs to an interface: by TCX, else by a filter of the clsact qdisc.

use aya::programs::{
    LinkOrder, SchedClassifier, TcAttachType,
    tc::{self, NlOptions, TcAttachOptions, TcError, TcHandle},
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

/// Priority and handle by which flowd's filters are known: "fd" and "f1:0d".
const PRIORITY: u16 = 0x0fd0;
const HANDLE: TcHandle = TcHandle::new(0x00f1, 0x0d00);

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
        let hook = attach_one(load::program(&mut self.bpf, ingress)?, ingress, name, TcAttachType::Ingress)?;
        if interface.one_point == 0 {
            attach_one(load::program(&mut self.bpf, egress)?, egress, name, TcAttachType::Egress)?;
        }
        Ok(hook)
    }
}

fn attach_one(
    program: &mut SchedClassifier,
    program_name: &str,
    interface: &str,
    at: TcAttachType,
) -> Result<Hook, KernelError> {
    // Last, so that what other programs drop or rewrite before is seen as it goes on.
    let tcx = program.attach_with_options(interface, at, TcAttachOptions::TcxOrder(LinkOrder::last()));
    let Err(error) = tcx else { return Ok(Hook::Tcx) };
    // Kernels before 6.6 know no such attach type (EINVAL); some answer that they do not support it.
    if !matches!(errno(&error), Some(libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS)) {
        return Err(KernelError::attach(interface, &error));
    }
    match tc::qdisc_add_clsact(interface) {
        Ok(()) => {}
        Err(TcError::AlreadyAttached) => {}
        Err(error) if errno(&error) == Some(libc::EEXIST) => {}
        Err(error) => return Err(KernelError::attach(interface, &error.into())),
    }
    // A flowd that was killed leaves its filter behind, which would count every packet a second time.
    let _ = tc::qdisc_detach_program(interface, at, program_name);
    let options = NlOptions { priority: PRIORITY, handle: HANDLE, classid: None };
    program
        .attach_with_options(interface, at, TcAttachOptions::Netlink(options))
        .map_err(|error| KernelError::attach(interface, &error))?;
    Ok(Hook::Clsact)
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
