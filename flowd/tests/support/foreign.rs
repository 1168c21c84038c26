//! Programs of others at the hooks where flowd's are.

use std::{
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
};

use super::{frames::index, namespace::Namespace};

const PROG_LOAD: libc::c_long = 5;
const LINK_CREATE: libc::c_long = 28;
const SCHED_CLS: u32 = 3;
const TCX_INGRESS: u32 = 46;
const TCX_PASS: i32 = 0;
const TCX_DROP: i32 = 2;
const XDP: u32 = 6;
const XDP_HOOK: u32 = 37;
const XDP_PASS: i32 = 2;
/// The kernel runs it, not the driver.
const XDP_GENERIC: u32 = 2;

/// A program that gives every packet the same fate; detached when dropped.
pub struct Foreign {
    _program: OwnedFd,
    _link: OwnedFd,
}

/// The part of `union bpf_attr` for BPF_PROG_LOAD that is needed.
#[repr(C)]
struct Load {
    kind: u32,
    instructions: u32,
    code: u64,
    license: u64,
}

/// The same for BPF_LINK_CREATE.
#[repr(C)]
struct Create {
    program: u32,
    ifindex: u32,
    at: u32,
    flags: u32,
}

impl Foreign {
    /// TCX on ingress of a device: drops everything, or lets everything pass without asking the next program.
    pub fn tcx(namespace: &Namespace, device: &str, drops: bool) -> Self {
        Self::attach(namespace, device, SCHED_CLS, (TCX_INGRESS, 0), if drops { TCX_DROP } else { TCX_PASS })
    }

    /// XDP that lets everything pass.
    pub fn xdp(namespace: &Namespace, device: &str) -> Self {
        Self::attach(namespace, device, XDP, (XDP_HOOK, XDP_GENERIC), XDP_PASS)
    }

    fn attach(namespace: &Namespace, device: &str, kind: u32, hook: (u32, u32), fate: i32) -> Self {
        // r0 = fate; exit
        let code = [0xb7_u64 | (u64::from(fate.cast_unsigned()) << 32), 0x95];
        let load = Load {
            kind,
            instructions: 2,
            code: code.as_ptr().expose_provenance() as u64,
            license: c"GPL".as_ptr().expose_provenance() as u64,
        };
        let program = bpf(PROG_LOAD, &load).unwrap();
        let create = Create {
            program: program.as_raw_fd().cast_unsigned(),
            ifindex: index(namespace, device).cast_unsigned(),
            at: hook.0,
            flags: hook.1,
        };
        let link = namespace.enter(|| bpf(LINK_CREATE, &create)).unwrap();
        Self { _program: program, _link: link }
    }
}

fn bpf<T>(command: libc::c_long, attributes: &T) -> io::Result<OwnedFd> {
    // SAFETY: the attributes are those of the command, and their pointers live as long as the caller's values.
    let number =
        unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attributes), size_of::<T>()) };
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given it to us.
    Ok(unsafe { OwnedFd::from_raw_fd(i32::try_from(number).unwrap()) })
}
