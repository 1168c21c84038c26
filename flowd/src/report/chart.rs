//! Lines over time as SVG, which needs no script.

use std::fmt::Write as _;

use super::{link::Point, text};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 220.0;
/// Room for the words at the left and below.
const LEFT: f64 = 90.0;
const BELOW: f64 = 24.0;
/// Half a line of words, at the top.
const ABOVE: f64 = 10.0;
/// Points of a line, so that a year is not heavier than a day.
const POINTS: usize = 600;

pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) color: &'a str,
    pub(super) dashed: bool,
    pub(super) points: Vec<Point>,
}

/// A chart of rates between two times; the axis begins at 0.
pub(super) fn svg(lines: &[Line<'_>], from: f64, to: f64) -> String {
    let all = lines.iter().flat_map(|line| &line.points).map(|(_, rate)| *rate);
    let top = nice(all.fold(0.0, f64::max));
    let span = (to - from).max(1.0);
    let x = |time: f64| LEFT + (time - from) / span * (WIDTH - LEFT);
    let y = |rate: f64| (HEIGHT - BELOW - ABOVE) * (1.0 - rate / top) + ABOVE;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">\n",
        HEIGHT + 8.0
    );
    for part in 0..=4 {
        let rate = top * f64::from(part) / 4.0;
        let (at, words) = (y(rate), text::rate(rate));
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{words}</text>",
            LEFT - 6.0,
            at + 4.0
        );
    }
    for part in 0..4 {
        let time = from + span * (f64::from(part) + 0.5) / 4.0;
        let (at, words) = (x(time), text::time(time));
        let _ = writeln!(svg, "<text x=\"{at:.1}\" y=\"{HEIGHT}\" text-anchor=\"middle\">{words}</text>");
    }
    for line in lines {
        let points: Vec<String> = thinned(&line.points)
            .iter()
            .map(|(time, rate)| format!("{:.1},{:.1}", x(*time), y(*rate)))
            .collect();
        let dash = if line.dashed { " stroke-dasharray=\"6 4\"" } else { "" };
        let _ = writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"{}\"{dash} points=\"{}\"><title>{}</title></polyline>",
            line.color,
            points.join(" "),
            line.name
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// The highest of each group of neighbours: peaks must not vanish.
fn thinned(points: &[Point]) -> Vec<Point> {
    let group = points.len().div_ceil(POINTS).max(1);
    let highest = |group: &[Point]| group.iter().copied().max_by(|one, other| one.1.total_cmp(&other.1));
    points.chunks(group).filter_map(highest).collect()
}

/// The next number of bits per second that reads well: 1, 2, 4 or 8 with zeros, in bytes per second.
fn nice(value: f64) -> f64 {
    let bits = (value * 8.0).max(1.0);
    let unit = 10_f64.powf(bits.log10().floor());
    let step = [1.0, 2.0, 4.0, 8.0, 10.0].into_iter().find(|step| unit * step >= bits).unwrap_or(10.0);
    unit * step / 8.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_survive_thinning() {
        let mut points: Vec<Point> = (0..100_000).map(|n| (f64::from(n), 1.0)).collect();
        points[77_777].1 = 9.0;
        let thin = thinned(&points);
        assert!(thin.len() <= POINTS && thin.iter().any(|(_, rate)| *rate == 9.0));
    }

    #[test]
    fn the_axis_holds_every_value() {
        for value in [0.0, 1.0, 124.9, 125.0, 126.0, 1e12] {
            let top = nice(value);
            assert!(top >= value && top <= (value * 2.6).max(0.2), "{value}: {top}");
        }
    }
}
