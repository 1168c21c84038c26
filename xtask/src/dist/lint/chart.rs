//! The Helm chart: by Helm itself, by the schemas of Kubernetes, and its configuration by flowd.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{subject::Subject, tools::Tools};
use crate::process::{output, root};

const CHART: &str = "config/packaging/helm/flowd";
const RENDER: &str = include_str!("chart.py");

/// It is linted and rendered with its defaults and with all values set; the objects held against the schemas of the oldest
/// and the newest Kubernetes that are known, the configurations read by flowd.
pub(super) fn chart(subject: &Subject, tools: &Tools) -> Result<String> {
    let made = subject.work.join("chart");
    fs::create_dir_all(&made)?;
    let script = subject.work.join("chart.py");
    fs::write(&script, RENDER)?;
    let said = output(tools.command("python").arg(&script).arg(root().join(CHART)).arg(&made))?;
    let of_kind = |kind: &str| -> Result<Vec<PathBuf>> {
        let paths = fs::read_dir(&made)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|found| found == kind)).collect())
    };
    let (objects, configurations) = (of_kind("yaml")?, of_kind("toml")?);
    let description = fs::read_to_string(root().join(CHART).join("Chart.yaml"))?;
    let minimum = description.split_once("kubeVersion: \">=").and_then(|(_, rest)| rest.split_once(".0-0\""));
    let minimum = minimum.context("Chart.yaml names no kubeVersion as in \">=1.25.0-0\"")?.0;
    for version in [&["--kubernetes-version", minimum][..], &[]] {
        let mut validate = tools.command("kubernetes-validate");
        let done = validate.args(["--strict", "--quiet"]).args(version).args(&objects).output()?;
        if !done.status.success() {
            let said =
                [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).trim().to_owned());
            bail!("kubernetes-validate --strict {}: {}", version.join(" "), said.join("\n"));
        }
    }
    for path in &configurations {
        output(Command::new(&subject.flowd).arg("check-config").arg(path))?;
    }
    let sets = said.lines().count();
    if objects.len() < 2 * sets || configurations.len() < sets {
        bail!("{said}: too few objects");
    }
    Ok(format!(
        "{} objects of {sets} sets of values are what Kubernetes {minimum} and the newest known take, flowd reads the \
         {} configurations",
        objects.len(),
        configurations.len()
    ))
}
