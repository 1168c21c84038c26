//! The .rpm below a folder, by rpm itself: what it needs, its files and scripts, an upgrade beside a configuration that
//! the operator changed, its end without a trace.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{CHANGED, CONFIG, listing};
use crate::dist::layout::File;
use crate::dist::pack;
use crate::dist::release::Release;
use crate::process::{as_root, check, output};

/// rpm's books while this runs, below the root: apart from those that a system could have.
const BOOKS: &str = "/var/lib/rpm-of-the-trial";
/// A default that changed, for which rpm must not take away the operator's file.
const NEW_DEFAULT: &str = "\n# a new default\n";
/// What a distribution has before flowd comes: a shell for its scripts, and folders that many share.
const SYSTEM: &str = "Name: system\nVersion: 1\nRelease: 1\nSummary: Stands for a distribution\nLicense: none\n\
     BuildArch: noarch\nProvides: /bin/sh\n%description\nStands for a distribution.\n%files\n";
const SHARED: [&str; 6] = [
    "etc/logrotate.d",
    "usr/lib/systemd/system",
    "usr/share/bash-completion/completions",
    "usr/share/fish/vendor_completions.d",
    "usr/share/man/man8",
    "usr/share/zsh/site-functions",
];

/// rpm that works below `root`.
struct Rpm<'a> {
    root: &'a str,
}

impl Rpm<'_> {
    fn run(&self, words: &[&str]) -> Result<String> {
        output(&mut as_root(&[&["rpm", "--root", self.root, "--dbpath", BOOKS], words].concat())?)
    }

    fn inside(&self, words: &[&str]) -> Result<String> {
        output(&mut as_root(&[&["chroot", self.root], words].concat())?)
    }
}

/// `debian` has no flowd; a copy of it is made, in which the packages' scripts run. `files` are those of the next
/// release.
pub(crate) fn run(debian: &Path, package: &Path, mut files: Vec<File>, next: &Release) -> Result<()> {
    let root = &debian.with_extension("rpm");
    let path = root.display().to_string();
    // What an earlier trial that failed has left.
    check(&mut as_root(&["rm", "-rf", &path])?)?;
    check(as_root(&["cp", "-a"])?.arg(debian).arg(root))?;
    let rpm = Rpm { root: &path };
    let shared = SHARED.map(|folder| root.join(folder).display().to_string());
    check(as_root(&["mkdir", "-p"])?.args(&shared))?;
    let before = listing(root)?;

    let work = tempfile::tempdir()?;
    let system = system(work.path())?.display().to_string();
    rpm.run(&["--install", &system])?;
    rpm.run(&["--install", &package.display().to_string()])?;
    let listed: BTreeSet<String> =
        rpm.run(&["--query", "--list", "flowd"])?.lines().map(str::to_owned).collect();
    // Size, digest, mode and owner of each, as the books have them.
    rpm.run(&["--verify", "flowd"])?;
    rpm.inside(&["/usr/bin/flowd", "check-config", "/etc/flowd/flowd.toml"])?;
    let version = rpm.inside(&["/usr/bin/flowd", "--version"])?;
    println!(
        "trial        .rpm installed with all that it needs, {} paths, {}",
        listed.len(),
        version.trim()
    );

    let config = root.join(CONFIG);
    let text = format!("{}{CHANGED}", fs::read_to_string(&config)?);
    fs::write(&config, &text).with_context(|| config.display().to_string())?;
    let file = files.iter_mut().find(|file| file.path.trim_start_matches('/') == CONFIG);
    file.context("no configuration is packed")?.content.extend(NEW_DEFAULT.bytes());
    let newer = pack::rpm(&files, next, work.path())?.display().to_string();
    rpm.run(&["--upgrade", &newer])?;
    let version = rpm.run(&["--query", "--queryformat", "%{VERSION}", "flowd"])?;
    let beside = root.join(format!("{CONFIG}.rpmnew"));
    let kept = fs::read_to_string(&config)? == text;
    if version != next.version
        || !kept
        || !fs::read_to_string(&beside).unwrap_or_default().ends_with(NEW_DEFAULT)
    {
        bail!("the upgrade gave {version}, or lost the operator's configuration (kept: {kept})");
    }
    println!("trial        .rpm upgraded, the operator's configuration kept, the new default beside it");

    rpm.run(&["--erase", "flowd"])?;
    let saved = root.join(format!("{CONFIG}.rpmsave"));
    if fs::read_to_string(&saved).unwrap_or_default() != text {
        bail!("{} is not the operator's configuration", saved.display());
    }
    // These two are the operator's to take away, and with them goes their folder.
    for path in [&beside, &saved] {
        fs::remove_file(path)?;
    }
    let folder = root.join("etc/flowd");
    fs::remove_dir(&folder).with_context(|| folder.display().to_string())?;
    rpm.run(&["--erase", "system"])?;
    let books = root.join(BOOKS.trim_start_matches('/')).display().to_string();
    check(&mut as_root(&["rm", "-rf", &books])?)?;
    let after = listing(root)?;
    let left: Vec<_> = after.symmetric_difference(&before).collect();
    if !left.is_empty() {
        bail!("rpm --erase left or took what it should not: {left:?}");
    }
    check(&mut as_root(&["rm", "-rf", &path])?)?;
    println!("trial        .rpm erased, the changed configuration saved, nothing else left");
    Ok(())
}

fn system(work: &Path) -> Result<PathBuf> {
    let spec = work.join("system.spec");
    fs::write(&spec, SYSTEM)?;
    let top = format!("_topdir {}", work.display());
    check(Command::new("rpmbuild").args(["-bb", "--quiet", "--define", &top]).arg(&spec))?;
    Ok(work.join("RPMS/noarch/system-1-1.noarch.rpm"))
}
