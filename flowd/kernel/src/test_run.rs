//! What the kernel is handed with a packet that it runs a program over (BPF_PROG_TEST_RUN).

pub(crate) mod skb;
pub(crate) mod xdp;

/// Bytes that a test run takes: a page less what the kernel keeps around them.
pub(crate) const LONGEST: usize = 3_500;

/// Test runs belong to a device; loopback is in every network namespace, with this index.
pub(crate) const LOOPBACK: u32 = 1;
