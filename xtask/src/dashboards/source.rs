//! The short description of a dashboard.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dashboard {
    pub(super) title: String,
    pub(super) description: String,
    /// Whether interfaces can be chosen.
    pub(super) interfaces: bool,
    /// Begin of the time that is shown at first.
    #[serde(default = "last_hour")]
    pub(super) from: String,
    pub(super) panel: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Item {
    Row(Row),
    Panel(Box<Panel>),
}

/// A heading over the panels that follow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) row: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Panel {
    pub(super) title: String,
    #[serde(default)]
    pub(super) kind: Kind,
    /// Grafana's name of a unit.
    pub(super) unit: String,
    pub(super) decimals: Option<u8>,
    pub(super) description: String,
    /// Of 24 columns.
    #[serde(default = "half")]
    pub(super) width: u32,
    #[serde(default = "tall")]
    pub(super) height: u32,
    #[serde(default)]
    pub(super) stack: bool,
    /// Colour, and the value from which it holds; the first has none.
    #[serde(default)]
    pub(super) thresholds: Vec<Threshold>,
    pub(super) queries: Vec<Query>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    #[default]
    Timeseries,
    Stat,
    Table,
    Heatmap,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Timeseries => "timeseries",
            Self::Stat => "stat",
            Self::Table => "table",
            Self::Heatmap => "heatmap",
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Threshold {
    Base((String,)),
    From((String, f64)),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    pub(super) expr: String,
    /// Name of a series; labels in double braces.
    pub(super) legend: String,
    /// One value, at the end of the chosen time.
    #[serde(default)]
    pub(super) instant: bool,
}

impl Query {
    /// With the short forms written out.
    pub(super) fn expression(&self) -> String {
        let instances = r#"instance=~"$instance""#;
        let interfaces = format!(r#"{instances}, iface=~"$iface""#);
        self.expr.replace("@N", instances).replace("@I", &interfaces).replace("@R", "[$__rate_interval]")
    }
}

fn last_hour() -> String {
    "now-1h".to_owned()
}

const fn half() -> u32 {
    12
}

const fn tall() -> u32 {
    8
}

/// Every description with its name, in order of the names.
pub(super) fn read_all(folder: &Path) -> Result<Vec<(String, Dashboard)>> {
    let mut found = Vec::new();
    for entry in folder.read_dir().with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let named = || path.display().to_string();
        let name = path.file_stem().with_context(named)?.to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).with_context(named)?;
        found.push((name, toml::from_str(&text).with_context(named)?));
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}
