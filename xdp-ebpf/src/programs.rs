//! Entry points: one per hook.

use aya_ebpf::{bindings::TC_ACT_UNSPEC, macros::classifier, programs::TcContext};
use flow_common::{
    counter::{Counter, Family},
    dissect::link::Link,
    key::Direction,
    observe::{self, Arrival, MAX_DEPTH},
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
pub(crate) fn flow_ingress(context: TcContext) -> i32 {
    observe::<0>(&context, Direction::Ingress)
}

#[classifier]
pub(crate) fn flow_egress(context: TcContext) -> i32 {
    observe::<0>(&context, Direction::Egress)
}

/// The same with a look into tunnels: a program of its own, so that others do not pay for it.
#[classifier]
pub(crate) fn flow_ingress_tunnels(context: TcContext) -> i32 {
    observe::<MAX_DEPTH>(&context, Direction::Ingress)
}

#[classifier]
pub(crate) fn flow_egress_tunnels(context: TcContext) -> i32 {
    observe::<MAX_DEPTH>(&context, Direction::Egress)
}

#[inline(always)]
fn observe<const DEPTH: u8>(context: &TcContext, direction: Direction) -> i32 {
    let skb = Skb(context.skb.skb);
    let interface = INTERFACES.get(skb.ifindex()).copied().unwrap_or_default();
    let arrival = Arrival {
        interface: interface.slot,
        link: if interface.link == LINK_RAW { Link::Ip } else { Link::Ethernet },
        crossing: (interface.one_point == 0).then_some(direction),
        moved_tag: skb.moved_tag(),
        offload: skb.offload(),
    };
    let mut env = Kernel::<DEPTH> { skb, interface: interface.slot, direction };
    if interface.slot == 0 {
        observe::skipped(&skb, &arrival, &mut env, Counter::UnknownInterface, Family::Other);
    } else {
        let Some(work) = WORKSPACE.get_ptr_mut(0) else { return NEXT };
        // SAFETY: this CPU's own, and no other program runs on it until this one returns.
        observe::on_packet(&skb, &arrival, &mut env, unsafe { &mut *work });
    }
    NEXT
}
