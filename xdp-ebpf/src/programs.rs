//! Entry points: one per hook.

use aya_ebpf::{
    bindings::{TC_ACT_UNSPEC, xdp_action::XDP_PASS},
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};
use flow_common::{
    counter::{Counter, Family},
    dissect::{Link, Skip},
    key::Direction,
    observe,
    settings::LINK_RAW,
    shared::Relaxed,
    workspace::Arrival,
};

use crate::{
    env::Kernel,
    frame::Frame,
    maps::{self, INTERFACES},
    skb::Skb,
    steps::Steps,
};

/// Lets the next program on the hook decide; the same number as TCX_NEXT.
const NEXT: i32 = TC_ACT_UNSPEC;

#[classifier]
#[inline(always)]
pub(crate) fn flow_ingress(context: TcContext) -> i32 {
    observe::<false, Skb>(context.skb.skb, Direction::Ingress);
    NEXT
}

#[classifier]
#[inline(always)]
pub(crate) fn flow_egress(context: TcContext) -> i32 {
    observe::<false, Skb>(context.skb.skb, Direction::Egress);
    NEXT
}

/// The same with a look into tunnels: a program of its own, so that others do not pay for it.
#[classifier]
#[inline(always)]
pub(crate) fn flow_ingress_tunnels(context: TcContext) -> i32 {
    observe::<true, Skb>(context.skb.skb, Direction::Ingress);
    NEXT
}

#[classifier]
#[inline(always)]
pub(crate) fn flow_egress_tunnels(context: TcContext) -> i32 {
    observe::<true, Skb>(context.skb.skb, Direction::Egress);
    NEXT
}

/// Frames of one buffer, on every kernel.
#[xdp]
#[inline(always)]
pub(crate) fn flow_xdp(context: XdpContext) -> u32 {
    observe::<false, Frame<false>>(context.ctx, Direction::Ingress);
    XDP_PASS
}

#[xdp]
#[inline(always)]
pub(crate) fn flow_xdp_tunnels(context: XdpContext) -> u32 {
    observe::<true, Frame<false>>(context.ctx, Direction::Ingress);
    XDP_PASS
}

/// Frames of several buffers as well (Linux 5.18 and later): drivers of jumbo frames ask for it.
#[xdp(frags)]
#[inline(always)]
pub(crate) fn flow_xdp_frags(context: XdpContext) -> u32 {
    observe::<false, Frame<true>>(context.ctx, Direction::Ingress);
    XDP_PASS
}

#[xdp(frags)]
#[inline(always)]
pub(crate) fn flow_xdp_frags_tunnels(context: XdpContext) -> u32 {
    observe::<true, Frame<true>>(context.ctx, Direction::Ingress);
    XDP_PASS
}

#[inline(always)]
fn observe<const TUNNELS: bool, C: Steps>(raw: *mut C::Raw, hook: Direction) {
    let Some((work, scratch)) = maps::room() else { return };
    let packet = C::new(raw, scratch);
    let interface = INTERFACES.get(packet.ifindex()).map(Relaxed::get).unwrap_or_default();
    work.arrival = Arrival {
        interface: interface.slot,
        link: if interface.link == LINK_RAW { Link::Ip } else { Link::Ethernet },
        hook,
        one_point: interface.one_point != 0,
        omissions: interface.omissions,
        moved_tag: packet.moved_tag(),
        offload: packet.offload(),
    };
    let mut kernel = Kernel { packet, interface: interface.slot, direction: hook };
    if interface.slot == 0 {
        work.set_skip(Skip { counter: Counter::UnknownInterface, family: Family::Other });
        observe::skipped(&packet, &mut kernel, work);
    } else {
        observe::on_packet::<TUNNELS, _, _>(&packet, &mut kernel, work);
    }
}
