//! `cargo xtask dist`: the portable binary, a tarball, a .deb, an .rpm, the bill of materials and their checksums, in
//! `target/dist`.

mod binary;
mod exposure;
mod layout;
pub(crate) mod lint;
mod pack;
mod release;
mod sbom;
mod trial;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use self::release::Release;
use crate::process::{output, root};
use crate::{setup, toolchain};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Pack nothing: hold the unit, the manual, the logrotate file, the Dockerfile and the chart against their linters
    #[arg(long, conflicts_with_all = ["binary", "trial", "reproduce"])]
    lint: bool,
    /// Pack this static binary instead of building one
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Also install, run, upgrade and remove .deb and .rpm in a Debian of its own, as root
    #[arg(long)]
    trial: bool,
    /// Also build a second time from nothing, and compare the bytes
    #[arg(long)]
    reproduce: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.lint {
        return lint::run();
    }
    setup::packages(&[
        ("rpmbuild", "rpm"),
        ("systemd-analyze", "systemd"),
        ("dpkg-deb", "dpkg"),
        ("gzip", "gzip"),
    ])?;
    let target = toolchain::target_dir(&root());
    let built = match &options.binary {
        Some(given) => {
            binary::portable(given)?;
            given.clone()
        }
        None => binary::build(&target)?,
    };
    let folder = target.join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder)?;
    let release = Release::of_this_tree()?;
    let files = layout::files(&built, &release)?;
    exposure::hardened(&files)?;
    let made = [
        pack::tarball(&files, &release, &folder)?,
        pack::deb(&files, &release, &folder)?,
        pack::rpm(&files, &release, &folder)?,
        copy(&built, &folder.join("flowd"))?,
        // The image is made of these two.
        copy(&root().join("config/flowd.toml"), &folder.join("flowd.toml"))?,
        bill(&folder.join("flowd.cdx.json"))?,
    ];
    fs::write(folder.join("SHA256SUMS"), checksums(&folder, &made)?)?;
    for path in &made {
        println!("{:>10} bytes  {}", fs::metadata(path)?.len(), path.display());
    }
    if options.reproduce {
        reproduce(&built, &target)?;
    }
    if options.trial {
        let next = Release { version: format!("{}+next", release.version), ..release };
        let [_, deb, rpm, ..] = &made;
        let newer = tempfile::tempdir()?;
        let debian = target.join("trial");
        trial::run(&debian, deb, &pack::deb(&files, &next, newer.path())?)?;
        trial::rpm::run(&debian, rpm, files, &next)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<PathBuf> {
    fs::copy(from, to).with_context(|| from.display().to_string())?;
    Ok(to.to_owned())
}

fn bill(path: &Path) -> Result<PathBuf> {
    fs::write(path, sbom::cyclone()?).with_context(|| path.display().to_string())?;
    Ok(path.to_owned())
}

/// One line per file, as `sha256sum --check` reads it.
fn checksums(folder: &Path, files: &[PathBuf]) -> Result<String> {
    let names = files.iter().filter_map(|path| path.file_name());
    output(Command::new("sha256sum").current_dir(folder).args(names))
}

fn reproduce(first: &Path, target: &Path) -> Result<()> {
    let folder = target.join("again");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    // The linker for BPF is a tool that is not built again.
    let tools = target.join("tools");
    fs::create_dir_all(&folder)?;
    std::os::unix::fs::symlink(&tools, folder.join("tools")).with_context(|| tools.display().to_string())?;
    let second = binary::build(&folder)?;
    if fs::read(first)? != fs::read(&second)? {
        bail!("{} and {} differ: a build depends on its folder or time", first.display(), second.display());
    }
    println!("a second build gave the same bytes");
    Ok(())
}
