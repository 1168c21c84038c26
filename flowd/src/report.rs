//! `flowd report`: how full each link is, how it grows, and when it is full.

mod answer;
mod chart;
mod error;
mod flow_log;
mod html;
mod link;
mod prometheus;
mod request;
mod text;
mod trend;

use std::io::Write;

pub use answer::{Pair, Report};
use anyhow::Result;
pub use error::ReportError;
pub use link::{Link, Point, Side};
pub use request::{Format, Request, Source};
pub use trend::Trend;

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
