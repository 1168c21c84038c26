//! Starting other programs: as root where needed, with errors that name the command.

use std::env;
use std::io::{IsTerminal, stdin};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::toolchain;

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let manifest = here.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    manifest.parent().map_or(manifest.clone(), Path::to_owned)
}

/// The host's cargo in the workspace, without what the cargo that runs xtask has set for xtask itself.
pub(crate) fn cargo<I: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new("cargo");
    toolchain::clean_env(&mut command).current_dir(root()).args(arguments);
    if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    command
}

pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0)
}

/// What goes before a command to run it as root; nothing for root. Without a terminal sudo must not ask.
pub(crate) fn sudo() -> Result<Vec<&'static str>> {
    if is_root() {
        return Ok(vec![]);
    }
    find("sudo").context("this needs root: run it as root, or install sudo")?;
    Ok(if stdin().is_terminal() { vec!["sudo", "-E"] } else { vec!["sudo", "-n", "-E"] })
}

/// `command` as root.
pub(crate) fn as_root(command: &[&str]) -> Result<Command> {
    let mut words = sudo()?.into_iter().chain(command.iter().copied());
    let mut root = Command::new(words.next().context("an empty command")?);
    root.args(words);
    Ok(root)
}

/// A program on PATH or in the folders of system tools, which users often do not have on PATH, or among PostgreSQL's, of which
/// Debian has a folder for each version.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let postgresql = versions.map(|version| version.path().join("bin"));
    let folders = env::split_paths(&path).chain(system).chain(postgresql);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Runs `command` to its end; a failure names it.
pub(crate) fn check(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", line(command));
    }
    Ok(())
}

/// Runs `command` and gives what it printed; its errors go into the error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    Ok(String::from_utf8_lossy(&bytes_of(command)?).into_owned())
}

/// The same for what is no text.
pub(crate) fn bytes_of(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("cannot start {}", line(command)))?;
    if !output.status.success() {
        bail!("{} failed: {}", line(command), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
