//! Counts by upper bound, as Prometheus wants them.

use flow_common::record::Rtt;

use crate::Sum;

/// A histogram of `N` buckets, the last of them unbounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histogram<const N: usize> {
    pub buckets: [u64; N],
    /// Sum of the values, ns: whole numbers, so that sums of sums stay exact.
    pub nanoseconds: u64,
}

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Self { buckets: [0; N], nanoseconds: 0 }
    }
}

impl<const N: usize> Sum for Histogram<N> {
    fn add(&mut self, other: &Self) {
        for (count, more) in self.buckets.iter_mut().zip(other.buckets) {
            *count = count.wrapping_add(more);
        }
        self.nanoseconds = self.nanoseconds.wrapping_add(other.nanoseconds);
    }

    fn subtract(&mut self, other: &Self) {
        for (count, less) in self.buckets.iter_mut().zip(other.buckets) {
            *count = count.wrapping_sub(less);
        }
        self.nanoseconds = self.nanoseconds.wrapping_sub(other.nanoseconds);
    }

    fn weight(&self) -> u64 {
        self.count()
    }
}

impl<const N: usize> Histogram<N> {
    /// Counts one value of `nanoseconds`; `bounds` are the upper bounds of all buckets but the last.
    pub fn record(&mut self, bounds: &[u64], nanoseconds: u64) {
        let bucket = bounds.iter().take(N - 1).position(|bound| nanoseconds <= *bound).unwrap_or(N - 1);
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count += 1;
        }
        self.nanoseconds = self.nanoseconds.wrapping_add(nanoseconds);
    }

    /// Adds samples counted elsewhere under the same bounds.
    pub fn add_samples(&mut self, samples: &Rtt) {
        for (bucket, count) in self.buckets.iter_mut().zip(samples.buckets) {
            *bucket += u64::from(count);
        }
        self.nanoseconds = self.nanoseconds.wrapping_add(samples.sum);
    }

    /// Values counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Sum of the values in seconds.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.nanoseconds as f64 / 1e9
    }
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
        assert_eq!(histogram.nanoseconds, 223);
        assert!((histogram.sum() - 223e-9).abs() < 1e-15);
    }
}
