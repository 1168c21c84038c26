//! Round trips between the observation point and each endpoint, from data and its acknowledgement.
//!
//! Two timed segments per direction: the first that is under way, which any acknowledgement beyond it ends,
//! and the latest sent, which only an acknowledgement of just it ends. The second is the closer measure where
//! a receiver acknowledges every other segment, the first the only one while a sender never pauses. An
//! acknowledgement gives one sample, of the second where it can.
//!
//! A repeated segment makes the answer ambiguous (Karn): without TCP timestamps the measurement is dropped,
//! with them the echo says which copy was answered (RFC 7323 section 4.1), so that it begins anew with the
//! copy. A repeated SYN begins anew in any case, as the handshake counts from the last SYN.

use super::{Order, before};
use crate::{
    dissect::transport::Segment,
    record::{Half, Rtt},
    wire::tcp::flag,
};

/// Whether a segment up to `end` is left out where one of `untimed` and one is timed. By a hash, as sizes of segments
/// have common divisors (Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, section 6.4).
#[inline(always)]
const fn left_out(untimed: u8, end: u32) -> bool {
    end.wrapping_mul(0x9e37_79b1) >> 24 & untimed as u32 != 0
}

/// Starts a measurement with a segment that takes sequence space up to `end`. Of repeated ones each is looked at, as
/// they end measurements.
#[inline(always)]
pub(super) fn time(own: &mut Half, order: Order, segment: &Segment, end: u32, untimed: u8, now: u64) {
    match order {
        Order::New => {
            if left_out(untimed, end) && segment.flags & flag::SYN == 0 {
                return;
            }
            own.tcp.latest_seq = end;
            own.tcp.latest_tsval = segment.timestamp;
            own.tcp.latest_time = now;
            if own.tcp.probe_time != 0 {
                return;
            }
        }
        Order::Repeat | Order::Repair => {
            let ambiguous = segment.timestamp == 0 && segment.flags & flag::SYN == 0;
            // After the repair of an earlier segment, the answer to the latest has waited for that.
            own.tcp.latest_time = if ambiguous || end != own.tcp.latest_seq { 0 } else { now };
            own.tcp.latest_tsval = segment.timestamp;
            if own.tcp.probe_time == 0 || !before(segment.sequence, own.tcp.probe_seq) {
                return;
            }
            if ambiguous {
                own.tcp.probe_time = 0;
                return;
            }
        }
        Order::Late | Order::Empty => return,
    }
    own.tcp.probe_seq = end;
    own.tcp.probe_tsval = segment.timestamp;
    own.tcp.probe_time = now;
}

/// Ends the peer's measurements where this segment acknowledges the timed one.
#[inline(always)]
pub(super) fn acknowledge(own: &mut Half, peer: &mut Half, segment: &Segment, now: u64) {
    if segment.flags & flag::ACK == 0 || peer.tcp.probe_time == 0 && peer.tcp.latest_time == 0 {
        return;
    }
    let (sent, value);
    if peer.tcp.latest_time != 0 && segment.acknowledgement == peer.tcp.latest_seq {
        (sent, value) = (peer.tcp.latest_time, peer.tcp.latest_tsval);
        peer.tcp.latest_time = 0;
    } else if peer.tcp.probe_time == 0 || before(segment.acknowledgement, peer.tcp.probe_seq) {
        return;
    } else {
        (sent, value) = (peer.tcp.probe_time, peer.tcp.probe_tsval);
    }
    peer.tcp.probe_time = 0;
    if !stale(segment.echo, value) {
        sample(&mut own.rtt, now.saturating_sub(sent));
    }
}

/// Whether an echo answers a copy sent before the one with timestamp `value`.
#[inline(always)]
const fn stale(echo: u32, value: u32) -> bool {
    echo != 0 && value != 0 && before(echo, value)
}

/// Adds one round trip of `value` nanoseconds.
#[inline(always)]
pub fn sample(rtt: &mut Rtt, value: u64) {
    if rtt.count == 0 || value < rtt.min {
        rtt.min = value;
    }
    if value > rtt.max {
        rtt.max = value;
    }
    rtt.sum += value;
    rtt.count += 1;
    // Without comparisons, as each would double the ways that the verifier walks: a bound below the value wraps
    // to a number with its highest bit set.
    let mut bucket = 0;
    for bound in Rtt::BOUNDS {
        bucket += (bound.wrapping_sub(value) >> 63) as usize;
    }
    if let Some(samples) = rtt.buckets.get_mut(bucket) {
        *samples += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_segment_of_so_many_is_timed() {
        for (untimed, timed) in [(0, 4_096), (7, 512), (15, 256)] {
            for size in [1_u32, 512, 1_448, 1_460, 65_160] {
                let ends = (1..=4_096_u32).map(|number| number.wrapping_mul(size).wrapping_add(0xfff0_0000));
                let count = ends.filter(|end| !left_out(untimed, *end)).count();
                assert!(count.abs_diff(timed) <= timed / 8, "{untimed}, {size}: {count} of {timed}");
            }
        }
    }

    #[test]
    fn samples_fall_into_their_bucket() {
        let mut rtt = Rtt::default();
        for value in [500_000, 500_001, 3_000_000_000] {
            sample(&mut rtt, value);
        }
        assert_eq!((rtt.count, rtt.min, rtt.max), (3, 500_000, 3_000_000_000));
        assert_eq!((rtt.buckets[0], rtt.buckets[1], rtt.buckets[11]), (1, 1, 1));
    }
}
