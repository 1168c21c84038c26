//! How full the flow table is, and how long a flow may wait for its answer there.

/// Slots of a table, and how many of them are free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Slots that no CPU has taken yet. What a CPU holds back for its next flows, a sixteenth of all at most, is not
    /// among them; what has ended and not been read yet is not either.
    pub free: u32,
    pub slots: u32,
}

impl Room {
    /// How long a flow may wait for its answer, ns: without end in a table with room, no longer than it takes to send
    /// the first packet once more (1 s, RFC 6298 section 2) where half of it is taken, and not at all where little is
    /// left. So a flood of first packets, which nobody answers, leaves room for conversations.
    #[must_use]
    pub const fn patience(self) -> u64 {
        let (taken, slots) = (self.slots.saturating_sub(self.free) as u64, self.slots as u64);
        if taken * 8 >= slots * 7 {
            0
        } else if taken * 2 >= slots {
            2_000_000_000
        } else {
            u64::MAX
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_as_the_table_fills() {
        let patience =
            [0, 49, 50, 87, 88, 100].map(|taken| Room { free: 100 - taken, slots: 100 }.patience());
        assert_eq!(patience, [u64::MAX, u64::MAX, 2_000_000_000, 2_000_000_000, 0, 0]);
    }
}
