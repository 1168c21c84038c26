//! Entry points: one per hook.

use aya_ebpf::{bindings::TC_ACT_UNSPEC, macros::classifier, programs::TcContext};
use flow_common::{
    counter::{Counter, Family},
    dissect::{Skip, link::Link},
    key::Direction,
    observe::{self, Arrival},
    settings::LINK_RAW,
};

use crate::{
    env::Kernel,
    maps::{INTERFACES, WORKSPACE},
    skb::Skb,
};

/// Lets the next program on the hook decide; the same number as TCX_NEXT.
const NEXT: i32 = TC_ACT_UNSPEC;

#[classifier]
#[inline(always)]
pub(crate) fn flow_ingress(context: TcContext) -> i32 {
    observe::<false>(&context, Direction::Ingress)
}

#[classifier]
#[inline(always)]
pub(crate) fn flow_egress(context: TcContext) -> i32 {
    observe::<false>(&context, Direction::Egress)
}

/// The same with a look into tunnels: a program of its own, so that others do not pay for it.
#[classifier]
#[inline(always)]
pub(crate) fn flow_ingress_tunnels(context: TcContext) -> i32 {
    observe::<true>(&context, Direction::Ingress)
}

#[classifier]
#[inline(always)]
pub(crate) fn flow_egress_tunnels(context: TcContext) -> i32 {
    observe::<true>(&context, Direction::Egress)
}

#[inline(always)]
fn observe<const TUNNELS: bool>(context: &TcContext, hook: Direction) -> i32 {
    let skb = Skb(context.skb.skb);
    let Some(work) = WORKSPACE.get_ptr_mut(0) else { return NEXT };
    // SAFETY: this CPU's own, and no other program runs on it until this one returns.
    let work = unsafe { &mut *work };
    let interface = INTERFACES.get(skb.ifindex()).copied().unwrap_or_default();
    work.arrival = Arrival {
        interface: interface.slot,
        link: if interface.link == LINK_RAW { Link::Ip } else { Link::Ethernet },
        hook,
        one_point: interface.one_point != 0,
        thrift: interface.thrift,
        moved_tag: skb.moved_tag(),
        offload: skb.offload(),
    };
    let mut kernel = Kernel { skb, interface: interface.slot, direction: hook };
    if interface.slot == 0 {
        work.set_skip(Skip { counter: Counter::UnknownInterface, family: Family::Other });
        observe::skipped(&skb, &mut kernel, work);
    } else {
        observe::on_packet::<TUNNELS, _, _>(&skb, &mut kernel, work);
    }
    NEXT
}
