//! The report as one page that needs nothing else: no script, no style sheet, no network.

use std::fmt::Write as _;

use super::{
    answer::Report,
    chart::{self, Line},
    link::{Link, Side},
    text,
};

const STYLE: &str = "
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2933; max-width: 900px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em } h2 { font-size: 1.2em; margin-top: 2em; border-top: 1px solid #cbd2d9; padding-top: 1em }
table { border-collapse: collapse; margin: .6em 0 } th, td { padding: .15em 1.2em .15em 0; text-align: right }
th:first-child, td:first-child { text-align: left } th { color: #616e7c; font-weight: 600 }
svg { width: 100%; height: auto; margin: .6em 0 } svg text { font-size: 11px; fill: #616e7c } .grid { stroke: #e4e7eb }
.answer { font-size: 1.1em } .answer b { color: #b44d12 } .note { color: #616e7c }
.in { color: #2563a8 } .out { color: #c05621 } .speed { color: #9b1c1c }
";

const IN: &str = "#2563a8";
const OUT: &str = "#c05621";
const SPEED: &str = "#9b1c1c";

pub(super) fn page(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>flowd: links</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Links</h1>\n<p>{} to {} UTC, by {}. Percentiles of samples of {:.0} s.</p>\n",
        text::time(report.from),
        text::time(report.to),
        escaped(&report.source),
        report.step,
    );
    for link in &report.links {
        // Writing to a string cannot fail.
        let _ = section(&mut page, report, link);
    }
    for note in &report.notes {
        let _ = writeln!(page, "<p class=\"note\">Note: {}.</p>", escaped(note));
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn section(page: &mut String, report: &Report, link: &Link) -> std::fmt::Result {
    let speed = link.speed.map_or_else(|| "unknown speed".to_owned(), text::rate);
    writeln!(page, "<h2>{} ({speed})</h2>", escaped(&text::name(link)))?;
    writeln!(
        page,
        "<p class=\"answer\">80 % full: <b>{}</b>. Full: <b>{}</b>. Headroom: <b>{}</b>.</p>",
        text::days(link, link.days_until_80),
        text::days(link, link.days_until_100),
        link.headroom.map_or_else(|| "?".to_owned(), |share| format!("{:.1} %", share * 100.0))
    )?;
    page.push_str("<table><tr><th></th><th>p95</th><th>mean</th><th>peak</th><th>growth a day</th></tr>\n");
    let sides = [("in", IN, &link.inward), ("out", OUT, &link.outward)];
    let mut lines = Vec::new();
    let mut daily = Vec::new();
    for (name, color, side) in sides {
        let Some(side) = side else { continue };
        writeln!(
            page,
            "<tr><td class=\"{name}\">{name}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            text::rate(side.p95),
            text::rate(side.mean),
            text::rate(side.peak),
            side.trend.map_or_else(|| "?".to_owned(), |trend| text::rate(trend.growth)),
        )?;
        lines.push(Line { name, color, dashed: false, points: side.samples.clone() });
        daily.push(Line { name, color, dashed: false, points: side.daily_p95.clone() });
        daily.extend(fitted(side, color, report.to));
    }
    page.push_str("</table>\n");
    let from =
        lines.iter().filter_map(|line| line.points.first()).map(|(time, _)| *time).fold(report.to, f64::min);
    page.push_str(&chart::svg(&lines, from, report.to));
    if daily.len() > 2 {
        // As far ahead as was looked back.
        let ahead = 2.0 * report.to - from;
        if let Some(speed) = link.speed {
            daily.push(Line {
                name: "speed",
                color: SPEED,
                dashed: false,
                points: vec![(from, speed), (ahead, speed)],
            });
        }
        writeln!(page, "<p>Daily p95, its line drawn on, and the <span class=\"speed\">speed</span>:</p>")?;
        page.push_str(&chart::svg(&daily, from, ahead));
    }
    let mut pairs = report.pairs_of(link).peekable();
    if pairs.peek().is_some() {
        page.push_str(
            "<table><tr><th>from net to net</th><th>traffic</th><th>second half over first</th></tr>\n",
        );
        for pair in pairs {
            writeln!(
                page,
                "<tr><td>{} to {}</td><td>{}</td><td>{}</td></tr>",
                escaped(&pair.src_net),
                escaped(&pair.dst_net),
                text::size(pair.bytes),
                text::percent(pair.growth)
            )?;
        }
        page.push_str("</table>\n");
    }
    Ok(())
}

/// The line of the trend, from the first day on and as far ahead again.
fn fitted<'a>(side: &Side, color: &'a str, now: f64) -> Option<Line<'a>> {
    let (trend, first) = (side.trend?, side.samples.first()?.0);
    let at = |time: f64| (time, (trend.level + trend.growth * (time - now) / super::trend::DAY).max(0.0));
    Some(Line { name: "trend", color, dashed: true, points: vec![at(first), at(2.0 * now - first)] })
}

/// Names come from configurations and logs.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
