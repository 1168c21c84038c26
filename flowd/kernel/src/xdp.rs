//! XDP: ingress is seen by the driver, before there is a socket buffer.

use aya::{
    Ebpf,
    programs::{
        Program, ProgramError, TestRun as _, TestRunOptions, Xdp, XdpMode, loaded_programs,
        xdp::{XdpLink, XdpLinkId},
    },
};
use flow_common::{names, settings::Settings};
use tracing::info;

use crate::{Hook, Kernel, KernelError, Refused, error::errno, net::netlink};

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

/// Programs for these settings: first the best.
pub(crate) const fn candidates(settings: &Settings, frags: bool) -> &'static [&'static str] {
    match (settings.decapsulate == 0, frags) {
        (true, true) => &[names::PROGRAM_XDP_FRAGS, names::PROGRAM_XDP],
        (true, false) => &[names::PROGRAM_XDP],
        (false, true) => &[names::PROGRAM_XDP_FRAGS_TUNNELS, names::PROGRAM_XDP_TUNNELS],
        (false, false) => &[names::PROGRAM_XDP_TUNNELS],
    }
}

/// Loads the best program that this kernel takes. One that cannot have frames of several buffers refuses the flag at
/// once, before its verifier looks at anything.
pub(crate) fn load(bpf: &mut Ebpf, settings: &Settings, frames: Frames) -> Result<&'static str, KernelError> {
    let mut result = Err(KernelError::Object { detail: "it has no XDP program".to_owned() });
    for name in candidates(settings, frames.frags) {
        match program(bpf, name)?.load() {
            Ok(()) => return Ok(name),
            Err(error) => result = Err(KernelError::program(name, &error)),
        }
    }
    result
}

/// The program of that name, which the object always has.
pub(crate) fn program<'a>(bpf: &'a mut Ebpf, name: &str) -> Result<&'a mut Xdp, KernelError> {
    match bpf.program_mut(name) {
        Some(Program::Xdp(program)) => Ok(program),
        _ => Err(KernelError::Object { detail: format!("it has no XDP program {name}") }),
    }
}

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

/// Name of the XDP program on an interface, or its number where names may not be asked for (they take
/// CAP_SYS_ADMIN); `None` where there is none.
#[must_use]
pub fn attached_frames(ifindex: u32) -> Option<String> {
    let id = netlink::xdp_program(ifindex).ok()??;
    let named = loaded_programs().filter_map(Result::ok).find(|program| program.id() == id);
    let name = named.and_then(|program| program.name_as_str().map(str::to_owned));
    Some(name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("program {id}")))
}

impl Kernel {
    /// Gives the link, with the number of the program, and the hook.
    pub(crate) fn attach_frames(
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

    /// Runs the XDP program over one Ethernet frame at `time` ns, as [`Kernel::replay`] does with the one of TC.
    ///
    /// # Errors
    /// The kernel fails; `Ok(Err(Refused))` where it refuses this frame alone.
    pub fn replay_frame(&mut self, frame: &[u8], time: u64) -> Result<Result<(), Refused>, KernelError> {
        let [ingress, _] = self.programs;
        match run(program(&mut self.bpf, ingress)?, &mut frame.to_vec(), time, 1) {
            Ok(_) => Ok(Ok(())),
            Err(error) if errno(&error) == Some(libc::EINVAL) => Ok(Err(Refused)),
            Err(error) => Err(KernelError::Replay { detail: error.to_string() }),
        }
    }
}

/// Bytes of metadata before a frame.
const META: usize = size_of::<u64>();

/// `struct xdp_md` of include/uapi/linux/bpf.h.
#[repr(C)]
struct Context {
    data: u32,
    data_end: u32,
    data_meta: u32,
    ingress_ifindex: u32,
    rx_queue_index: u32,
    egress_ifindex: u32,
}

/// Runs a program over a frame with `meta` before it; leaves what it made of the frame. Returns the time per run.
pub(crate) fn run(
    program: &Xdp,
    frame: &mut Vec<u8>,
    meta: u64,
    repeat: u32,
) -> Result<std::time::Duration, ProgramError> {
    let data = [&meta.to_ne_bytes()[..], frame].concat();
    let context = Context {
        data: META as u32,
        data_end: u32::try_from(data.len()).unwrap_or(u32::MAX),
        data_meta: 0,
        // Loopback of this network namespace.
        ingress_ifindex: 0,
        rx_queue_index: 0,
        egress_ifindex: 0,
    };
    // SAFETY: repr(C) integers without padding between them, alive through the call.
    let context_bytes =
        unsafe { std::slice::from_raw_parts((&raw const context).cast(), size_of::<Context>()) };
    let mut after = vec![0; data.len()];
    let options = TestRunOptions {
        data_in: Some(&data),
        data_out: Some(&mut after),
        ctx_in: Some(context_bytes),
        repeat,
        ..TestRunOptions::new()
    };
    let result = program.test_run(options)?;
    after.truncate(result.data_size_out as usize);
    // The kernel gives the metadata back as well.
    *frame = after.split_off(META.min(after.len()));
    Ok(result.duration)
}
