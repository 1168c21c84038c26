//! How fast the machine is at the kinds of work that the programs do, for `cargo xtask verify`. It shares no code with
//! them, so that a change to them cannot change the measure; and it stays as it is, as the budget is in its terms.
//!
//! What a busy neighbour on the same core takes away depends on how much code and how many cache lines a program goes
//! through: a short loop loses a quarter where the programs lose half. So this one is long, branches on what it reads,
//! and goes through as many lines as a flow's record has.

use aya_ebpf::{
    bindings::{BPF_NOEXIST, TC_ACT_UNSPEC},
    btf_maps::{PerCpuArray, PerCpuHashMap},
    helpers::bpf_ktime_get_ns,
    macros::{btf_map, classifier},
    programs::TcContext,
};

/// Addresses, ports and what else stands in the first bytes behind an Ethernet header.
type Key = [u64; 4];

const WORDS: usize = 96;

#[btf_map]
static YARDSTICK: PerCpuHashMap<Key, [u64; 4], 64> = PerCpuHashMap::new();

#[btf_map]
static YARDSTICK_WORDS: PerCpuArray<[u64; WORDS], 1> = PerCpuArray::new();

/// One word, read and written: `$at` words from the first. No two of them are the same code, and each packet of a
/// stream takes the same ways.
macro_rules! word {
    ($words:ident, $key:ident, $sums:ident: $($at:literal)+) => { $(
        // SAFETY: this CPU's own, and `$at` is below `WORDS`.
        unsafe {
            let place = $words.add($at);
            let word = place.read_volatile();
            if $key[$at % 4] & (1 << ($at % 29)) != 0 {
                $sums[$at % 4] += word ^ ($at * 0x9e37);
                place.write_volatile(word + $at);
            } else {
                $sums[$at % 4] ^= word >> ($at % 13 + 1);
                place.write_volatile(word ^ $at);
            }
        }
    )+ };
}

/// Copies 32 bytes of the packet, finds them in a hash, asks the clock, and goes through [`WORDS`] words of this CPU's
/// own.
#[classifier]
pub(crate) fn flow_yardstick(context: TcContext) -> i32 {
    const ETHERNET: usize = 14;
    let Ok(mut key) = context.load::<Key>(ETHERNET) else { return TC_ACT_UNSPEC };
    // Length, identification, checksum and numbers of TCP change from packet to packet; addresses and ports do not.
    key[0] &= 0xff;
    key[3] = 0;
    // SAFETY: a helper without arguments.
    let now = unsafe { bpf_ktime_get_ns() };
    let Some(counts) = YARDSTICK.get_ptr_mut(&key) else {
        let _ = YARDSTICK.insert(&key, [1; 4], u64::from(BPF_NOEXIST));
        return TC_ACT_UNSPEC;
    };
    let mut sums = [now; 4];
    // SAFETY: this CPU's own.
    let words = unsafe { (*counts).as_mut_ptr() };
    word!(words, key, sums: 0 1 2 3);
    if let Some(words) = YARDSTICK_WORDS.get_ptr_mut(0) {
        let words = words.cast::<u64>();
        word!(words, key, sums: 0 8 16 24 32 40 48 56 64 72 80 88 1 9 17 25 33 41 49 57 65 73 81 89);
        word!(words, key, sums: 2 10 18 26 34 42 50 58 66 74 82 90 3 11 19 27 35 43 51 59 67 75 83 91);
        word!(words, key, sums: 4 12 20 28 36 44 52 60 68 76 84 92 5 13 21 29 37 45 53 61 69 77 85 93);
        word!(words, key, sums: 6 14 22 30 38 46 54 62 70 78 86 94 7 15 23 31 39 47 55 63 71 79 87 95);
        // So that none of them is left out.
        // SAFETY: this CPU's own.
        unsafe { words.write_volatile(sums[0] ^ sums[1] ^ sums[2] ^ sums[3]) };
    }
    TC_ACT_UNSPEC
}
