//! XDP: ingress is seen by the driver, before there is a socket buffer.

use aya::programs::{
    ProgramError, Xdp, XdpMode,
    xdp::{XdpLink, XdpLinkId},
};
use tracing::info;

use super::Kernel;
use crate::{
    KernelError,
    error::errno,
    hook::{
        Hook,
        xdp::{FrameMode, attached_frames},
    },
    object::xdp::program,
};

/// Whether trying another mode may help.
fn by_driver(error: &ProgramError) -> bool {
    !matches!(errno(error), Some(libc::EPERM | libc::EBUSY | libc::EEXIST | libc::ENODEV))
}

fn refused(interface: &str, ifindex: u32, error: &ProgramError) -> KernelError {
    let interface_name = interface.to_owned();
    match errno(error) {
        // An interface has room for one program, and for one mode.
        Some(libc::EBUSY | libc::EEXIST) => KernelError::XdpTaken {
            interface: interface_name,
            program: attached_frames(ifindex).unwrap_or_else(|| "of unknown name".to_owned()),
        },
        _ => KernelError::attach(interface, error),
    }
}

impl Kernel {
    /// Gives the link, with the number of the program, and the hook.
    pub(super) fn attach_frames(
        &mut self,
        name: &str,
        interface: &str,
        ifindex: u32,
        mode: FrameMode,
    ) -> Result<((XdpLink, u32), Hook), KernelError> {
        let program = program(&mut self.bpf, name)?;
        let id = program.info().map_err(|error| KernelError::program(name, &error))?.id();
        let take = |program: &mut Xdp, link: XdpLinkId, hook| match program.take_link(link) {
            Ok(link) => Ok(((link, id), hook)),
            Err(error) => Err(refused(interface, ifindex, &error)),
        };
        if mode != FrameMode::Generic {
            match program.attach_to_if_index(ifindex, XdpMode::Driver) {
                Ok(link) => return take(program, link, Hook::Xdp),
                Err(error) if mode == FrameMode::Auto && by_driver(&error) => {
                    let reason = KernelError::attach(interface, &error);
                    info!("no native XDP, trying generic: {reason}");
                }
                Err(error) if by_driver(&error) => {
                    let detail = KernelError::attach(interface, &error).to_string();
                    return Err(KernelError::NoNativeXdp { detail });
                }
                Err(error) => return Err(refused(interface, ifindex, &error)),
            }
        }
        match program.attach_to_if_index(ifindex, XdpMode::Skb) {
            Ok(link) => take(program, link, Hook::XdpGeneric),
            Err(error) => Err(refused(interface, ifindex, &error)),
        }
    }
}
