//! The steps of the packet path as the packet calls them.

use core::arch::asm;

use flow_common::{observe::Dispatch, packet::Packet, workspace::Workspace};

use crate::{context::Context, env::Kernel};

/// A context whose steps are global functions (subprograms.rs).
pub(crate) trait Steps: Context {
    /// Reads the headers at the workspace's start; 0 where there are none.
    fn call_read(self) -> u32;
    /// Finds what the segments of a super-packet repeat.
    fn call_innermost(self) -> u32;
    /// Puts the packet into its flow; 0 where the table is full.
    fn call_account(self) -> u32;
    /// Goes on to the packet inside; 0 where there is none.
    fn call_enter(self) -> u32;
    /// Gives the packet the tunnel's id under which its conversation began.
    fn call_unite(self) -> u32;
}

impl<C: Steps> Dispatch for Kernel<C> {
    #[inline(always)]
    fn read<P: Packet>(&mut self, _: &P, work: &mut Workspace) -> bool {
        self.call(C::call_read, work)
    }

    #[inline(always)]
    fn innermost<P: Packet>(&mut self, _: &P, work: &mut Workspace) {
        self.call(C::call_innermost, work);
    }

    #[inline(always)]
    fn account<P: Packet>(&mut self, _: &P, work: &mut Workspace) -> bool {
        self.call(C::call_account, work)
    }

    #[inline(always)]
    fn enter<P: Packet>(&mut self, _: &P, work: &mut Workspace) -> bool {
        self.call(C::call_enter, work)
    }

    #[inline(always)]
    fn unite(&mut self, work: &mut Workspace) {
        self.call(C::call_unite, work);
    }
}

impl<C: Steps> Kernel<C> {
    /// Calls a step, which finds the workspace by itself: pointers to it are no arguments before Linux 5.12.
    #[inline(always)]
    fn call(&self, step: impl FnOnce(C) -> u32, work: &mut Workspace) -> bool {
        let mut shared = core::ptr::from_mut(work);
        // SAFETY: a move of a register to itself. It tells the compiler that the step sees this memory.
        unsafe { asm!("{0} = {0}", inout(reg) shared) };
        let _ = shared;
        step(self.packet) != 0
    }
}
