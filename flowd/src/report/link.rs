//! What is reported of a link: figures of its five-minute samples.

use std::collections::BTreeMap;

use serde::Serialize;

use super::trend::{DAY, Trend};

/// A point of a series: seconds since the epoch, bytes per second.
pub type Point = (f64, f64);

/// One interface of one flowd.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// As Prometheus calls the flowd; `null` for a flow log.
    pub instance: Option<String>,
    pub iface: String,
    /// Bytes per second in each direction, where it is known.
    pub speed: Option<f64>,
    #[serde(rename = "in")]
    pub inward: Option<Side>,
    #[serde(rename = "out")]
    pub outward: Option<Side>,
    /// Days from now until the fuller direction reaches these shares of the speed.
    pub days_until_80: Option<f64>,
    pub days_until_100: Option<f64>,
    /// Share of the speed that the fuller direction's p95 leaves.
    pub headroom: Option<f64>,
}

/// One direction. Rates are bytes per second.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// 95th percentile of the samples.
    pub p95: f64,
    pub mean: f64,
    /// The highest rate seen in the shortest window that there is.
    pub peak: f64,
    /// The line through the daily p95.
    pub trend: Option<Trend>,
    /// Middle of each UTC day, and the p95 of its samples.
    pub daily_p95: Vec<Point>,
    #[serde(skip)]
    pub samples: Vec<Point>,
}

impl Link {
    /// Puts both directions together.
    #[must_use]
    pub fn new(
        instance: Option<String>,
        iface: String,
        speed: Option<f64>,
        inward: Option<Side>,
        outward: Option<Side>,
    ) -> Self {
        let sides = || [&inward, &outward].into_iter().flatten();
        let until = |share: f64| {
            let speed = speed?;
            let days = sides().filter_map(|side| side.trend?.days_until(speed * share));
            days.min_by(f64::total_cmp)
        };
        let headroom = speed.and_then(|speed| {
            let fullest = sides().map(|side| side.p95).max_by(f64::total_cmp)?;
            Some(1.0 - fullest / speed)
        });
        let (days_until_80, days_until_100) = (until(0.8), until(1.0));
        Self { instance, iface, speed, inward, outward, days_until_80, days_until_100, headroom }
    }
}

impl Side {
    /// Figures of `samples`, which are in order of time and `step` seconds apart; `peak` is the largest rate
    /// of a shorter window, where one was kept. `None` without samples.
    #[must_use]
    pub fn new(samples: Vec<Point>, step: f64, now: f64, peak: Option<f64>) -> Option<Self> {
        let mut rates: Vec<f64> = samples.iter().map(|(_, rate)| *rate).collect();
        let p95 = percentile(&mut rates, 0.95)?;
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        let highest = rates.last().copied().unwrap_or(p95);
        let daily_p95 = daily(&samples, step);
        let trend = Trend::fit(&daily_p95, now);
        Some(Self {
            p95,
            mean,
            peak: peak.map_or(highest, |peak| peak.max(highest)),
            trend,
            daily_p95,
            samples,
        })
    }
}

/// The smallest value that at least `share` of the values do not exceed (nearest rank, as bills do: the
/// highest 5 % of the samples are left out). Sorts; `None` without values.
#[must_use]
pub(super) fn percentile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * share).ceil() as usize;
    values.get(rank.max(1) - 1).copied()
}

/// The p95 of each UTC day of which at least half was sampled.
fn daily(samples: &[Point], step: f64) -> Vec<Point> {
    let mut days: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (time, rate) in samples {
        days.entry((time / DAY).floor() as i64).or_default().push(*rate);
    }
    let half = DAY / step / 2.0;
    days.retain(|_, rates| rates.len() as f64 >= half);
    let p95 = |(day, mut rates): (i64, Vec<f64>)| {
        percentile(&mut rates, 0.95).map(|rate| ((day as f64 + 0.5) * DAY, rate))
    };
    days.into_iter().filter_map(p95).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_five_percent_are_free() {
        let mut rates: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut rates, 0.95), Some(95.0));
        assert_eq!(percentile(&mut [7.0], 0.95), Some(7.0));
        assert_eq!(percentile(&mut [], 0.95), None);
    }

    #[test]
    fn the_days_until_full_of_a_growing_link_are_true() {
        // 100 a second at the end of 30 days, 1 more each day, a day's wave on it: the wave's 95th
        // percentile is what fills the link.
        let now = 30.0 * DAY;
        let wave = |time: f64| 20.0 * (time / DAY * std::f64::consts::TAU).sin();
        let samples: Vec<Point> =
            (0..30 * 288).map(|n| f64::from(n) * 300.0).map(|t| (t, 70.0 + t / DAY + wave(t))).collect();
        let side = Side::new(samples, 300.0, now, None).unwrap();
        let (level, growth) = side.trend.map(|trend| (trend.level, trend.growth)).unwrap();
        assert!((growth - 1.0).abs() < 0.01, "{growth}");
        let link = Link::new(None, "eth0".to_owned(), Some(200.0), None, Some(side));
        // The wave's own 95th percentile is 20 * cos(0.05 pi).
        let truth = 200.0 - (100.0 + 20.0 * (0.05 * std::f64::consts::PI).cos());
        let days = link.days_until_100.unwrap();
        assert!((days / truth - 1.0).abs() < 0.05, "{days} for {truth}, {level}");
        assert!(link.days_until_80.unwrap() < days - 39.0);
    }

    #[test]
    fn half_days_are_no_days() {
        let samples: Vec<Point> = (0..288 + 100).map(|n| (f64::from(n) * 300.0, 1.0)).collect();
        assert_eq!(daily(&samples, 300.0).len(), 1);
    }
}
