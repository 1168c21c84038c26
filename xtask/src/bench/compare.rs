//! An earlier run beside this one.

use super::row::Row;

/// Of a single value nobody knows the noise; this share of it is taken.
const UNKNOWN_NOISE: f64 = 0.05;

/// How a figure moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Quartiles overlap.
    Noise,
    Better,
    Worse,
}

impl Change {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Noise => "",
            Self::Better => "better",
            Self::Worse => "**worse**",
        }
    }
}

/// The same figure in an earlier run.
pub(super) fn earlier<'a>(row: &Row, before: &'a [Row]) -> Option<&'a Row> {
    before.iter().find(|other| other.part == row.part && other.name == row.name && other.unit == row.unit)
}

/// Beyond the noise that both runs saw.
pub(super) fn change(now: &Row, before: &Row) -> Change {
    let ((low, high), (old_low, old_high)) = (range(now), range(before));
    if low <= old_high && old_low <= high {
        return Change::Noise;
    }
    if (low > old_high) == now.less { Change::Worse } else { Change::Better }
}

fn range(row: &Row) -> (f64, f64) {
    if row.rounds > 1 {
        return (row.low, row.high);
    }
    let noise = row.median.abs() * UNKNOWN_NOISE;
    (row.median - noise, row.median + noise)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(less: bool, [low, median, high]: [f64; 3], rounds: u64) -> Row {
        let word = || "x".to_owned();
        Row { part: word(), name: word(), unit: word(), less, median, low, high, rounds, note: word() }
    }

    #[test]
    fn only_quartiles_that_do_not_meet_are_a_change() {
        let before = row(true, [9.0, 10.0, 11.0], 5);
        assert_eq!(change(&row(true, [10.5, 12.0, 13.0], 5), &before), Change::Noise);
        assert_eq!(change(&row(true, [11.5, 12.0, 13.0], 5), &before), Change::Worse);
        assert_eq!(change(&row(true, [5.0, 6.0, 7.0], 5), &before), Change::Better);
        assert_eq!(change(&row(false, [5.0, 6.0, 7.0], 5), &row(false, [9.0, 10.0, 11.0], 5)), Change::Worse);
    }

    #[test]
    fn single_values_get_some_room() {
        let before = row(true, [10.0; 3], 1);
        assert_eq!(change(&row(true, [10.9; 3], 1), &before), Change::Noise);
        assert_eq!(change(&row(true, [11.5; 3], 1), &before), Change::Worse);
    }
}
