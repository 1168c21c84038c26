//! The portable binary: no shared library, so that it runs whatever C library a system has, or none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, check, output, root};
use crate::{setup, toolchain};

/// Builds it below `folder`: the same sources and tools give the same bytes wherever they are.
pub(crate) fn build(folder: &Path) -> Result<PathBuf> {
    setup::toolchain(false)?;
    let host = output(Command::new("rustc").arg("-vV"))?;
    let host =
        host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?.to_owned();
    let flags = toolchain::encoded("-C target-feature=+crt-static", &root());
    // With a target, the flags are for it alone and not for what runs while building, which cannot be static.
    let arguments = ["build", "--release", "--locked", "--package", "flowd", "--target", &host];
    check(cargo(arguments).env("CARGO_ENCODED_RUSTFLAGS", flags).env("CARGO_TARGET_DIR", folder))?;
    let binary = folder.join(host).join("release").join("flowd");
    portable(&binary)?;
    Ok(binary)
}

/// Fails where the binary asks for an interpreter, the dynamic linker.
pub(crate) fn portable(binary: &Path) -> Result<()> {
    let bytes = fs::read(binary).with_context(|| binary.display().to_string())?;
    if toolchain::section_size(&bytes, ".interp").unwrap_or(0) != 0 {
        bail!("{} needs shared libraries: it was not built by `cargo xtask dist`", binary.display());
    }
    Ok(())
}
