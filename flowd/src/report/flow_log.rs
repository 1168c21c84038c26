//! The same from flow logs, where there is no Prometheus.
//!
//! A record says which end sent how much, and its direction as seen from the zones that are ours: what comes to
//! them is `in`, what they send is `out`. What stays among them or passes by is in neither, which the report says.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    answer::{Pair, Report},
    error::ReportError,
    link::{Link, Point, Side},
    request::Request,
};

/// Of a flow record, what is needed here.
#[derive(Deserialize)]
struct Record {
    start: String,
    end: String,
    iface: String,
    client_zone: String,
    server_zone: String,
    direction: String,
    sent: Traffic,
    received: Traffic,
}

#[derive(Deserialize)]
struct Traffic {
    frame_bytes: u64,
    ip_bytes: u64,
}

/// Bytes by the number of the step, inward and outward.
type Steps = BTreeMap<i64, [f64; 2]>;

#[derive(Default)]
struct Sums {
    links: BTreeMap<String, Steps>,
    /// By interface, source and destination: octets by the number of the step that the record ends in.
    pairs: BTreeMap<(String, String, String), BTreeMap<i64, f64>>,
    neither: u64,
    last: f64,
}

/// A report on the days before the last record.
///
/// # Errors
/// Names file, line and remedy.
pub(super) fn report(files: &[PathBuf], request: &Request) -> Result<Report, ReportError> {
    let mut sums = Sums::default();
    for file in files {
        read(file, request.step, &mut sums)?;
    }
    // The log may be of last year.
    let request = &Request { now: sums.last, ..request.clone() };
    let source = files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    if sums.links.is_empty() {
        let remedy = "flowd run --flow-log writes them";
        return Err(ReportError::Empty { place: source, what: "flow records", remedy });
    }
    let first = (request.from() / request.step).floor() as i64;
    // The step that the last record ends in is not over.
    let last = (request.now / request.step).floor() as i64;
    let links = sums.links.into_iter().map(|(iface, steps)| {
        let begin = steps.keys().next().copied().unwrap_or(last).max(first);
        let side = |at: usize| {
            let rate = |step: i64| {
                let bytes = steps.get(&step).and_then(|bytes| bytes.get(at)).copied().unwrap_or_default();
                (step as f64 * request.step, bytes / request.step)
            };
            Side::new((begin..last.max(begin + 1)).map(rate).collect(), request.step, request.now, None)
        };
        let (inward, outward) = (side(0), side(1));
        Link::new(None, iface.clone(), request.speed(&iface), inward, outward)
    });
    let middle = first + (last - first) / 2;
    let pairs = sums.pairs.into_iter().map(|((iface, source, destination), steps)| {
        let part = |late: bool| {
            let chosen = steps.iter().filter(|(step, _)| **step >= first && (**step >= middle) == late);
            chosen.map(|(_, bytes)| bytes).sum()
        };
        Pair::new(None, iface, source.to_owned(), destination.to_owned(), [part(false), part(true)])
    });
    let mut report = Report::new(request, source, links.collect(), pairs.collect());
    if sums.neither > 0 {
        report.notes.push(format!(
            "{} bytes that stayed among our zones, or passed by, are in neither direction",
            sums.neither
        ));
    }
    if report.links.iter().any(|link| link.speed.is_none()) {
        report.notes.push("a flow log holds no link speeds: give them as --speed IFACE=MBIT".to_owned());
    }
    Ok(report)
}

fn read(path: &Path, step: f64, sums: &mut Sums) -> Result<(), ReportError> {
    let failed = |source| ReportError::File { path: path.to_owned(), source };
    let file = BufReader::new(File::open(path).map_err(failed)?);
    for (number, line) in (1..).zip(file.lines()) {
        let line = line.map_err(failed)?;
        let wrong = |reason: String| ReportError::Line { path: path.to_owned(), line: number, reason };
        // Lines of other types may stand in the same file.
        let kind: Kind = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
        if kind.kind == "flow" {
            let record: Record = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
            let [start, end] = [&record.start, &record.end].map(|text| seconds(text));
            let (Some(start), Some(end)) = (start, end) else {
                return Err(wrong(format!("\"{}\" or \"{}\" is no time", record.start, record.end)));
            };
            sums.add(&record, start, end.max(start), step);
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

fn seconds(text: &str) -> Option<f64> {
    text.parse::<jiff::Timestamp>().ok().map(|time| time.as_nanosecond() as f64 / 1e9)
}

impl Sums {
    fn add(&mut self, record: &Record, start: f64, end: f64, step: f64) {
        self.last = self.last.max(end);
        let steps = self.links.entry(record.iface.clone()).or_default();
        let (client, server) = (&record.client_zone, &record.server_zone);
        // The first is inward.
        let (sent, received) = match record.direction.as_str() {
            "inbound" => (Some(0), Some(1)),
            "outbound" => (Some(1), Some(0)),
            _ => (None, None),
        };
        for (source, destination, traffic, at) in
            [(client, server, &record.sent, sent), (server, client, &record.received, received)]
        {
            match at {
                Some(at) => spread(steps, at, traffic.frame_bytes as f64, (start, end), step),
                None => self.neither += traffic.frame_bytes,
            }
            let pair = (record.iface.clone(), source.clone(), destination.clone());
            let step = (end / step).floor() as i64;
            *self.pairs.entry(pair).or_default().entry(step).or_default() += traffic.ip_bytes as f64;
        }
    }
}

/// Puts bytes evenly over the steps between start and end.
fn spread(steps: &mut Steps, at: usize, bytes: f64, (start, end): Point, step: f64) {
    let (first, last) = ((start / step).floor() as i64, (end / step).floor() as i64);
    for number in first..=last {
        let begin = number as f64 * step;
        let part = if end > start {
            ((begin + step).min(end) - begin.max(start)).max(0.0) / (end - start)
        } else {
            1.0
        };
        if let Some(sum) = steps.entry(number).or_default().get_mut(at) {
            *sum += bytes * part;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreading_keeps_the_sum() {
        for (start, end) in [(0.0, 0.0), (299.0, 301.0), (10.0, 3_000.5), (300.0, 600.0)] {
            let mut steps = Steps::new();
            spread(&mut steps, 1, 1_000.0, (start, end), 300.0);
            let sum: f64 = steps.values().map(|bytes| bytes[1]).sum();
            assert!((sum - 1_000.0).abs() < 1e-6, "{start} {end}: {sum}");
        }
        let mut steps = Steps::new();
        spread(&mut steps, 0, 1_000.0, (200.0, 400.0), 300.0);
        assert_eq!(steps[&0], [500.0, 0.0]);
        assert_eq!(steps[&1], [500.0, 0.0]);
    }
}
