//! Counts by upper bound, as Prometheus wants them.

use flow_common::record::Rtt;

/// A histogram of `N` buckets, the last of them unbounded; values in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Histogram<const N: usize> {
    pub buckets: [u64; N],
    pub sum: f64,
}

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Self { buckets: [0; N], sum: 0.0 }
    }
}

impl<const N: usize> Histogram<N> {
    /// Counts one value of `nanoseconds`; `bounds` are the upper bounds of all buckets but the last.
    pub fn record(&mut self, bounds: &[u64], nanoseconds: u64) {
        let bucket = bounds.iter().take(N - 1).position(|bound| nanoseconds <= *bound).unwrap_or(N - 1);
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count += 1;
        }
        self.sum += seconds(nanoseconds);
    }

    /// Adds samples counted elsewhere under the same bounds.
    pub fn add(&mut self, samples: &Rtt) {
        for (bucket, count) in self.buckets.iter_mut().zip(samples.buckets) {
            *bucket += u64::from(count);
        }
        self.sum += seconds(samples.sum);
    }

    /// Values counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

/// Nanoseconds as seconds.
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_belong_to_their_bucket() {
        let mut histogram: Histogram<3> = Histogram::default();
        for value in [1, 10, 11, 100, 101] {
            histogram.record(&[10, 100], value);
        }
        assert_eq!(histogram.buckets, [2, 2, 1]);
        assert_eq!(histogram.count(), 5);
        assert!((histogram.sum - 223e-9).abs() < 1e-15);
    }
}
