//! The version that is packed.

use std::process::Command;

use anyhow::Result;

use crate::process::{output, root};

/// What a package is called and when its files are from, in seconds since the epoch.
pub(crate) struct Release {
    pub(crate) version: String,
    pub(crate) time: String,
}

impl Release {
    pub(crate) fn of_this_tree() -> Result<Self> {
        let log = output(Command::new("git").current_dir(root()).args(["log", "-1", "--format=%ct"]));
        let time = log.map_or_else(|_| "0".to_owned(), |text| text.trim().to_owned());
        Ok(Self { version: env!("CARGO_PKG_VERSION").to_owned(), time })
    }
}
