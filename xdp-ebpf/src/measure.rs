//! Programs for measuring the others (`cargo xtask verify` and `bench`); the daemon never loads them.

use core::ptr::null_mut;

use aya_ebpf::{
    bindings::{TC_ACT_UNSPEC, xdp_action::XDP_PASS},
    btf_maps::ProgramArray,
    macros::{btf_map, classifier, xdp},
    programs::{TcContext, XdpContext},
};
use flow_common::{
    dissect::{Link, NO_TAG},
    key::Direction,
    names::vary,
    observe::step,
    offload::Offload,
    settings::Omissions,
    workspace::{Arrival, Scratch, Workspace},
};

use crate::{context::Context as _, frame::Frame, maps, skb::Skb};

/// What [`flow_vary`] goes on to: the program that is measured.
#[btf_map]
static MEASURED: ProgramArray<1> = ProgramArray::new();

/// What [`flow_xdp_vary`] goes on to: programs of one kind to a map.
#[btf_map]
static MEASURED_FRAMES: ProgramArray<1> = ProgramArray::new();

/// What a test run costs without any work.
#[classifier]
pub(crate) fn flow_empty(_: TcContext) -> i32 {
    TC_ACT_UNSPEC
}

/// The same at XDP.
#[xdp]
pub(crate) fn flow_xdp_empty(_: XdpContext) -> u32 {
    XDP_PASS
}

/// The workspace at the beginning of a packet of Ethernet, without its interface's record.
#[inline(always)]
pub(crate) fn lone_arrival<'a>() -> Option<(&'a mut Workspace, *mut Scratch)> {
    let (work, scratch) = maps::room()?;
    work.arrival = Arrival {
        interface: 0,
        link: Link::Ethernet,
        hook: Direction::Ingress,
        one_point: true,
        omissions: Omissions::NONE,
        moved_tag: NO_TAG,
        offload: Offload::default(),
    };
    work.begin();
    Some((work, scratch))
}

/// Reads the headers and stops.
#[classifier]
pub(crate) fn flow_parse_only(context: TcContext) -> i32 {
    let Some((work, scratch)) = lone_arrival() else { return TC_ACT_UNSPEC };
    let skb = Skb::new(context.skb.skb, scratch);
    step::read(&skb, work);
    TC_ACT_UNSPEC
}

/// Makes each run of a repeated test run another packet, in place, then goes on to the measured program. The
/// context says how: `mark` is one of [`vary`], `cb[0]` the payload's length times 256 plus the TCP header's offset.
#[classifier]
pub(crate) fn flow_vary(context: TcContext) -> i32 {
    // Reads nothing but what lies in place.
    let skb = Skb::new(context.skb.skb, null_mut());
    let (tcp, payload_len) = (skb.cb() & 0x7f, skb.cb() >> 8);
    match skb.mark() {
        vary::NEXT => skb.change(tcp + 4, |sequence| sequence.wrapping_add(payload_len)),
        vary::ACKNOWLEDGE => skb.change(tcp + 8, |number| number.wrapping_add(1448)),
        vary::TURN => turn(skb, tcp, payload_len),
        vary::FLOW => another_flow(skb, tcp, payload_len),
        vary::CONNECTION => another_connection(skb, tcp, payload_len),
        _ => {}
    }
    // SAFETY: nothing here needs to be dropped.
    unsafe { MEASURED.tail_call(&context, 0) };
    TC_ACT_UNSPEC
}

/// [`flow_vary`] at XDP. The metadata says how: [`vary`], in its next 16 bits the TCP header's offset, in the 32 bits
/// above the payload's length.
#[xdp]
pub(crate) fn flow_xdp_vary(context: XdpContext) -> u32 {
    let frame = Frame::<false>::new(context.ctx, null_mut());
    let (how, tcp, payload_len) = (frame.time() as u16, (frame.time() >> 16) as u16, frame.time() >> 32);
    let tcp = u32::from(tcp) & 0x7f;
    match u32::from(how) {
        vary::NEXT => frame.change(tcp + 4, |sequence| sequence.wrapping_add(payload_len as u32)),
        vary::ACKNOWLEDGE => frame.change(tcp + 8, |number| number.wrapping_add(1448)),
        _ => {}
    }
    // SAFETY: nothing here needs to be dropped.
    unsafe { MEASURED_FRAMES.tail_call(&context, 0) };
    XDP_PASS
}

/// The same segment of another flow: all numbers of 20 bits in an order without a pattern (a linear congruence
/// of full period) stand in the source address. Each time that all had their turn, the next segment begins.
#[inline(always)]
fn another_flow(skb: Skb, tcp: u32, payload_len: u32) {
    let mut number = 0;
    skb.change(tcp.wrapping_sub(8), |address| {
        number = address.wrapping_mul(0x19_660d).wrapping_add(0x3c6e_f35f) & 0xf_ffff;
        address & !0xf_ffff | number
    });
    if number == 0 {
        skb.change(tcp + 4, |sequence| sequence.wrapping_add(payload_len));
    }
}

/// The next segment of one side of another connection: the low 17 bits of a number that runs as in
/// [`another_flow`] are the connection, the one above is the side. Once round, both sides go on by a segment and
/// acknowledge all that the other sent the time before.
#[inline(always)]
fn another_connection(skb: Skb, tcp: u32, payload_len: u32) {
    const SERVER: u32 = 0xc000_0201;
    const CLIENTS: u32 = 0x0a00_0000;
    const PORTS: u32 = 0x9c55_01bb;
    let mut number = 0;
    skb.change(tcp + 16, |before| {
        number = before.wrapping_mul(0x19_660d).wrapping_add(0x3c6e_f35f) & 0x3_ffff;
        number
    });
    let client = CLIENTS | number & 0x1_ffff;
    let answers = number & 0x2_0000 != 0;
    skb.change(tcp.wrapping_sub(8), |_| if answers { SERVER } else { client });
    skb.change(tcp.wrapping_sub(4), |_| if answers { client } else { SERVER });
    skb.change(tcp, |_| if answers { PORTS.rotate_left(16) } else { PORTS });
    if number == 0 {
        skb.change(tcp + 4, |sequence| sequence.wrapping_add(payload_len));
        skb.change(tcp + 8, |acknowledged| acknowledged.wrapping_add(payload_len));
    }
}

/// The answer to an IPv4 segment, which acknowledges all of it.
#[inline(always)]
fn turn(skb: Skb, tcp: u32, payload_len: u32) {
    let (mut source, mut destination) = (0, 0);
    skb.change(tcp.wrapping_sub(8), |address| note(&mut source, address));
    skb.change(tcp.wrapping_sub(4), |address| {
        destination = address;
        source
    });
    skb.change(tcp.wrapping_sub(8), |_| destination);
    skb.change(tcp, |ports| ports.rotate_left(16));
    let (mut sequence, mut acknowledged) = (0, 0);
    skb.change(tcp + 4, |number| note(&mut sequence, number));
    skb.change(tcp + 8, |number| {
        acknowledged = number;
        sequence.wrapping_add(payload_len)
    });
    skb.change(tcp + 4, |_| acknowledged);
}

/// Notes a value and passes it on.
#[inline(always)]
fn note(into: &mut u32, value: u32) -> u32 {
    *into = value;
    value
}
