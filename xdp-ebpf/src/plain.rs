//! The plainest flow counter that there can be, as a measure for the others: what it costs beyond the empty program
//! tells how fast a machine is at what all of them must do.

use aya_ebpf::{
    bindings::{BPF_NOEXIST, TC_ACT_UNSPEC},
    btf_maps::PerCpuHashMap,
    macros::{btf_map, classifier},
    programs::TcContext,
};
use flow_common::{
    counter::Family,
    key::{FlowKey, Scope, TunnelKind},
    observe::step,
    packet::Packet as _,
};

use crate::{context::Context as _, measure::lone_arrival, skb::Skb};

/// Packets and bytes.
type Counts = [u64; 2];

/// Small, as it is made whenever the programs are loaded.
#[btf_map]
static PLAIN: PerCpuHashMap<FlowKey, Counts, 64> = PerCpuHashMap::new();

/// Reads the headers, looks the flow up in one hash of each CPU's own and adds the packet to it: no clock, no TCP, no totals.
#[classifier]
pub(crate) fn flow_plain(context: TcContext) -> i32 {
    let Some((work, scratch)) = lone_arrival() else { return TC_ACT_UNSPEC };
    let skb = Skb::new(context.skb.skb, scratch);
    if !step::read(&skb, work) {
        return TC_ACT_UNSPEC;
    }
    let headers = work.headers();
    let scope = Scope {
        interface: 0,
        vlans: headers.vlans,
        protocol: headers.protocol,
        ipv6: matches!(headers.family, Family::Ipv6),
        tunnel: TunnelKind::None,
        tunnel_id: 0,
    };
    let (key, _) = FlowKey::new(headers.source, headers.destination, &scope, None);
    match PLAIN.get_ptr_mut(&key) {
        Some(counts) => {
            // SAFETY: this CPU's own.
            let [packets, bytes] = unsafe { &mut *counts };
            *packets += 1;
            *bytes += u64::from(skb.len());
        }
        None => {
            let _ = PLAIN.insert(&key, [1, u64::from(skb.len())], u64::from(BPF_NOEXIST));
        }
    }
    TC_ACT_UNSPEC
}
