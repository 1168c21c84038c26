//! The locked dependencies, as cargo tells them.

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::{cargo, output};

/// A package of `cargo metadata`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// None for packages of this workspace.
    pub(crate) source: Option<String>,
}

impl Package {
    /// Whether it comes from elsewhere than this workspace and a registry: from git, which keeps no versions.
    pub(crate) fn foreign(&self) -> bool {
        self.source.as_ref().is_some_and(|source| !source.starts_with("registry+"))
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// Every package of the lock file, sorted by name and version.
pub(crate) fn all() -> Result<Vec<Package>> {
    let text = output(&mut cargo(["metadata", "--locked", "--format-version", "1"]))?;
    let metadata: Metadata = serde_json::from_str(&text).context("cargo metadata says something else")?;
    let mut packages = metadata.packages;
    packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(packages)
}
