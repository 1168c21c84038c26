//! How fast the machine is at the kinds of work that the programs do, for `cargo xtask verify`. It shares no code with
//! them, so that a change to them cannot change the measure; and it stays as it is, as the budget is in its terms.

use aya_ebpf::{
    bindings::{BPF_NOEXIST, TC_ACT_UNSPEC},
    btf_maps::{PerCpuArray, PerCpuHashMap},
    helpers::bpf_ktime_get_ns,
    macros::{btf_map, classifier},
    programs::TcContext,
};

/// Addresses, ports and what else stands in the first bytes behind an Ethernet header.
type Key = [u64; 4];

#[btf_map]
static YARDSTICK: PerCpuHashMap<Key, [u64; 4], 64> = PerCpuHashMap::new();

#[btf_map]
static YARDSTICK_SUMS: PerCpuArray<[u64; 8], 1> = PerCpuArray::new();

/// Copies 32 bytes of the packet, mixes them, finds them in a hash, asks the clock and adds to four
/// words there and to eight of this CPU's own.
#[classifier]
pub(crate) fn flow_yardstick(context: TcContext) -> i32 {
    const ETHERNET: usize = 14;
    let Ok(mut key) = context.load::<Key>(ETHERNET) else { return TC_ACT_UNSPEC };
    // Length, identification, checksum and numbers of TCP change from packet to packet; addresses and ports do not.
    key[0] &= 0xff;
    key[3] = 0;
    let mut mixed = 0xcbf2_9ce4_8422_2325;
    for word in key {
        for shift in [0, 16, 32, 48] {
            mixed = (mixed ^ word >> shift & 0xffff).wrapping_mul(0x0100_0000_01b3);
        }
    }
    // SAFETY: a helper without arguments.
    let now = unsafe { bpf_ktime_get_ns() };
    let Some(counts) = YARDSTICK.get_ptr_mut(&key) else {
        let _ = YARDSTICK.insert(&key, [1; 4], u64::from(BPF_NOEXIST));
        return TC_ACT_UNSPEC;
    };
    for index in 0..4 {
        // SAFETY: this CPU's own.
        unsafe {
            let word = (*counts).as_mut_ptr().add(index);
            word.write_volatile(word.read_volatile().wrapping_add(now));
        }
    }
    if let Some(sums) = YARDSTICK_SUMS.get_ptr_mut(0) {
        // SAFETY: this CPU's own.
        let sums = unsafe { &mut *sums };
        for sum in sums {
            *sum = sum.wrapping_add(mixed);
        }
    }
    TC_ACT_UNSPEC
}
