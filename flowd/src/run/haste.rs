//! How soon the reader looks at the events again: sooner while much of their buffer fills between two looks.

use std::time::Duration;

use crate::kernel::EVENT_PARTS;

/// Parts of the buffer that may fill between two looks without haste: from half of the buffer on the packet path counts
/// who has how many copies.
const MANY: usize = EVENT_PARTS / 4;
/// Halvings of the time between two looks.
const MOST: u32 = 4;

/// How many times the time between two looks is halved.
#[derive(Debug, Default)]
pub(super) struct Haste(u32);

impl Haste {
    /// Takes how many parts of the buffer the last look found, the last of them perhaps not full.
    pub(super) fn found(&mut self, parts: usize) {
        self.0 = match parts {
            0 | 1 => self.0.saturating_sub(1),
            parts if parts > MANY => (self.0 + 1).min(MOST),
            _ => self.0,
        };
    }

    /// The time to the next look, where it is `usual` without haste.
    pub(super) fn of(&self, usual: Duration) -> Duration {
        usual / (1 << self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_come_sooner_while_much_waits_and_take_their_time_again() {
        let usual = Duration::from_millis(160);
        let mut haste = Haste::default();
        let mut after = |parts| {
            haste.found(parts);
            haste.of(usual).as_millis()
        };
        assert_eq!([0, 1, 2].map(&mut after), [160; 3]);
        assert_eq!([3, 8, 8, 8, 8].map(&mut after), [80, 40, 20, 10, 10]);
        assert_eq!([2, 1, 1, 0, 1, 0].map(&mut after), [10, 20, 40, 80, 160, 160]);
    }
}
