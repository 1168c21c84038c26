//! The report for the terminal, and the words for numbers that the page uses as well.

use std::fmt::Write as _;

use super::{
    answer::Report,
    link::{Link, Side},
};
use crate::screen::harmless;

/// `1.25 Gbit/s`: links are sold in bits and powers of ten.
pub(super) fn rate(bytes: f64) -> String {
    scaled(bytes * 8.0, "bit/s")
}

/// `1.25 GB`.
pub(super) fn size(bytes: f64) -> String {
    scaled(bytes, "B")
}

fn scaled(value: f64, unit: &str) -> String {
    let mut value = value;
    for prefix in ["", "k", "M", "G"] {
        if value.abs() < 999.5 {
            return format!("{} {prefix}{unit}", digits(value));
        }
        value /= 1_000.0;
    }
    format!("{} T{unit}", digits(value))
}

/// Three digits that count.
fn digits(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 99.95 || size == 0.0 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.places$}")
}

/// `12 days`, or why there is no number.
pub(super) fn days(link: &Link, days: Option<f64>) -> String {
    let sides = || [&link.inward, &link.outward].into_iter().flatten();
    match days {
        Some(0.0) => "now".to_owned(),
        Some(days) if days > 3_650.0 => "over 10 years".to_owned(),
        Some(days) => format!("{days:.0} days"),
        None if link.speed.is_none() => "speed unknown".to_owned(),
        None if sides().all(|side| side.trend.is_none()) => {
            format!("under {} days of samples", super::trend::FEWEST_DAYS)
        }
        None => "not growing".to_owned(),
    }
}

/// `+12.0 %`.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "new".to_owned(), |share| format!("{:+.1} %", share * 100.0))
}

/// `2026-11-23 05:00`, UTC.
pub(super) fn time(seconds: f64) -> String {
    jiff::Timestamp::from_second(seconds as i64)
        .map_or_else(|_| seconds.to_string(), |time| time.strftime("%Y-%m-%d %H:%M").to_string())
}

pub(super) fn name(link: &Link) -> String {
    match &link.instance {
        Some(instance) if !instance.is_empty() => harmless(&format!("{} at {instance}", link.iface)),
        _ => harmless(&link.iface),
    }
}

pub(super) fn text(report: &Report) -> String {
    let mut text =
        format!("Links from {} to {} UTC, by {}\n", time(report.from), time(report.to), report.source);
    for link in &report.links {
        // Writing to a string cannot fail.
        let _ = one(&mut text, report, link);
    }
    for note in &report.notes {
        let _ = writeln!(text, "\nNote: {}.", harmless(note));
    }
    text
}

fn one(text: &mut String, report: &Report, link: &Link) -> std::fmt::Result {
    let speed = link.speed.map_or_else(|| "unknown speed".to_owned(), rate);
    writeln!(text, "\n{} ({speed})", name(link))?;
    writeln!(text, "       {:>14} {:>14} {:>14} {:>16}", "p95", "mean", "peak", "growth a day")?;
    for (direction, side) in [("in", &link.inward), ("out", &link.outward)] {
        if let Some(Side { p95, mean, peak, trend, .. }) = side {
            let growth = trend.map_or_else(|| "?".to_owned(), |trend| rate(trend.growth));
            writeln!(
                text,
                "  {direction:<4} {:>14} {:>14} {:>14} {growth:>16}",
                rate(*p95),
                rate(*mean),
                rate(*peak)
            )?;
        }
    }
    let headroom = link.headroom.map_or_else(|| "?".to_owned(), |share| format!("{:.1} %", share * 100.0));
    writeln!(
        text,
        "  headroom {headroom}; 80 % full: {}; full: {}",
        days(link, link.days_until_80),
        days(link, link.days_until_100)
    )?;
    for pair in report.pairs_of(link) {
        let words = harmless(&format!("{} to {}", pair.src_net, pair.dst_net));
        writeln!(text, "  {words:<28} {:>10} {:>10}", size(pair.bytes), percent(pair.growth))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        for (bytes, words) in [
            (0.0, "0 bit/s"),
            (1.0, "8.00 bit/s"),
            (125.0, "1.00 kbit/s"),
            (124_950_000.0, "1.00 Gbit/s"),
            (12_345_678.0, "98.8 Mbit/s"),
            (-125_000.0, "-1.00 Mbit/s"),
        ] {
            assert_eq!(rate(bytes), words);
        }
        assert_eq!(size(1_234_000_000_000_000.0), "1234 TB");
    }
}
