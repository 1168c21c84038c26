//! Which file goes where on a system: the one list that tarball, .deb and .rpm are made of.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::{release::Release, sbom};
use crate::process::{bytes_of, output, root};

/// A file of a package.
pub(crate) struct File {
    /// Absolute on the target.
    pub(crate) path: String,
    pub(crate) content: Vec<u8>,
    pub(crate) mode: u32,
    /// Kept as the operator changed it when a new version is installed.
    pub(crate) config: bool,
}

/// Everything that is installed, around this binary.
pub(crate) fn files(binary: &Path, release: &Release) -> Result<Vec<File>> {
    let mut files = Vec::new();
    let mut add = |path: &str, content: Vec<u8>, mode: u32, config: bool| {
        files.push(File { path: path.to_owned(), content, mode, config });
    };
    let ask = |arguments: &[&str]| bytes_of(Command::new(binary).args(arguments));
    add("/usr/bin/flowd", fs::read(binary).with_context(|| binary.display().to_string())?, 0o755, false);
    add("/etc/flowd/flowd.toml", read("config/flowd.toml")?, 0o644, true);
    add("/etc/logrotate.d/flowd", read("config/packaging/logrotate")?, 0o644, true);
    add("/usr/lib/systemd/system/flowd.service", unit()?, 0o644, false);
    let manual = tempfile::tempdir()?;
    let mut man = Command::new(binary);
    // The day on the pages is that of the last commit.
    output(man.args(["man", "--into"]).arg(manual.path()).env("SOURCE_DATE_EPOCH", &release.time))?;
    for entry in fs::read_dir(manual.path())? {
        let page = entry?;
        let path = format!("/usr/share/man/man8/{}.gz", page.file_name().to_string_lossy());
        add(&path, gzip(&fs::read(page.path())?)?, 0o644, false);
    }
    for (shell, path) in [
        ("bash", "/usr/share/bash-completion/completions/flowd"),
        ("zsh", "/usr/share/zsh/site-functions/_flowd"),
        ("zsh", "/usr/share/zsh/vendor-completions/_flowd"), // Debian's folder
        ("fish", "/usr/share/fish/vendor_completions.d/flowd.fish"),
    ] {
        add(path, ask(&["completions", shell])?, 0o644, false);
    }
    for (folder, kind) in [("dashboards", "json"), ("config/rules", "yml")] {
        for entry in root().join(folder).read_dir().with_context(|| folder.to_owned())? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.extension().is_some_and(|extension| extension == kind) {
                let last = folder.rsplit('/').next().unwrap_or(folder);
                add(&format!("/usr/share/flowd/{last}/{name}"), fs::read(&path)?, 0o644, false);
            }
        }
    }
    for (name, from) in [
        ("README.md", "README.md"),
        ("copyright", "LICENSE"),
        ("LICENSE-APACHE", "LICENSE-APACHE"),
        ("LICENSE-MIT", "LICENSE-MIT"),
        ("prometheus.yml", "config/prometheus.yml"),
    ] {
        add(&format!("/usr/share/doc/flowd/{name}"), read(from)?, 0o644, false);
    }
    add("/usr/share/doc/flowd/CHANGELOG.md.gz", gzip(&read("CHANGELOG.md")?)?, 0o644, false);
    add("/usr/share/doc/flowd/flowd.cdx.json", sbom::cyclone()?.into_bytes(), 0o644, false);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Writes the files below a folder that stands for the target's root.
pub(crate) fn write(files: &[File], into: &Path) -> Result<()> {
    for file in files {
        let path = into.join(file.path.trim_start_matches('/'));
        let folder = path.parent().context("a file without a folder")?;
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        fs::write(&path, &file.content).with_context(|| path.display().to_string())?;
        fs::set_permissions(&path, fs::Permissions::from_mode(file.mode))?;
    }
    Ok(())
}

/// The unit as it is in a package, whose binary is not in /usr/local.
fn unit() -> Result<Vec<u8>> {
    let text = String::from_utf8(read("config/flowd.service")?)?.replace("/usr/local/bin/", "/usr/bin/");
    let lines =
        text.lines().filter(|line| !line.starts_with("# systemd unit:") && !line.starts_with("# Install:"));
    Ok(lines
        .collect::<Vec<_>>()
        .join("\n")
        .trim_start()
        .to_owned()
        .into_bytes()
        .into_iter()
        .chain(*b"\n")
        .collect())
}

fn read(path: &str) -> Result<Vec<u8>> {
    fs::read(root().join(path)).with_context(|| path.to_owned())
}

/// Without name and time, so that the same text gives the same bytes.
fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("x");
    fs::write(&path, content)?;
    bytes_of(Command::new("gzip").args(["-9", "-n", "-c"]).arg(&path))
}
