//! Round trips between the observation point and each endpoint, from data and its acknowledgement.
//!
//! One timed segment per direction. A repeated segment makes the answer ambiguous (Karn): without TCP
//! timestamps the measurement is dropped, with them the echo says which copy was answered (RFC 7323
//! section 4.1), so that it begins anew with the copy.

use super::{Order, before};
use crate::{
    dissect::transport::Segment,
    record::{Half, Rtt},
    wire::tcp::flag,
};

/// Starts a measurement with a segment that carries data.
#[inline(always)]
pub(super) fn time(own: &mut Half, order: Order, segment: &Segment, end: u32, payload_len: u32, now: u64) {
    if payload_len == 0 || matches!(order, Order::Empty) {
        return;
    }
    match order {
        Order::New if own.tcp.probe_time == 0 => {}
        Order::Repeat | Order::Repair if own.tcp.probe_time != 0 => {
            if !before(segment.sequence, own.tcp.probe_seq) {
                return;
            }
            if segment.timestamp == 0 {
                own.tcp.probe_time = 0;
                return;
            }
        }
        _ => return,
    }
    own.tcp.probe_seq = end;
    own.tcp.probe_tsval = segment.timestamp;
    own.tcp.probe_time = now;
}

/// Ends the peer's measurement where this segment acknowledges the timed one.
#[inline(always)]
pub(super) fn acknowledge(own: &mut Half, peer: &mut Half, segment: &Segment, now: u64) {
    if segment.flags & flag::ACK == 0
        || peer.tcp.probe_time == 0
        || before(segment.acknowledgement, peer.tcp.probe_seq)
    {
        return;
    }
    let stale_echo = segment.echo != 0 && peer.tcp.probe_tsval != 0 && before(segment.echo, peer.tcp.probe_tsval);
    if !stale_echo {
        sample(&mut own.rtt, now.saturating_sub(peer.tcp.probe_time));
    }
    peer.tcp.probe_time = 0;
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
    let mut bucket = 0;
    for bound in Rtt::BOUNDS {
        bucket += usize::from(value > bound);
    }
    if let Some(samples) = rtt.buckets.get_mut(bucket) {
        *samples += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
