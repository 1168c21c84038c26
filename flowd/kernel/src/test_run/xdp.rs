//! Test runs of programs of XDP, with metadata before the frame.

use std::time::Duration;

use aya::programs::{ProgramError, TestRun as _, TestRunOptions, Xdp};

/// Bytes of metadata before a frame.
const META: usize = size_of::<u64>();

/// `struct xdp_md` of include/uapi/linux/bpf.h.
#[repr(C)]
struct Context {
    data: u32,
    data_end: u32,
    data_meta: u32,
    ingress_ifindex: u32,
    rx_queue_index: u32,
    egress_ifindex: u32,
}

/// Runs a program over a frame with `meta` before it; leaves what it made of the frame. Returns the time per run.
pub(crate) fn run(
    program: &Xdp,
    frame: &mut Vec<u8>,
    meta: u64,
    repeat: u32,
) -> Result<Duration, ProgramError> {
    let data = [&meta.to_ne_bytes()[..], frame].concat();
    let context = Context {
        data: META as u32,
        data_end: u32::try_from(data.len()).unwrap_or(u32::MAX),
        data_meta: 0,
        // Loopback of this network namespace.
        ingress_ifindex: 0,
        rx_queue_index: 0,
        egress_ifindex: 0,
    };
    // SAFETY: repr(C) integers without padding between them, alive through the call.
    let context_bytes =
        unsafe { std::slice::from_raw_parts((&raw const context).cast(), size_of::<Context>()) };
    let mut after = vec![0; data.len()];
    let options = TestRunOptions {
        data_in: Some(&data),
        data_out: Some(&mut after),
        ctx_in: Some(context_bytes),
        repeat,
        ..TestRunOptions::new()
    };
    let result = program.test_run(options)?;
    after.truncate(result.data_size_out as usize);
    // The kernel gives the metadata back as well.
    *frame = after.split_off(META.min(after.len()));
    Ok(result.duration)
}
