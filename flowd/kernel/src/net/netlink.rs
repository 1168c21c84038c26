//! What aya does not ask rtnetlink(7): which XDP program an interface has, which filters a clsact qdisc has, and
//! that one of them, or an empty qdisc, be removed. Messages are a header, a `tcmsg` and attributes, in the byte order of this machine.

use std::{
    ffi::CStr,
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::FromRawFd as _,
};

const HEADER: usize = 16;
const TCMSG: usize = 20;
/// The kernel makes no part of a dump larger than this.
const ANSWER: usize = 32 * 1024;

/// `TC_H_CLSACT`: the place of the qdisc.
const CLSACT: u32 = 0xffff_fff1;
/// Handle of the qdisc, which the kernel gives to every clsact.
const QDISC: u32 = 0xffff_0000;
/// `TC_H_CLSACT` with `TC_H_MIN_INGRESS` and `TC_H_MIN_EGRESS`.
const PARENTS: [u32; 2] = [0xffff_fff2, 0xffff_fff3];

const IFINFOMSG: usize = 16;
const IFLA_XDP: u16 = 43;
/// `IFLA_XDP_PROG_ID`, and those of each mode where there are several.
const IFLA_XDP_PROGRAMS: std::ops::RangeInclusive<u16> = 4..=7;

const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_BPF_NAME: u16 = 7;

/// A filter, or the priority that filters are under (its handle is 0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    parent: u32,
    /// Priority and protocol, as the kernel packs them.
    info: u32,
    pub handle: u32,
    /// Name of the program, for filters of BPF.
    pub program: Option<String>,
}

impl Filter {
    pub(crate) const fn is_ingress(&self) -> bool {
        self.parent == PARENTS[0]
    }

    #[cfg(test)]
    pub(crate) fn for_tests(ingress: bool, priority: u16, program: &str) -> Self {
        let parent = PARENTS[usize::from(!ingress)];
        Self { parent, info: u32::from(priority) << 16, handle: 1, program: Some(program.to_owned()) }
    }

    /// Where it stands in its chain, from 1 on.
    pub(crate) const fn priority(&self) -> u16 {
        (self.info >> 16) as u16
    }
}

/// Every filter of the clsact qdisc of an interface of this network namespace, both directions; none where there
/// is no such qdisc.
///
/// # Errors
/// There is no such interface, or no netlink.
pub(crate) fn filters(ifindex: u32) -> io::Result<Vec<Filter>> {
    let mut found = Vec::new();
    for parent in PARENTS {
        let dump = (libc::NLM_F_DUMP).unsigned_abs() as u16;
        let place = Place { ifindex, handle: 0, parent, info: 0 };
        talk(libc::RTM_GETTFILTER, dump, &place, &[], &mut |message| found.extend(filter(message)))?;
    }
    Ok(found)
}

/// Removes a filter that [`filters`] gave.
///
/// # Errors
/// It has gone, or the privilege is missing (CAP_NET_ADMIN).
pub(crate) fn remove_filter(ifindex: u32, filter: &Filter) -> io::Result<()> {
    let place = Place { ifindex, handle: filter.handle, parent: filter.parent, info: filter.info };
    talk(libc::RTM_DELTFILTER, libc::NLM_F_ACK.unsigned_abs() as u16, &place, &[], &mut |_| {})
}

/// Removes the clsact qdisc with all filters that it has.
///
/// # Errors
/// There is none, or the privilege is missing (CAP_NET_ADMIN).
pub(crate) fn remove_clsact(ifindex: u32) -> io::Result<()> {
    let place = Place { ifindex, handle: QDISC, parent: CLSACT, info: 0 };
    // With its kind, as a qdisc of the kind "ingress" has the same place.
    let kind = attribute(TCA_KIND, b"clsact\0");
    talk(libc::RTM_DELQDISC, libc::NLM_F_ACK.unsigned_abs() as u16, &place, &kind, &mut |_| {})
}

/// Number of the XDP program of an interface of this network namespace, whoever runs it; `None` where there is none.
///
/// # Errors
/// There is no such interface, or no netlink.
pub(crate) fn xdp_program(ifindex: u32) -> io::Result<Option<u32>> {
    let mut found = None;
    // An `ifinfomsg`: family with type, index, flags, changes.
    let body: Vec<u8> = [0, ifindex, 0, 0].into_iter().flat_map(u32::to_ne_bytes).collect();
    let flags = libc::NLM_F_ACK.unsigned_abs() as u16;
    exchange(libc::RTM_GETLINK, flags, &body, &mut |message| found = found.or(program_of_link(message)))?;
    Ok(found)
}

/// The XDP program that a link's message names.
fn program_of_link(message: &[u8]) -> Option<u32> {
    let (_, nested) = attributes(message.get(IFINFOMSG..)?).find(|(kind, _)| *kind == IFLA_XDP)?;
    let mut programs = attributes(nested).filter(|(kind, _)| IFLA_XDP_PROGRAMS.contains(kind));
    programs.find_map(|(_, id)| word(id, 0).filter(|id| *id != 0))
}

/// The fields of a `tcmsg`.
struct Place {
    ifindex: u32,
    handle: u32,
    parent: u32,
    info: u32,
}

/// Sends a request and shows what comes back, each message from its `tcmsg` on, up to the acknowledgement.
fn talk(
    kind: u16,
    flags: u16,
    place: &Place,
    attributes: &[u8],
    show: &mut dyn FnMut(&[u8]),
) -> io::Result<()> {
    let mut body = Vec::new();
    // Family and padding.
    body.extend([0; 4]);
    for word in [place.ifindex, place.handle, place.parent, place.info] {
        body.extend(word.to_ne_bytes());
    }
    body.extend(attributes);
    exchange(kind, flags, &body, show)
}

/// Sends a message with this body and shows the bodies of the answers.
fn exchange(kind: u16, flags: u16, body: &[u8], show: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut socket = open(0)?;
    let length = u32::try_from(HEADER + body.len()).map_err(io::Error::other)?;
    let flags = flags | libc::NLM_F_REQUEST.unsigned_abs() as u16;
    let mut request = Vec::new();
    request.extend(length.to_ne_bytes());
    request.extend([kind.to_ne_bytes(), flags.to_ne_bytes()].concat());
    // Sequence and port: there is one request, and the kernel fills in the port.
    request.extend([0; 8]);
    request.extend(body);
    socket.write_all(&request)?;
    let mut answer = vec![0; ANSWER];
    loop {
        let length = socket.read(&mut answer)?;
        let mut rest = answer.get(..length).unwrap_or_default();
        while let Some((kind, body, next)) = message(rest) {
            match i32::from(kind) {
                libc::NLMSG_DONE => return Ok(()),
                libc::NLMSG_ERROR => {
                    // 0 is the acknowledgement.
                    return match word(body, 0).map(u32::cast_signed) {
                        Some(0) => Ok(()),
                        Some(code) => Err(io::Error::from_raw_os_error(-code)),
                        None => Err(io::ErrorKind::InvalidData.into()),
                    };
                }
                _ => show(body),
            }
            rest = next;
        }
    }
}

/// A socket for rtnetlink of this thread's network namespace; `more` are flags of socket(2) beside the usual.
pub(crate) fn open(more: libc::c_int) -> io::Result<File> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | more;
    // SAFETY: no pointers.
    let socket = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was opened above and belongs to nobody else.
    Ok(unsafe { File::from_raw_fd(socket) })
}

/// The first message: its type, what follows the header, and what follows the message.
fn message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = word(bytes, 0)? as usize;
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    let body = bytes.get(HEADER..length)?;
    Some((kind, body, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

/// A filter from its `tcmsg` on.
fn filter(message: &[u8]) -> Option<Filter> {
    let [handle, parent, info] = [word(message, 8)?, word(message, 12)?, word(message, 16)?];
    let options = attributes(message.get(TCMSG..)?).find(|(kind, _)| *kind == TCA_OPTIONS);
    let mut program = None;
    // The same number means something else in other kinds of filter.
    if attributes(message.get(TCMSG..)?).any(|(kind, value)| kind == TCA_KIND && value == b"bpf\0") {
        let name = options.and_then(|(_, nested)| attributes(nested).find(|(kind, _)| *kind == TCA_BPF_NAME));
        let name = name.and_then(|(_, name)| CStr::from_bytes_until_nul(name).ok());
        program = name.map(|name| name.to_string_lossy().into_owned());
    }
    Some(Filter { parent, info, handle, program })
}

/// Types and values.
fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?);
        let kind = u16::from_ne_bytes(bytes.get(2..4)?.try_into().ok()?);
        let value = bytes.get(4..usize::from(length))?;
        bytes = bytes.get(usize::from(length).next_multiple_of(4)..).unwrap_or_default();
        // The two high bits say "nested" and "network byte order".
        Some((kind & 0x3fff, value))
    })
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_read_from_its_message() {
        let mut bytes = vec![0; 8];
        for word in [0x00f1_0d00_u32, PARENTS[0], 0x0001_0300] {
            bytes.extend(word.to_ne_bytes());
        }
        let nested = attribute(TCA_BPF_NAME, b"flow_ingress\0");
        let tail = |kind: &[u8]| [attribute(TCA_KIND, kind), attribute(TCA_OPTIONS, &nested)].concat();
        let read = |kind: &[u8]| filter(&[bytes.clone(), tail(kind)].concat()).unwrap();
        assert_eq!((read(b"bpf\0").handle, read(b"bpf\0").parent), (0x00f1_0d00, PARENTS[0]));
        assert_eq!(read(b"bpf\0").program.as_deref(), Some("flow_ingress"));
        assert_eq!(read(b"u32\0").program, None);
    }

    #[test]
    fn cut_messages_end_the_reading() {
        let whole = attribute(TCA_KIND, b"bpf\0");
        assert_eq!(attributes(&whole).count(), 1);
        for length in 0..whole.len() {
            assert_eq!(attributes(&whole[..length]).count(), 0);
            assert!(message(&whole[..length]).is_none() && filter(&whole[..length]).is_none());
        }
        // A length of nothing does not go on for ever.
        assert_eq!(attributes(&[0; 8]).count(), 0);
        assert!(message(&[0; 32]).is_none());
    }

    #[test]
    fn an_xdp_program_is_read_from_its_link() {
        let nested = [attribute(2, &[1]), attribute(4, &77_u32.to_ne_bytes())].concat();
        let link = [vec![0; IFINFOMSG], attribute(3, b"eth0\0"), attribute(IFLA_XDP, &nested)].concat();
        assert_eq!(program_of_link(&link), Some(77));
        let none = [vec![0; IFINFOMSG], attribute(IFLA_XDP, &attribute(2, &[0]))].concat();
        assert_eq!(program_of_link(&none), None);
    }

    #[test]
    fn loopback_can_be_asked() {
        // What it holds is this machine's affair.
        filters(1).unwrap();
        xdp_program(1).unwrap();
        assert!(xdp_program(u32::MAX >> 1).is_err());
    }
}
