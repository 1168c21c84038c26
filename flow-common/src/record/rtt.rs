//! Round trips of one path, as a sum and by size.

use crate::shared::share;

share! {
    /// Round-trip samples, in nanoseconds.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Rtt, shared SharedRtt {
        pub sum: u64,
        pub min: u64,
        pub max: u64,
        pub count: u32,
        /// Samples by upper bound [`Rtt::BOUNDS`], the last bucket unbounded.
        pub buckets: [u32; 12],
        pub reserved: u32,
    }
}

impl Rtt {
    /// Upper bounds of the buckets in nanoseconds; the buckets of `flowd_tcp_rtt_seconds`.
    pub const BOUNDS: [u64; 11] = [
        500_000,
        1_000_000,
        2_000_000,
        5_000_000,
        10_000_000,
        25_000_000,
        50_000_000,
        100_000_000,
        250_000_000,
        500_000_000,
        1_000_000_000,
    ];
}
