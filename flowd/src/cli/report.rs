//! `flowd report`: its options, and what they ask.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{Args, ValueEnum};

use crate::{
    config::{ConfigError, Span},
    report::{self, Request, Source},
};

/// Options of `flowd report`.
#[derive(Debug, Args)]
pub struct Report {
    /// Prometheus that scrapes flowd, as http://127.0.0.1:9090
    #[arg(long, value_name = "URL", conflicts_with = "flow_log")]
    pub prometheus: Option<String>,
    /// Flow logs of `flowd run --flow-log` to read instead
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub flow_log: Vec<PathBuf>,
    /// Days to look back
    #[arg(long, default_value_t = 30.0, value_name = "N")]
    pub days: f64,
    /// Time between two samples; bills are made from five minutes
    #[arg(long, default_value = "5m", value_name = "TIME")]
    pub step: Span,
    /// Speed of an interface in megabits per second, as eth0=1000; repeatable
    #[arg(long, value_name = "IFACE=MBIT", value_parser = speed)]
    pub speed: Vec<(String, f64)>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}

/// How the report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Text,
    Json,
    Html,
}

/// `eth0=1000`: megabits per second, as bytes per second.
fn speed(text: &str) -> Result<(String, f64), String> {
    let (iface, megabits) = text.split_once('=').ok_or("write it as eth0=1000")?;
    match megabits.parse::<f64>() {
        Ok(megabits) if megabits > 0.0 && megabits.is_finite() => {
            Ok((iface.to_owned(), megabits * 125_000.0))
        }
        _ => Err(format!("\"{megabits}\" is no number of megabits per second")),
    }
}

impl Report {
    /// What is asked, as of now.
    ///
    /// # Errors
    /// Names the option and the remedy.
    pub fn request(&self) -> Result<Request, ConfigError> {
        let value = |key: &'static str, value: String, remedy: &str| ConfigError::Value {
            origin: "command line".to_owned(),
            key: key.into(),
            value,
            remedy: remedy.to_owned(),
        };
        if !(self.days > 0.0 && self.days <= 3_660.0) {
            return Err(value("--days", self.days.to_string(), "give 1 to 3660 days"));
        }
        let step = self.step.0.as_secs_f64();
        if !(1.0..=86_400.0).contains(&step) {
            return Err(value("--step", self.step.to_string(), "give 1s to 24h"));
        }
        let source = match &self.prometheus {
            Some(url) if url.starts_with("http://") => Source::Prometheus(url.clone()),
            Some(url) => {
                return Err(value(
                    "--prometheus",
                    url.clone(),
                    "it begins with http://; for https put a proxy before it",
                ));
            }
            None if self.flow_log.is_empty() => {
                return Err(value(
                    "--prometheus",
                    "nothing".to_owned(),
                    "give an address, or files with --flow-log",
                ));
            }
            None => Source::FlowLogs(self.flow_log.clone()),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let format = match self.format {
            ReportFormat::Text => report::Format::Text,
            ReportFormat::Json => report::Format::Json,
            ReportFormat::Html => report::Format::Html,
        };
        let speeds = self.speed.iter().cloned().collect();
        Ok(Request { source, days: self.days, step, now, speeds, format })
    }
}
