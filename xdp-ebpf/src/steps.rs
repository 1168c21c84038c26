//! The steps of the packet path as global functions: the verifier walks each once, whatever its callers know.

use aya_ebpf::bindings::__sk_buff;
use flow_common::observe::{Workspace, step};

use crate::{env::Kernel, maps::WORKSPACE, skb::Skb};

/// Reads the headers at the workspace's start; 0 where there are none.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn flow_read(skb: *mut __sk_buff) -> u32 {
    with(skb, |kernel, work| step::read(&kernel.skb, work))
}

/// Finds what the segments of a super-packet repeat.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn flow_innermost(skb: *mut __sk_buff) -> u32 {
    with(skb, |kernel, work| {
        step::innermost(&kernel.skb, work);
        true
    })
}

/// Puts the packet into its flow; 0 where the table is full.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn flow_account(skb: *mut __sk_buff) -> u32 {
    with(skb, |kernel, work| {
        let packet = kernel.skb;
        step::account(&packet, kernel, work)
    })
}

/// Goes on to the packet inside; 0 where there is none.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn flow_enter(skb: *mut __sk_buff) -> u32 {
    with(skb, |kernel, work| step::enter(&kernel.skb, kernel, work))
}

#[inline(always)]
fn with(skb: *mut __sk_buff, step: impl FnOnce(&mut Kernel, &mut Workspace) -> bool) -> u32 {
    let Some(work) = WORKSPACE.get_ptr_mut(0) else { return 0 };
    // SAFETY: this CPU's own; the caller uses it again only when the step has returned.
    let work = unsafe { &mut *work };
    let direction = work.arrival.hook;
    let mut kernel = Kernel { skb: Skb(skb), interface: work.arrival.interface, direction };
    u32::from(step(&mut kernel, work))
}
