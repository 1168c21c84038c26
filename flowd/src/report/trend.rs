//! The straight line through daily figures, and where it leads.

/// Seconds of a day.
pub(super) const DAY: f64 = 86_400.0;

/// Days without which no line is drawn.
pub(super) const FEWEST_DAYS: usize = 3;

/// `value(t) = level + growth * (t - now)`, with t in days.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Trend {
    /// Of the line at the end of the time reported on.
    pub level: f64,
    /// What a day adds.
    pub growth: f64,
}

impl Trend {
    /// The least-squares line through points of (seconds since the epoch, value):
    /// `growth = Σ(t - mean t)(v - mean v) / Σ(t - mean t)²`, `level = mean v + growth * (now - mean t)`.
    /// `None` with fewer than three points, or where all are of one moment.
    #[must_use]
    pub fn fit(points: &[(f64, f64)], now: f64) -> Option<Self> {
        if points.len() < FEWEST_DAYS {
            return None;
        }
        let count = points.len() as f64;
        let mean_time = points.iter().map(|(time, _)| time).sum::<f64>() / count;
        let mean = points.iter().map(|(_, value)| value).sum::<f64>() / count;
        let (mut both, mut square) = (0.0, 0.0);
        for (time, value) in points {
            let days = (time - mean_time) / DAY;
            both += days * (value - mean);
            square += days * days;
        }
        if square == 0.0 {
            return None;
        }
        let growth = both / square;
        Some(Self { level: mean + growth * (now - mean_time) / DAY, growth })
    }

    /// Days from now until the line reaches `limit`: `(limit - level) / growth`; 0 where it is above already,
    /// `None` where it does not rise.
    #[must_use]
    pub fn days_until(&self, limit: f64) -> Option<f64> {
        if self.level >= limit {
            return Some(0.0);
        }
        (self.growth > 0.0).then(|| (limit - self.level) / self.growth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(days: &[f64], level: f64, growth: f64) -> Vec<(f64, f64)> {
        days.iter().map(|day| (day * DAY, level + growth * day)).collect()
    }

    #[test]
    fn a_line_is_found_again() {
        let trend = Trend::fit(&line(&[0.0, 1.0, 2.0, 5.0], 10.0, 3.0), 6.0 * DAY).unwrap();
        assert!((trend.level - 28.0).abs() < 1e-9 && (trend.growth - 3.0).abs() < 1e-9, "{trend:?}");
        assert!((trend.days_until(40.0).unwrap() - 4.0).abs() < 1e-9);
        assert_eq!(trend.days_until(28.0), Some(0.0));
    }

    #[test]
    fn what_does_not_rise_is_never_full() {
        let trend = Trend::fit(&line(&[0.0, 1.0, 2.0], 10.0, -1.0), 2.0 * DAY).unwrap();
        assert_eq!(trend.days_until(20.0), None);
        assert_eq!(trend.days_until(5.0), Some(0.0));
    }

    #[test]
    fn few_days_and_one_moment_are_no_line() {
        assert_eq!(Trend::fit(&line(&[0.0, 1.0], 1.0, 1.0), 0.0), None);
        assert_eq!(Trend::fit(&[(5.0, 1.0); 4], 0.0), None);
    }
}
