//! Nets as disjoint ranges: finding the longest prefix is a binary search, first among every sixteenth start, which
//! the nearest cache holds, then in one block of sixteen.

/// Zones by address, for addresses that are whole numbers.
#[derive(Clone, Debug)]
pub(super) struct Ranges<A> {
    /// Where each range begins, ascending; it ends where the next begins.
    starts: Vec<A>,
    /// The first start of every block.
    blocks: Vec<A>,
    /// [`NONE`] between nets.
    zones: Vec<u16>,
}

/// Starts of a block: four lines of the cache for addresses of 16 bytes.
const BLOCK: usize = 16;
const NONE: u16 = u16::MAX;

/// An address that can be counted up.
pub(super) trait Address: Copy + Ord {
    /// The next one; `None` behind the last.
    fn next(self) -> Option<Self>;
}

impl Address for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Address for u128 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl<A: Address> Ranges<A> {
    /// Cuts nets, given as first and last address and zone, into ranges in which the innermost net rules.
    /// Nets either lie in each other or apart.
    pub(super) fn new(mut nets: Vec<(A, A, u16)>) -> Self {
        // The outer of two that begin alike comes first.
        nets.sort_by(|left, right| left.0.cmp(&right.0).then(right.1.cmp(&left.1)));
        let mut ranges = Self { starts: Vec::new(), blocks: Vec::new(), zones: Vec::new() };
        let mut around: Vec<(A, u16)> = Vec::new();
        for (first, last, zone) in nets {
            ranges.leave(&mut around, Some(first));
            ranges.begin(first, zone);
            around.push((last, zone));
        }
        ranges.leave(&mut around, None);
        ranges.blocks = ranges.starts.iter().step_by(BLOCK).copied().collect();
        ranges
    }

    /// The zone of `address`, `None` where no net holds it.
    pub(super) fn find(&self, address: A) -> Option<u16> {
        let block = self.blocks.partition_point(|start| *start <= address).checked_sub(1)? * BLOCK;
        let starts = self.starts.get(block..)?;
        let starts = starts.get(..BLOCK).unwrap_or(starts);
        let behind = block + starts.partition_point(|start| *start <= address);
        self.zones.get(behind.checked_sub(1)?).copied().filter(|zone| *zone != NONE)
    }

    /// Ends the nets in `around` that end before `until`, or all.
    fn leave(&mut self, around: &mut Vec<(A, u16)>, until: Option<A>) {
        while let Some((last, _)) = around.last().copied()
            && until.is_none_or(|until| last < until)
        {
            around.pop();
            if let Some(next) = last.next() {
                self.begin(next, around.last().map_or(NONE, |(_, zone)| *zone));
            }
        }
    }

    fn begin(&mut self, start: A, zone: u16) {
        if self.starts.last() == Some(&start)
            && let Some(last) = self.zones.last_mut()
        {
            *last = zone;
        } else {
            self.starts.push(start);
            self.zones.push(zone);
        }
    }
}
