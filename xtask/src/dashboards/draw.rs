//! One panel as HTML and SVG.
#![allow(clippy::indexing_slicing, reason = "a JSON value answers null where there is nothing")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

const COLORS: [&str; 10] = [
    "#3274d9", "#e0752d", "#299c46", "#a352cc", "#c4162a", "#1f9aa8", "#b8860b", "#7a5195", "#5b6770",
    "#d45087",
];

/// A series: its name and points of (seconds, value).
struct Series {
    name: String,
    points: Vec<(f64, f64)>,
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The panel's content in a box of so many pixels.
pub(super) fn panel(panel: &Value, results: &Value, wide: f64, high: f64) -> String {
    let unit = panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap_or_default();
    let kind = panel["type"].as_str().unwrap_or_default();
    if kind == "table" {
        return table(results, unit, high);
    }
    let series = series(panel, results);
    if series.is_empty() {
        return "<div class=\"none\">No data</div>".to_owned();
    }
    match kind {
        "stat" => {
            let last = series.first().and_then(|series| series.points.last());
            let value = last.map_or_else(|| "–".to_owned(), |(_, value)| number(*value, unit));
            format!("<div class=\"big\">{value}</div>")
        }
        "heatmap" => heatmap(&series, wide, high),
        _ => {
            let stack = panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal";
            lines(&series, unit, stack, wide, high)
        }
    }
}

fn series(panel: &Value, results: &Value) -> Vec<Series> {
    let mut found = Vec::new();
    for result in results.as_array().into_iter().flatten() {
        let targets = panel["targets"].as_array().into_iter().flatten();
        let target = targets.into_iter().find(|target| target["refId"] == result["reference"]);
        let legend = target.and_then(|target| target["legendFormat"].as_str()).unwrap_or_default();
        for series in result["result"].as_array().into_iter().flatten() {
            let mut name = legend.to_owned();
            for (label, value) in series["metric"].as_object().into_iter().flatten() {
                name = name.replace(&format!("{{{{{label}}}}}"), value.as_str().unwrap_or_default());
            }
            let one = Some(&series["value"]).filter(|value| value.is_array());
            let values = series["values"].as_array().into_iter().flatten().chain(one);
            let points: Vec<(f64, f64)> = values.filter_map(point).collect();
            if !points.is_empty() {
                found.push(Series { name, points });
            }
        }
    }
    found
}

fn point(value: &Value) -> Option<(f64, f64)> {
    let number: f64 = value.get(1)?.as_str()?.parse().ok()?;
    number.is_finite().then_some((value.get(0)?.as_f64()?, number))
}

/// A number in Grafana's unit.
fn number(value: f64, unit: &str) -> String {
    match unit {
        "percentunit" => format!("{}%", digits(value * 100.0)),
        "s" if value.abs() < 1e-3 => format!("{} µs", digits(value * 1e6)),
        "s" if value.abs() < 1.0 => format!("{} ms", digits(value * 1e3)),
        "s" => format!("{} s", digits(value)),
        "d" => format!("{value:.0} days"),
        _ => {
            let words = match unit {
                "bps" => "b/s",
                "Bps" => "B/s",
                "bytes" => "B",
                "pps" => "p/s",
                "reqps" => "req/s",
                "ops" => "/s",
                _ => "",
            };
            let mut value = value;
            for prefix in ["", "k", "M", "G"] {
                if value.abs() < 999.5 {
                    return format!("{} {prefix}{words}", digits(value)).trim_end().to_owned();
                }
                value /= 1_000.0;
            }
            format!("{} T{words}", digits(value))
        }
    }
}

fn digits(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn table(results: &Value, unit: &str, high: f64) -> String {
    let rows: Vec<&Value> = results
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|result| result["result"].as_array().into_iter().flatten())
        .collect();
    let hidden = ["__name__", "job"];
    let labels: BTreeSet<&String> = rows
        .iter()
        .flat_map(|row| row["metric"].as_object().into_iter().flatten())
        .map(|(label, _)| label)
        .filter(|label| !hidden.contains(&label.as_str()))
        .collect();
    if rows.is_empty() {
        return "<div class=\"none\">No data</div>".to_owned();
    }
    let mut html = "<table><tr>".to_owned();
    for label in &labels {
        let _ = write!(html, "<th>{}</th>", escaped(label));
    }
    html.push_str("<th>Value</th></tr>");
    for row in rows.iter().take((high / 21.0) as usize) {
        html.push_str("<tr>");
        for label in &labels {
            let value = row["metric"].get(label.as_str()).and_then(Value::as_str).unwrap_or_default();
            let _ = write!(html, "<td>{}</td>", escaped(value));
        }
        let value = point(&row["value"]).map_or_else(|| "–".to_owned(), |(_, value)| number(value, unit));
        let _ = write!(html, "<td>{value}</td></tr>");
    }
    html.push_str("</table>");
    html
}

/// Times and values that a chart spans.
struct Frame {
    from: f64,
    to: f64,
    bottom: f64,
    top: f64,
    wide: f64,
    high: f64,
}

const LEFT: f64 = 62.0;

impl Frame {
    fn x(&self, time: f64) -> f64 {
        LEFT + (time - self.from) / (self.to - self.from).max(1.0) * (self.wide - LEFT)
    }

    fn y(&self, value: f64) -> f64 {
        6.0 + (self.high - 12.0) * (1.0 - (value - self.bottom) / (self.top - self.bottom))
    }
}

fn lines(series: &[Series], unit: &str, stack: bool, wide: f64, high: f64) -> String {
    let legend = 16.0 * (series.len() as f64 / 3.0).ceil().min(3.0);
    let mut drawn: Vec<Vec<(f64, f64)>> = Vec::new();
    for one in series {
        let below = if stack { drawn.last() } else { None };
        let under = |time: f64| {
            below
                .and_then(|points| points.iter().find(|(at, _)| *at == time))
                .map_or(0.0, |(_, value)| *value)
        };
        drawn.push(one.points.iter().map(|(time, value)| (*time, value + under(*time))).collect());
    }
    let values = || drawn.iter().flatten().map(|(_, value)| *value);
    let times = || drawn.iter().flatten().map(|(time, _)| *time);
    let (low, most) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
    let top = if most > 0.0 { most * 1.1 } else { f64::from(u8::from(low == 0.0)) };
    let frame = Frame {
        from: times().fold(f64::INFINITY, f64::min),
        to: times().fold(0.0, f64::max),
        bottom: low * 1.1,
        top,
        wide,
        high: high - legend,
    };
    let mut svg = format!("<svg width=\"{wide:.0}\" height=\"{:.0}\">", frame.high);
    for part in 0..=3 {
        let value = frame.bottom + (frame.top - frame.bottom) * f64::from(part) / 3.0;
        let at = frame.y(value);
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{wide:.0}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#e8eaed\"/><text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 5.0,
            at + 3.0,
            number(value, unit)
        );
    }
    let mut names = "<div class=\"legend\">".to_owned();
    for ((one, points), color) in series.iter().zip(&drawn).zip(COLORS.iter().cycle()) {
        let path: Vec<String> = points
            .iter()
            .map(|(time, value)| format!("{:.1},{:.1}", frame.x(*time), frame.y(*value)))
            .collect();
        let _ = write!(
            svg,
            "<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"1.4\" points=\"{}\"/>",
            path.join(" ")
        );
        let _ = write!(names, "<span><i style=\"background:{color}\"></i>{}</span>", escaped(&one.name));
    }
    format!("{svg}</svg>{names}</div>")
}

/// Cumulative buckets by upper bound, as shares of the fullest cell.
fn heatmap(series: &[Series], wide: f64, high: f64) -> String {
    let bound = |name: &str| if name == "+Inf" { f64::INFINITY } else { name.parse().unwrap_or(0.0) };
    let mut rows: Vec<&Series> = series.iter().collect();
    rows.sort_by(|one, other| bound(&one.name).total_cmp(&bound(&other.name)));
    let columns = rows.iter().map(|row| row.points.len()).max().unwrap_or(1);
    let cells: Vec<Vec<f64>> = (0..rows.len())
        .map(|at| {
            let below = at.checked_sub(1).and_then(|at| rows.get(at));
            let points = rows.get(at).into_iter().flat_map(|row| row.points.iter().enumerate());
            points
                .map(|(column, (_, value))| {
                    let under = below.and_then(|row| row.points.get(column)).map_or(0.0, |(_, value)| *value);
                    (value - under).max(0.0)
                })
                .collect()
        })
        .collect();
    let most = cells.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
    let (cell_wide, cell_high) = ((wide - LEFT) / columns as f64, (high - 8.0) / rows.len() as f64);
    let mut svg = format!("<svg width=\"{wide:.0}\" height=\"{high:.0}\">");
    for (at, (row, cells)) in rows.iter().zip(&cells).enumerate() {
        let y = high - 4.0 - (at as f64 + 1.0) * cell_high;
        let name = if row.name == "+Inf" { "more".to_owned() } else { number(bound(&row.name), "s") };
        let _ = write!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
            LEFT - 5.0,
            y + cell_high / 2.0 + 3.0
        );
        for (column, value) in cells.iter().enumerate() {
            let _ = write!(
                svg,
                "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#3274d9\" fill-opacity=\"{:.2}\"/>",
                LEFT + column as f64 * cell_wide,
                cell_wide,
                cell_high - 1.0,
                (value / most).sqrt()
            );
        }
    }
    format!("{svg}</svg>")
}
