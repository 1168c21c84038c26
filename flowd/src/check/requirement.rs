//! One requirement, and how it is met.

use serde::Serialize;

/// How a requirement is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Ok,
    /// flowd runs, but worse or less safely than it could.
    Warning,
    /// flowd does not run.
    Missing,
}

/// One requirement.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    pub name: String,
    pub status: Status,
    /// What was found.
    pub detail: String,
    /// What to do where it is not met.
    pub remedy: Option<String>,
}

impl Check {
    pub(super) fn ok(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), status: Status::Ok, detail: detail.into(), remedy: None }
    }

    pub(super) fn warning(
        name: impl Into<String>,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let (status, remedy) = (Status::Warning, Some(remedy.into()));
        Self { name: name.into(), status, detail: detail.into(), remedy }
    }

    pub(super) fn missing(
        name: impl Into<String>,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { status: Status::Missing, ..Self::warning(name, detail, remedy) }
    }
}
