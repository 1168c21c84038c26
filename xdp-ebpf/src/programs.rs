//! Entry points: one per hook.

use aya_ebpf::{bindings::TC_ACT_UNSPEC, macros::classifier, programs::TcContext};
use flow_common::{
    dissect::link::Link,
    key::Direction,
    observe::{self, Arrival},
    settings::LINK_RAW,
};

use crate::{
    env::Kernel,
    maps::{INTERFACES, SETTINGS},
    skb::Skb,
};

/// Lets the next program on the hook decide; the same number as TCX_NEXT.
const NEXT: i32 = TC_ACT_UNSPEC;

#[classifier]
pub fn flow_ingress(context: TcContext) -> i32 {
    observe(&context, Direction::Ingress)
}

#[classifier]
pub fn flow_egress(context: TcContext) -> i32 {
    observe(&context, Direction::Egress)
}

#[inline(always)]
fn observe(context: &TcContext, direction: Direction) -> i32 {
    let skb = Skb(context.skb.skb);
    // An interface without a slot gets slot 0, whose totals say so.
    let interface = INTERFACES.get(skb.ifindex()).copied().unwrap_or_default();
    let arrival = Arrival {
        interface: interface.slot,
        link: if interface.link == LINK_RAW { Link::Ip } else { Link::Ethernet },
        crossing: (interface.one_point == 0).then_some(direction),
        moved_tag: skb.moved_tag(),
        offload: skb.offload(),
    };
    let mut env = Kernel { skb, settings: SETTINGS.load(), interface: interface.slot, direction };
    observe::on_packet(&skb, &arrival, &mut env);
    NEXT
}
