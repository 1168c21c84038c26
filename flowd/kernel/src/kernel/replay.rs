//! Pushes captured frames through the loaded program, each with its own time (BPF_PROG_TEST_RUN).

use aya::programs::{TestRun as _, TestRunOptions};
use flow_common::{offload::Offload, settings::Interface};

use super::Kernel;
use crate::{
    KernelError,
    error::errno,
    object::{programs, xdp},
    sys::pod::Plain,
    test_run::{LONGEST, LOOPBACK, skb::SkBuff, xdp::run},
};

/// The kernel does not take this frame for a test run: it is shorter than its own headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl Kernel {
    /// Makes the frames that follow belong to the interface in `slot`.
    ///
    /// # Errors
    /// The map cannot be written.
    pub fn replay_from(&mut self, interface: Interface) -> Result<(), KernelError> {
        self.interfaces
            .set(LOOPBACK, Plain(interface), 0)
            .map_err(|error| KernelError::map(flow_common::names::MAP_INTERFACES, &error))
    }

    /// Runs the ingress program over one Ethernet frame at `time` ns; `original_len` is its length on the wire.
    ///
    /// # Errors
    /// The kernel fails; `Ok(Err(Refused))` where it refuses this frame alone.
    pub fn replay(
        &mut self,
        frame: &[u8],
        original_len: u32,
        time: u64,
        offload: Offload,
    ) -> Result<Result<(), Refused>, KernelError> {
        // What does not fit is known by its length only; payload is copied from the front.
        let data = frame.get(..LONGEST).unwrap_or(frame);
        let context = SkBuff {
            ifindex: LOOPBACK,
            tstamp: time,
            wire_len: original_len.max(u32::try_from(frame.len()).unwrap_or(u32::MAX)),
            gso_segs: offload.segments,
            gso_size: offload.segment_size,
            ..SkBuff::default()
        };
        let [ingress, _] = programs::programs(&self.settings);
        let program = programs::program(&mut self.bpf, ingress)?;
        let options =
            TestRunOptions { data_in: Some(data), ctx_in: Some(context.bytes()), ..TestRunOptions::new() };
        match program.test_run(options) {
            Ok(_) => Ok(Ok(())),
            Err(error) if errno(&error) == Some(libc::EINVAL) => Ok(Err(Refused)),
            Err(error) => Err(KernelError::Replay { detail: error.to_string() }),
        }
    }

    /// Runs the XDP program over one Ethernet frame at `time` ns, as [`Kernel::replay`] does with the one of TC.
    ///
    /// # Errors
    /// The kernel fails; `Ok(Err(Refused))` where it refuses this frame alone.
    pub fn replay_frame(&mut self, frame: &[u8], time: u64) -> Result<Result<(), Refused>, KernelError> {
        let [ingress, _] = self.programs;
        match run(xdp::program(&mut self.bpf, ingress)?, &mut frame.to_vec(), time, 1) {
            Ok(_) => Ok(Ok(())),
            Err(error) if errno(&error) == Some(libc::EINVAL) => Ok(Err(Refused)),
            Err(error) => Err(KernelError::Replay { detail: error.to_string() }),
        }
    }
}
