//! How soon the reader looks at the events again: sooner while much of their buffer fills between two looks.

use std::time::Duration;

use crate::kernel::EVENT_PARTS;

/// Parts of the buffer that may fill between two looks without haste: from half of the buffer on the packet path counts
/// who has how many copies.
const MANY: usize = EVENT_PARTS / 4;
/// Longest time between two looks where conversations are to be recognised: until they are, the packet path copies so many
/// segments of each and no more ([`flow_common::record::looks::UNKNOWN`]). A quick client has sent them in 30 ms.
const RECOGNISE: Duration = Duration::from_millis(20);
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

    /// The time to the next look, where it is `usual` without haste, and there are conversations to recognise, or none.
    pub(super) fn of(&self, usual: Duration, recognises: bool) -> Duration {
        let usual = if recognises { usual.min(RECOGNISE) } else { usual };
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
            haste.of(usual, false).as_millis()
        };
        assert_eq!([0, 1, 2].map(&mut after), [160; 3]);
        assert_eq!([3, 8, 8, 8, 8].map(&mut after), [80, 40, 20, 10, 10]);
        assert_eq!([2, 1, 1, 0, 1, 0].map(&mut after), [10, 20, 40, 80, 160, 160]);
    }

    #[test]
    fn quick_conversations_are_recognised_in_time() {
        let long = Duration::from_millis(160);
        assert_eq!(Haste::default().of(long, true), RECOGNISE);
        assert_eq!(Haste(1).of(long, true), RECOGNISE / 2);
        assert_eq!(Haste::default().of(RECOGNISE / 2, true), RECOGNISE / 2);
    }
}
