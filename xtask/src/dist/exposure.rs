//! How much of the system the unit leaves open to the daemon.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::layout::File;
use crate::process::output;

/// Highest exposure that `systemd-analyze security` may find in the unit, in tenths.
const EXPOSURE: &str = "30";

/// The unit, as it is packed, held to the exposure that it may have.
pub(super) fn hardened(files: &[File]) -> Result<()> {
    let unit = files.iter().find(|file| file.path.ends_with(".service")).context("no unit is packed")?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("flowd.service");
    fs::write(&path, &unit.content)?;
    let arguments = ["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE];
    let report = output(Command::new("systemd-analyze").args(arguments).arg(&path)).context(
        "config/flowd.service is more exposed than it may be: `systemd-analyze security` says by what",
    )?;
    let line = report.lines().find(|line| line.contains("exposure level")).unwrap_or_default();
    println!("{}", line.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic()));
    Ok(())
}
