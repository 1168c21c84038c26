//! The programs that run in the kernel: adapters between the kernel's hooks and `flow_common`.
//!
//! They never change a packet's fate: the verdict is always "go on with the next program".
#![cfg_attr(target_arch = "bpf", no_std, no_main)]
// Inline assembly for BPF is unstable. Stable atomics stop at load and store on this target; BPF's atomic addition is an intrinsic only.
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch, core_intrinsics), allow(internal_features))]

#[cfg(target_arch = "bpf")]
mod context;
#[cfg(target_arch = "bpf")]
mod direct;
#[cfg(target_arch = "bpf")]
mod env;
#[cfg(target_arch = "bpf")]
mod frame;
#[cfg(target_arch = "bpf")]
mod maps;
#[cfg(all(target_arch = "bpf", feature = "measure"))]
mod measure;
#[cfg(all(target_arch = "bpf", feature = "measure"))]
mod plain;
#[cfg(target_arch = "bpf")]
mod programs;
#[cfg(target_arch = "bpf")]
mod skb;
#[cfg(target_arch = "bpf")]
mod steps;
#[cfg(target_arch = "bpf")]
mod subprograms;
#[cfg(all(target_arch = "bpf", feature = "measure"))]
mod yardstick;

/// The workspace builds on the host too, so that checks see these files; the programs themselves do not.
#[cfg(not(target_arch = "bpf"))]
fn main() {}

/// Helpers that read the clock and socket buffers are open to GPL-compatible programs only.
#[cfg(target_arch = "bpf")]
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
