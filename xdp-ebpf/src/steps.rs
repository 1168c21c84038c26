//! The steps of the packet path as the packet calls them.

use crate::context::Context;

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
}
