//! The steps of the packet path as global functions: the verifier walks each once, whatever its callers know. It
//! does so for one type of context, so that each hook has functions of its own.

use core::arch::asm;

use aya_ebpf::bindings::{__sk_buff, xdp_md};
use flow_common::{observe::step, workspace::Workspace};

use crate::{env::Kernel, frame::Frame, maps, skb::Skb, steps::Steps};

macro_rules! steps {
    ($packet:ty, $context:ty, $read:ident, $innermost:ident, $account:ident, $enter:ident, $unite:ident) => {
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub(crate) extern "C" fn $read(context: *mut $context) -> u32 {
            with::<$packet>(context, |kernel, work| step::read(&kernel.packet, work))
        }

        #[unsafe(no_mangle)]
        #[inline(never)]
        pub(crate) extern "C" fn $innermost(context: *mut $context) -> u32 {
            with::<$packet>(context, |kernel, work| {
                step::innermost(&kernel.packet, work);
                true
            })
        }

        #[unsafe(no_mangle)]
        #[inline(never)]
        pub(crate) extern "C" fn $account(context: *mut $context) -> u32 {
            with::<$packet>(context, |kernel, work| {
                let packet = kernel.packet;
                step::account(&packet, kernel, work)
            })
        }

        #[unsafe(no_mangle)]
        #[inline(never)]
        pub(crate) extern "C" fn $enter(context: *mut $context) -> u32 {
            with::<$packet>(context, |kernel, work| step::enter(&kernel.packet, kernel, work))
        }

        #[unsafe(no_mangle)]
        #[inline(never)]
        pub(crate) extern "C" fn $unite(context: *mut $context) -> u32 {
            // SAFETY: a move of a register to itself. What nobody reads the compiler does not pass, and the verifier
            // asks for a context.
            unsafe { asm!("{0} = {0}", inout(reg) context => _) };
            with::<$packet>(context, |kernel, work| {
                step::unite(kernel, work);
                true
            })
        }
    };
}

/// The functions of one hook as methods.
macro_rules! methods {
    ($packet:ty, $read:ident, $innermost:ident, $account:ident, $enter:ident, $unite:ident) => {
        impl Steps for $packet {
            #[inline(always)]
            fn call_read(self) -> u32 {
                $read(self.raw)
            }

            #[inline(always)]
            fn call_innermost(self) -> u32 {
                $innermost(self.raw)
            }

            #[inline(always)]
            fn call_account(self) -> u32 {
                $account(self.raw)
            }

            #[inline(always)]
            fn call_enter(self) -> u32 {
                $enter(self.raw)
            }

            #[inline(always)]
            fn call_unite(self) -> u32 {
                $unite(self.raw)
            }
        }
    };
}

steps!(Skb, __sk_buff, flow_read, flow_innermost, flow_account, flow_enter, flow_unite);
methods!(Skb, flow_read, flow_innermost, flow_account, flow_enter, flow_unite);
steps!(
    Frame<false>,
    xdp_md,
    flow_frame_read,
    flow_frame_innermost,
    flow_frame_account,
    flow_frame_enter,
    flow_frame_unite
);
methods!(
    Frame<false>,
    flow_frame_read,
    flow_frame_innermost,
    flow_frame_account,
    flow_frame_enter,
    flow_frame_unite
);
steps!(
    Frame<true>,
    xdp_md,
    flow_frags_read,
    flow_frags_innermost,
    flow_frags_account,
    flow_frags_enter,
    flow_frags_unite
);
methods!(
    Frame<true>,
    flow_frags_read,
    flow_frags_innermost,
    flow_frags_account,
    flow_frags_enter,
    flow_frags_unite
);

#[inline(always)]
fn with<C: Steps>(raw: *mut C::Raw, step: impl FnOnce(&mut Kernel<C>, &mut Workspace) -> bool) -> u32 {
    let Some((work, scratch)) = maps::room() else { return 0 };
    let packet = C::new(raw, scratch);
    let direction = work.arrival.hook;
    let mut kernel = Kernel { packet, interface: work.arrival.interface, direction };
    u32::from(step(&mut kernel, work))
}
