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
const XDP: u32 = 6;
const XDP_HOOK: u32 = 37;
/// The kernel runs it, not the driver.
const XDP_GENERIC: u32 = 2;

/// What a program of TC does with every packet. The numbers are the same for TCX and for filters.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// Leaves it to the next program.
    Next,
    /// Lets it pass without asking the next program.
    Pass,
    Drop,
    /// Sends it out of the device of this index.
    Redirect(i32),
    /// Gives UDP over IPv4 this destination port, and leaves it to the next.
    Port(u16),
}

/// A program on ingress of a device; detached when dropped.
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
    log: [u64; 2],
    version: u32,
    flags: u32,
    name: [u8; 16],
}

/// The same for BPF_LINK_CREATE.
#[repr(C)]
struct Create {
    program: u32,
    ifindex: u32,
    at: u32,
    flags: u32,
    relative: u64,
    revision: u64,
}

impl Fate {
    /// Instructions of BPF: eight bits of code, two times four of registers, 16 of offset, 32 of number.
    fn code(self) -> Vec<u64> {
        const EXIT: u64 = 0x95;
        let number =
            |register: u64, number: i32| 0xb7 | register << 8 | u64::from(number.cast_unsigned()) << 32;
        let call = |helper: u64| 0x85 | helper << 32;
        match self {
            Self::Next => vec![number(0, -1), EXIT],
            Self::Pass => vec![number(0, 0), EXIT],
            Self::Drop => vec![number(0, 2), EXIT],
            // bpf_redirect(index, 0)
            Self::Redirect(index) => vec![number(1, index), number(2, 0), call(23), EXIT],
            Self::Port(port) => vec![
                // *(u64 *)(r10 - 8) = port; bpf_skb_store_bytes(skb, 36, r10 - 8, 2, 0); what it answers is not asked
                0x7a | 10 << 8 | u64::from((-8_i16).cast_unsigned()) << 16 | u64::from(port.to_be()) << 32,
                number(2, 36),
                0xbf | 3 << 8 | 10 << 12,
                0x07 | 3 << 8 | u64::from((-8_i32).cast_unsigned()) << 32,
                number(4, 2),
                number(5, 0),
                call(9),
                number(0, -1),
                EXIT,
            ],
        }
    }
}

/// Loads a program of this name.
fn load(kind: u32, name: &str, code: &[u64]) -> OwnedFd {
    let mut load = Load {
        kind,
        instructions: u32::try_from(code.len()).unwrap(),
        code: code.as_ptr().expose_provenance() as u64,
        license: c"GPL".as_ptr().expose_provenance() as u64,
        log: [0; 2],
        version: 0,
        flags: 0,
        name: [0; 16],
    };
    // What the kernel keeps; filters have a name of their own beside it.
    let name: String =
        name.chars().filter(|letter| letter.is_alphanumeric() || "_.".contains(*letter)).take(15).collect();
    load.name[..name.len()].copy_from_slice(name.as_bytes());
    bpf(PROG_LOAD, &load).unwrap()
}

impl Foreign {
    /// By TCX, behind those that are there.
    pub fn tcx(namespace: &Namespace, device: &str, name: &str, fate: Fate) -> Self {
        Self::attach(namespace, device, load(SCHED_CLS, name, &fate.code()), (TCX_INGRESS, 0))
    }

    /// XDP that lets everything pass.
    pub fn xdp(namespace: &Namespace, device: &str) -> Self {
        // r0 = XDP_PASS; exit
        let program = load(XDP, "", &[0xb7 | 2 << 32, 0x95]);
        Self::attach(namespace, device, program, (XDP_HOOK, XDP_GENERIC))
    }

    fn attach(namespace: &Namespace, device: &str, program: OwnedFd, hook: (u32, u32)) -> Self {
        let create = Create {
            program: program.as_raw_fd().cast_unsigned(),
            ifindex: index(namespace, device).cast_unsigned(),
            at: hook.0,
            flags: hook.1,
            relative: 0,
            revision: 0,
        };
        let link = namespace.enter(|| bpf(LINK_CREATE, &create)).unwrap();
        Self { _program: program, _link: link }
    }
}

/// Adds a filter of this name and priority to the ingress of a device that has a clsact qdisc; it stays there.
pub fn filter(namespace: &Namespace, device: &str, name: &str, priority: u32, fate: Fate) {
    let program = load(SCHED_CLS, name, &fate.code());
    let attribute = |kind: u16, value: &[u8]| {
        let length = u16::try_from(value.len() + 4).unwrap();
        let mut bytes = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let options = [
        attribute(6, &program.as_raw_fd().to_ne_bytes()),
        attribute(7, &[name.as_bytes(), &[0]].concat()),
        // Its answer is the packet's fate (TCA_BPF_FLAG_ACT_DIRECT).
        attribute(8, &1_u32.to_ne_bytes()),
    ]
    .concat();
    let mut body = vec![0; 4];
    let info = priority << 16 | u32::from(3_u16.to_be());
    for word in [index(namespace, device).cast_unsigned(), 0, 0xffff_fff2, info] {
        body.extend(word.to_ne_bytes());
    }
    body.extend(attribute(1, b"bpf\0"));
    body.extend(attribute(2, &options));
    // RTM_NEWTFILTER; a request to be acknowledged, to create what is not there.
    let mut message = u32::try_from(body.len() + 16).unwrap().to_ne_bytes().to_vec();
    message.extend([44_u16.to_ne_bytes(), 0x605_u16.to_ne_bytes()].concat());
    message.extend([0; 8]);
    message.extend(body);
    let code = namespace.enter(|| {
        // SAFETY: no pointers.
        let socket = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        assert!(socket >= 0, "{}", io::Error::last_os_error());
        // SAFETY: a new descriptor that nobody else has.
        let mut socket = unsafe { std::fs::File::from_raw_fd(socket) };
        io::Write::write_all(&mut socket, &message).unwrap();
        let mut answer = [0; 1_024];
        let length = io::Read::read(&mut socket, &mut answer).unwrap();
        i32::from_ne_bytes(answer[..length][16..20].try_into().unwrap())
    });
    assert_eq!(code, 0, "{}", io::Error::from_raw_os_error(-code));
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
