//! The BPF object that is embedded in this binary: its maps, its programs, and how large it is made.

pub(crate) mod maps;
mod memory;
pub(crate) mod options;
pub(crate) mod programs;
pub(crate) mod xdp;

/// What the daemon loads.
pub(crate) static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/flowd-ebpf"));
