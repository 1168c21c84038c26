//! What is asked of a report.

use std::{collections::BTreeMap, path::PathBuf};

use super::trend::DAY;

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

impl Request {
    pub(super) fn from(&self) -> f64 {
        self.now - self.days * DAY
    }

    pub(super) fn speed(&self, iface: &str) -> Option<f64> {
        self.speeds.get(iface).copied()
    }
}
