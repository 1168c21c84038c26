#!/usr/bin/env bash
# Merging a coarse HdrHistogram into a fine one moves every value to the lower edge of its bucket: the maximum falls.
#
# Expected: the crate's documentation: value_at_quantile() gives the value that this share of the records is smaller than
#   or equivalent to, so never one below what was recorded; add() adds the contents of another histogram, or fails.
# Seen (crate hdrhistogram 7.6.0): 500,001 recorded with one significant digit: max 507,903 (at or above, as promised).
#   The same histogram added to an empty one of three digits: max 491,775, below the only value there ever was, and so
#   is every quantile. Merged the other way round, fine into coarse, it is right again. Each record moves by up
#   to the coarse bucket's width: 6 % with one digit, 0.8 % with two.
# For a flow monitor: latency histograms of probes with different precision must not be merged into the finest; merge
#   into the coarsest, or give every probe the same digits.
# Needs: cargo; ten seconds for the build.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src
cat > Cargo.toml <<'T'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
hdrhistogram = { version = "=7.6.0", default-features = false }
[profile.dev]
debug = 0
T
cat > src/main.rs <<'R'
use hdrhistogram::Histogram;

fn histogram(digits: u8, values: &[u64]) -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(1, 1_000_000, digits).expect("bounds");
    for value in values {
        histogram.record(*value).expect("in range");
    }
    histogram
}

fn main() {
    let recorded = [100_003, 500_001];
    let mut same = true;
    for (coarse, fine) in [(1, 3), (2, 4)] {
        let source = histogram(coarse, &recorded);
        let mut up = histogram(fine, &[]);
        up.add(&source).expect("added");
        let mut down = histogram(coarse, &[]);
        down.add(&histogram(fine, &recorded)).expect("added");
        println!("recorded {recorded:?}; median and maximum");
        for (what, h) in [("alone", &source), ("coarse into fine", &up), ("fine into coarse", &down)] {
            println!("  {coarse} and {fine} digits, {what:17} {:7} {:7}", h.value_at_quantile(0.5), h.max());
        }
        let at_least = |h: &Histogram<u64>| h.max() >= recorded[1] && h.value_at_quantile(0.5) >= recorded[0];
        let below = |h: &Histogram<u64>| h.max() < recorded[1] && h.value_at_quantile(0.5) < recorded[0];
        same &= at_least(&source) && at_least(&down) && below(&up) && up.len() == 2;
    }
    if !same {
        eprintln!("CHANGED: recorded that only coarse into fine falls below the recorded values");
        std::process::exit(1);
    }
    println!("as recorded");
}
R
CARGO_TARGET_DIR=$dir/target cargo build -q -j 1 2>build.log || { cat build.log >&2; exit 2; }
target/debug/finding
