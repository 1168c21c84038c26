//! `cargo xtask run [-- arguments]`: builds flowd and becomes `flowd run arguments`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use crate::process::{root, sudo};
use crate::{build, setup, toolchain};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What `flowd run` gets, such as `-i lo`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    setup::toolchain(false)?;
    build::flowd("release")?;
    let flowd = toolchain::target_dir(&root()).join("release").join("flowd").into_os_string();
    let words = sudo()?.into_iter().map(OsString::from);
    let words = words.chain([flowd, "run".into()]).chain(options.arguments.iter().cloned());
    let words: Vec<OsString> = words.collect();
    let (program, arguments) = words.split_first().context("an empty command")?;
    // exec returns only if it failed; signals then reach flowd itself
    let error = Command::new(program).args(arguments).exec();
    Err(anyhow!(error)).with_context(|| format!("cannot start {}", program.display()))
}
