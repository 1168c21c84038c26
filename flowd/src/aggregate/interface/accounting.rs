//! flowd's count of one direction of an interface, held against the kernel's.

/// The two counts so far. Packets are never in both at once: a reading of either takes its time, and between a hook
/// and the device's counter there may be a queue (a qdisc on egress, the reader of a TUN device). What that makes a
/// reading ahead by, the next one is behind by, and where traffic ends there, nothing would ever set it right.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Accounting {
    ratio: Option<f64>,
    /// flowd's bytes when the kernel's were read last.
    ours: u64,
    /// Bytes since neither counted any: flowd's, the kernel's.
    stretch: [u64; 2],
}

impl Accounting {
    /// Begins with flowd's bytes as they are now.
    pub(super) fn at(ours: u64) -> Self {
        Self { ours, ..Self::default() }
    }

    /// flowd's bytes over the kernel's in the last interval in which something passed; once an interval was without
    /// any, over all since the one before it.
    pub(super) const fn ratio(&self) -> Option<f64> {
        self.ratio
    }

    /// Takes in what the kernel counted since the last time. It was read when flowd's own counter had passed `before`
    /// and not yet `after`: anything in between is as good, so that which fits is taken.
    pub(super) fn compare(&mut self, before: u64, after: u64, theirs: u64) {
        let now = (self.ours + theirs).clamp(before, after.max(before));
        let ours = now.saturating_sub(self.ours);
        self.ours = now;
        if ours == 0 && theirs == 0 {
            let [ours, theirs] = std::mem::take(&mut self.stretch);
            self.show(ours, theirs);
        } else {
            let [all_ours, all_theirs] = &mut self.stretch;
            *all_ours += ours;
            *all_theirs += theirs;
            self.show(ours, theirs);
        }
    }

    fn show(&mut self, ours: u64, theirs: u64) {
        if theirs != 0 {
            self.ratio = Some(ours as f64 / theirs as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_of_the_last_interval_with_traffic() {
        let mut accounting = Accounting::at(1_000);
        assert_eq!(accounting.ratio(), None);
        accounting.compare(1_090, 1_090, 100);
        assert_eq!(accounting.ratio(), Some(0.9));
        accounting.compare(1_140, 1_140, 50);
        assert_eq!(accounting.ratio(), Some(1.0));
    }

    #[test]
    fn what_passes_during_the_reading_is_no_difference() {
        let mut accounting = Accounting::default();
        accounting.compare(900, 1_200, 1_000);
        assert_eq!(accounting.ratio(), Some(1.0));
        accounting.compare(1_200, 1_200, 200);
        assert_eq!(accounting.ratio(), Some(1.0));
        accounting.compare(1_300, 1_310, 200);
        assert_eq!(accounting.ratio(), Some(0.55));
    }

    #[test]
    fn what_waits_in_a_queue_is_set_right_once_it_is_quiet() {
        let mut accounting = Accounting::default();
        for (ours, theirs) in [(1_000, 900), (2_000, 1_000)] {
            accounting.compare(ours, ours, theirs);
        }
        accounting.compare(2_010, 2_010, 110);
        assert!(accounting.ratio().unwrap() < 0.1);
        for _ in 0..2 {
            accounting.compare(2_010, 2_010, 0);
            assert_eq!(accounting.ratio(), Some(1.0));
        }
    }

    #[test]
    fn what_is_missing_stays_missing_when_it_is_quiet() {
        let mut accounting = Accounting::default();
        for (ours, theirs) in [(90, 100), (180, 100), (180, 0)] {
            accounting.compare(ours, ours, theirs);
        }
        assert_eq!(accounting.ratio(), Some(0.9));
    }

    #[test]
    fn bytes_that_the_kernel_alone_does_not_count_are_no_ratio() {
        let mut accounting = Accounting::default();
        accounting.compare(60, 60, 0);
        accounting.compare(60, 60, 0);
        assert_eq!(accounting.ratio(), None);
    }
}
