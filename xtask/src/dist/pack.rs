//! The files as a tarball, a .deb and an .rpm, each with the times of the last commit, so that they can be made again.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::layout::{self, File};
use super::release::Release;
use crate::process::{check, output, root};

const SUMMARY: &str = "Network flow monitor";
/// Lines that a package manager shows as they are.
const DESCRIPTION: [&str; 3] = [
    "Watches the packets of a gateway's interfaces in the kernel and turns",
    "them into flows, TCP quality figures and HTTP request lines, as metrics",
    "for Prometheus and as logs.",
];
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

/// `flowd-VERSION-ARCHITECTURE-linux.tar.gz`: the root of a system, to be unpacked at `/` or looked at.
pub(crate) fn tarball(files: &[File], release: &Release, into: &Path) -> Result<PathBuf> {
    let name = format!("flowd-{}-{}-linux", release.version, std::env::consts::ARCH);
    let work = tempfile::tempdir()?;
    layout::write(files, &work.path().join(&name))?;
    let tar = work.path().join("tar");
    let time = format!("--mtime=@{}", release.time);
    let same = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=ustar", &time];
    check(Command::new("tar").args(same).arg("-C").arg(work.path()).arg("-cf").arg(&tar).arg(&name))?;
    check(Command::new("gzip").args(["-9", "-n"]).arg(&tar))?;
    let path = into.join(format!("{name}.tar.gz"));
    fs::copy(work.path().join("tar.gz"), &path).with_context(|| path.display().to_string())?;
    Ok(path)
}

pub(crate) fn deb(files: &[File], release: &Release, into: &Path) -> Result<PathBuf> {
    let work = tempfile::tempdir()?;
    let tree = work.path().join("flowd");
    layout::write(files, &tree)?;
    let control = tree.join("DEBIAN");
    fs::create_dir_all(&control)?;
    let architecture = output(Command::new("dpkg").arg("--print-architecture")).context("dpkg is missing")?;
    let architecture = architecture.trim();
    let size: usize = files.iter().map(|file| file.content.len().div_ceil(1024)).sum();
    let version = &release.version;
    let fields = format!(
        "Package: flowd\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: flowd <flowd@localhost>\n\
         Installed-Size: {size}\nRecommends: logrotate\nSection: net\nPriority: optional\n\
         Description: {SUMMARY}\n {}\n",
        DESCRIPTION.join("\n ")
    );
    fs::write(control.join("control"), fields)?;
    let kept = files.iter().filter(|file| file.config).map(|file| format!("{}\n", file.path));
    fs::write(control.join("conffiles"), kept.collect::<String>())?;
    for name in SCRIPTS {
        let script = control.join(name);
        fs::copy(root().join("config/packaging").join(name), &script).with_context(|| name.to_owned())?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    }
    let path = into.join(format!("flowd_{version}_{architecture}.deb"));
    let options = ["--root-owner-group", "-Zxz", "--build"];
    check(
        Command::new("dpkg-deb").args(options).arg(&tree).arg(&path).env("SOURCE_DATE_EPOCH", &release.time),
    )?;
    Ok(path)
}

pub(crate) fn rpm(files: &[File], release: &Release, into: &Path) -> Result<PathBuf> {
    let work = tempfile::tempdir()?;
    let tree = work.path().join("tree");
    layout::write(files, &tree)?;
    // A folder of Debian's, which no package of others would have; what is not listed must not be in the tree.
    let (debian, files): (Vec<&File>, Vec<&File>) =
        files.iter().partition(|file| file.path.contains("/vendor-completions/"));
    for file in debian {
        fs::remove_file(tree.join(file.path.trim_start_matches('/')))?;
    }
    let spec = work.path().join("flowd.spec");
    let list = files.iter().map(|file| {
        let kind = if file.config { "%config(noreplace) " } else { "" };
        format!("{kind}%attr({:o}, root, root) {}\n", file.mode, file.path)
    });
    let folders = own_folders(&files)
        .into_iter()
        .map(|folder| format!("%attr(755, root, root) %dir {}\n", folder.display()));
    let list = list.chain(folders);
    let text = format!(
        "Name: flowd\nVersion: {}\nRelease: 1\nSummary: {SUMMARY}\nLicense: Apache-2.0 OR MIT\nAutoReqProv: no\n\
         %description\n{}\n\
         %install\nmkdir -p %{{buildroot}}\ncp -a {}/. %{{buildroot}}/\n\
         %post\nif [ -d /run/systemd/system ]; then systemctl daemon-reload || :; fi\n\
         if [ $1 -eq 1 ] && command -v systemctl > /dev/null; then systemctl preset flowd.service || :; fi\n\
         %preun\nif [ $1 -eq 0 ] && [ -d /run/systemd/system ]; then systemctl disable --now flowd.service || :; fi\n\
         %postun\nif [ $1 -ge 1 ] && [ -d /run/systemd/system ]; then\n\
         systemctl daemon-reload || :; systemctl try-restart flowd.service || :\nfi\n\
         %files\n{}",
        release.version,
        DESCRIPTION.join("\n"),
        tree.display(),
        list.collect::<String>()
    );
    fs::write(&spec, text)?;
    // Nothing is compiled here: the binary is packed as it is.
    let nothing =
        ["debug_package %{nil}", "__os_install_post %{nil}", "_build_id_links none", "_buildhost localhost"];
    let times = ["use_source_date_epoch_as_buildtime 1", "clamp_mtime_to_source_date_epoch 1"];
    let mut command = Command::new("rpmbuild");
    command.args(["-bb", "--quiet"]).env("SOURCE_DATE_EPOCH", &release.time);
    command.args(["--define", &format!("_topdir {}", work.path().join("build").display())]);
    for define in nothing.iter().chain(&times) {
        command.args(["--define", define]);
    }
    check(command.arg(&spec))?;
    let name = format!("flowd-{}-1.{}.rpm", release.version, std::env::consts::ARCH);
    let made = work.path().join("build/RPMS").join(std::env::consts::ARCH).join(&name);
    let path = into.join(name);
    fs::copy(&made, &path).with_context(|| made.display().to_string())?;
    Ok(path)
}

/// Folders that nobody else has, which rpm takes away with the package only where they are listed.
fn own_folders<'a>(files: &[&'a File]) -> BTreeSet<&'a Path> {
    let folders = files.iter().flat_map(|file| Path::new(&file.path).ancestors().skip(1));
    folders.filter(|folder| folder.iter().any(|part| part == "flowd")).collect()
}
