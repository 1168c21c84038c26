//! `cargo xtask dashboards`: Grafana's JSON from the short descriptions in `dashboards/source`, and pictures of
//! it from the results of real queries.

mod draw;
mod grafana;
mod picture;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::root;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Change nothing, fail where the JSON is not what the descriptions make
    #[arg(long, conflicts_with = "pictures")]
    check: bool,
    /// Draw every dashboard to dashboards/pictures from the results in this file, which the test
    /// `prometheus` of flowd writes where FLOWD_QUERY_RESULTS names
    #[arg(long, value_name = "FILE")]
    pictures: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(results) = &options.pictures {
        return picture::draw_all(results, &folder());
    }
    for (path, text) in generate(&folder())? {
        if fs::read_to_string(&path).is_ok_and(|present| present == text) {
            continue;
        }
        if options.check {
            bail!("{} is not what its description makes: run cargo xtask dashboards", path.display());
        }
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        println!("{}", path.display());
    }
    Ok(())
}

fn folder() -> PathBuf {
    root().join("dashboards")
}

/// Path and text of every dashboard.
fn generate(folder: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut made = Vec::new();
    for (name, dashboard) in source::read_all(&folder.join("source"))? {
        let json: Value = grafana::dashboard(&name, &dashboard);
        let text = format!("{}\n", serde_json::to_string_pretty(&json)?);
        made.push((folder.join(format!("{name}.json")), text));
    }
    if made.is_empty() {
        bail!("{} has no descriptions", folder.display());
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_what_the_descriptions_make() {
        for (path, text) in generate(&folder()).unwrap() {
            let present = fs::read_to_string(&path).unwrap_or_default();
            assert!(present == text, "{}: run cargo xtask dashboards", path.display());
        }
    }
}
