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

use super::sequence::{SegmentKind, before};
use crate::{
    clock::{Clock, Time},
    dissect::Segment,
    record::{Rtt, SharedHalf, SharedRtt},
    wire::tcp::flag,
};

/// Whether a segment up to `end` is left out where one of `untimed` and one is timed. By a hash, as sizes of segments
/// have common divisors (Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, section 6.4).
#[inline(always)]
const fn left_out(untimed: u8, end: u32) -> bool {
    end.wrapping_mul(0x9e37_79b1) >> 24 & untimed as u32 != 0
}

/// Starts a measurement with a segment that takes sequence space up to `end`. Of repeated ones each is looked at, as
/// they end measurements; of others those that are `due`, whose time is exact.
#[inline(always)]
pub(super) fn time(
    own: &SharedHalf,
    kind: SegmentKind,
    segment: &Segment,
    end: u32,
    untimed: u8,
    due: bool,
    now: u64,
) {
    match kind {
        SegmentKind::New => {
            if (!due || left_out(untimed, end)) && segment.flags & flag::SYN == 0 {
                return;
            }
            own.tcp.latest_seq.set(end);
            own.tcp.latest_tsval.set(segment.timestamp);
            own.tcp.latest_time.set(now);
            if own.tcp.probe_time.get() != 0 {
                return;
            }
        }
        SegmentKind::Repeat | SegmentKind::Repair => {
            let ambiguous = segment.timestamp == 0 && segment.flags & flag::SYN == 0;
            // After the repair of an earlier segment, the answer to the latest has waited for that.
            let answerable = !ambiguous && end == own.tcp.latest_seq.get();
            own.tcp.latest_time.set(if answerable { now } else { 0 });
            own.tcp.latest_tsval.set(segment.timestamp);
            if own.tcp.probe_time.get() == 0 || !before(segment.sequence, own.tcp.probe_seq.get()) {
                return;
            }
            if ambiguous {
                own.tcp.probe_time.set(0);
                return;
            }
        }
        SegmentKind::Late | SegmentKind::Empty | SegmentKind::Answered => return,
    }
    own.tcp.probe_seq.set(end);
    own.tcp.probe_tsval.set(segment.timestamp);
    own.tcp.probe_time.set(now);
}

/// Ends the peer's measurements where this segment acknowledges the timed one.
#[inline(always)]
pub(super) fn acknowledge<C: Clock>(
    own: &SharedHalf,
    peer: &SharedHalf,
    segment: &Segment,
    time: &mut Time<'_, C>,
) {
    let (probe, latest) = (peer.tcp.probe_time.get(), peer.tcp.latest_time.get());
    if segment.flags & flag::ACK == 0 || probe == 0 && latest == 0 {
        return;
    }
    let (sent, value);
    if latest != 0 && segment.acknowledgement == peer.tcp.latest_seq.get() {
        (sent, value) = (latest, peer.tcp.latest_tsval.get());
        peer.tcp.latest_time.set(0);
    } else if probe == 0 || before(segment.acknowledgement, peer.tcp.probe_seq.get()) {
        return;
    } else {
        (sent, value) = (probe, peer.tcp.probe_tsval.get());
    }
    peer.tcp.probe_time.set(0);
    if !stale(segment.echo, value) {
        sample(&own.rtt, time.exact().saturating_sub(sent));
    }
}

/// Whether an echo answers a copy sent before the one with timestamp `value`.
#[inline(always)]
const fn stale(echo: u32, value: u32) -> bool {
    echo != 0 && value != 0 && before(echo, value)
}

/// Adds one round trip of `value` nanoseconds.
#[inline(always)]
pub fn sample(rtt: &SharedRtt, value: u64) {
    if rtt.count.get() == 0 || value < rtt.min.get() {
        rtt.min.set(value);
    }
    if value > rtt.max.get() {
        rtt.max.set(value);
    }
    rtt.sum.add(value);
    rtt.count.add(1);
    // Without comparisons, as each would double the ways that the verifier walks: a bound below the value wraps
    // to a number with its highest bit set.
    let mut bucket = 0;
    for bound in Rtt::BOUNDS {
        bucket += (bound.wrapping_sub(value) >> 63) as usize;
    }
    if let Some(samples) = rtt.buckets.get(bucket) {
        samples.add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::Share as _;

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
            sample(Rtt::shared(&mut rtt), value);
        }
        assert_eq!((rtt.count, rtt.min, rtt.max), (3, 500_000, 3_000_000_000));
        assert_eq!((rtt.buckets[0], rtt.buckets[1], rtt.buckets[11]), (1, 1, 1));
    }
}
