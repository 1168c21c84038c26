//! `flowd report`: how full each link is, how it grows, and when it is full.

mod chart;
mod error;
mod flow_log;
mod html;
mod link;
mod prometheus;
mod text;
mod trend;

use std::{collections::BTreeMap, io::Write, path::PathBuf};

use anyhow::Result;
pub use error::ReportError;
pub use link::{Link, Point, Side};
use serde::Serialize;
pub use trend::Trend;

/// Pairs of nets that are reported per link.
const TOP_PAIRS: usize = 5;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request {
    pub source: Source,
    /// How far back.
    pub days: f64,
    /// Seconds between two samples.
    pub step: f64,
    /// Seconds since the epoch.
    pub now: f64,
    /// Bytes per second by interface; beats what Prometheus knows.
    pub speeds: BTreeMap<String, f64>,
    pub format: Format,
}

/// Where the figures come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The address before `/api/v1/query`.
    Prometheus(String),
    FlowLogs(Vec<PathBuf>),
}

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
    Html,
}

/// The answer. Times are seconds since the epoch, rates bytes per second.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub source: String,
    pub from: f64,
    pub to: f64,
    pub step: f64,
    pub links: Vec<Link>,
    /// The heaviest of each link, heaviest first.
    pub zone_pairs: Vec<Pair>,
    pub notes: Vec<String>,
}

/// Traffic from net to net at a link.
#[derive(Clone, Debug, Serialize)]
pub struct Pair {
    pub instance: Option<String>,
    pub iface: String,
    pub src_net: String,
    pub dst_net: String,
    /// Octets of IP.
    pub bytes: f64,
    /// The second half of the time over the first, less 1; `null` where there was nothing in the first.
    pub growth: Option<f64>,
}

impl Request {
    fn from(&self) -> f64 {
        self.now - self.days * trend::DAY
    }

    fn speed(&self, iface: &str) -> Option<f64> {
        self.speeds.get(iface).copied()
    }
}

impl Pair {
    fn new(
        instance: Option<String>,
        iface: String,
        src_net: String,
        dst_net: String,
        [first, second]: [f64; 2],
    ) -> Self {
        let growth = (first > 0.0).then(|| second / first - 1.0);
        Self { instance, iface, src_net, dst_net, bytes: first + second, growth }
    }
}

impl Report {
    fn new(request: &Request, source: String, links: Vec<Link>, mut pairs: Vec<Pair>) -> Self {
        pairs.retain(|pair| pair.bytes > 0.0);
        pairs.sort_by(|one, other| other.bytes.total_cmp(&one.bytes));
        let mut of_link: BTreeMap<(Option<String>, String), usize> = BTreeMap::new();
        pairs.retain(|pair| {
            let count = of_link.entry((pair.instance.clone(), pair.iface.clone())).or_default();
            *count += 1;
            *count <= TOP_PAIRS
        });
        let (from, to, step) = (request.from(), request.now, request.step);
        Self { source, from, to, step, links, zone_pairs: pairs, notes: Vec::new() }
    }

    /// The heaviest pairs of `link`.
    fn pairs_of<'a>(&'a self, link: &'a Link) -> impl Iterator<Item = &'a Pair> {
        self.zone_pairs.iter().filter(|pair| pair.instance == link.instance && pair.iface == link.iface)
    }
}

/// Makes the report and prints it.
///
/// # Errors
/// Names what is missing or wrong, and the remedy.
pub fn report(request: &Request, out: &mut dyn Write) -> Result<()> {
    let report = match &request.source {
        Source::Prometheus(url) => prometheus::Prometheus::new(url).report(request)?,
        Source::FlowLogs(files) => flow_log::report(files, request)?,
    };
    match request.format {
        Format::Text => out.write_all(text::text(&report).as_bytes())?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?,
        Format::Html => out.write_all(html::page(&report).as_bytes())?,
    }
    Ok(())
}
