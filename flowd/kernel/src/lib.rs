//! The kernel side of the daemon: loads, attaches, drains and replays the BPF programs; reads the clocks; starts the
//! threads and gives up privileges.
//!
//! The only crate that uses aya, calls the C library and maps memory, and so the only one with unsafe code on the host.
//! It knows flow-common's types and nothing of protocols, metrics or configuration.

mod check;
pub mod clock;
pub mod descriptors;
mod error;
pub mod heap;
mod hook;
mod kernel;
mod net;
mod object;
pub mod privileges;
mod role;
mod sys;
mod table;
mod test_run;
pub mod threads;

#[cfg(feature = "measure")]
pub use self::kernel::{Measured, ProgramFacts, Stream, Vary};
pub use self::{
    check::{attached, is_own, map_bytes, maps_are_charged_to_cgroups, try_load},
    error::{KernelError, has_bpf, has_btf},
    hook::{
        Hook,
        leftovers::{Cleaned, abandon, clean},
        order::Order,
        xdp::{FrameMode, Frames, attached_frames},
    },
    kernel::{EVENT_PARTS, Kernel, Refused},
    net::{Changes, path_mtu},
    object::options::LoadOptions,
    table::{reading::DrainReport, room::Room},
};
