//! The .deb in a Debian of its own: installed, started, upgraded with a changed configuration, removed, purged, and
//! nothing of it left.

pub(crate) mod rpm;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{as_root, check, output};
use crate::setup;

const CONFIG: &str = "etc/flowd/flowd.toml";
const CHANGED: &str = "\n# changed by the operator\n";
/// Folders whose files dpkg itself writes, or that are not the system's own.
const DPKG: [&str; 5] = ["var/lib/dpkg", "var/cache", "var/log", "proc", "sys"];
/// In a network of its own, where nothing but loopback is: flowd must be ready and end well by SIGTERM.
const START: &str = "mount -t proc proc $0/proc; mount --rbind /sys $0/sys; ip link set lo up
timeout --preserve-status --signal TERM 3 chroot $0 /usr/bin/flowd run --config /etc/flowd/flowd.toml -i lo 2>&1";

/// `root` holds the Debian, which is made once.
pub(crate) fn run(root: &Path, package: &Path, newer: &Path) -> Result<()> {
    setup::packages(&[("debootstrap", "debootstrap")])?;
    if !root.join("var/lib/dpkg/status").exists() {
        println!("trial        making a Debian in {}", root.display());
        let path = root.display().to_string();
        check(&mut as_root(&["debootstrap", "--variant=minbase", "stable", &path])?)
            .context("a Debian cannot be made: check the network, and run this again")?;
    }
    let path = root.display().to_string();
    let inside =
        |words: &[&str]| -> Result<String> { output(&mut as_root(&[&["chroot", &path], words].concat())?) };
    // What an earlier trial that failed has left.
    let _ = inside(&["dpkg", "--purge", "flowd"]);
    let before = listing(root)?;

    put(root, package)?;
    inside(&["dpkg", "--install", "/tmp/flowd.deb"])?;
    inside(&["flowd", "check-config", "/etc/flowd/flowd.toml"])?;
    let said = output(&mut as_root(&["unshare", "--net", "--mount", "sh", "-ec", START, &path])?)?;
    if !said.contains("watching lo") {
        bail!("flowd of the package did not start: {said}");
    }
    println!("trial        installed, started, ended by SIGTERM");

    let config = root.join(CONFIG);
    let text =
        format!("{}{CHANGED}", fs::read_to_string(&config).with_context(|| config.display().to_string())?);
    fs::write(&config, &text).with_context(|| config.display().to_string())?;
    put(root, newer)?;
    inside(&["dpkg", "--install", "/tmp/flowd.deb"])?;
    let version = inside(&["dpkg-query", "--show", "--showformat=${Version} ${Status}", "flowd"])?;
    if !version.contains("+next install ok installed") || fs::read_to_string(&config)? != text {
        bail!("the upgrade gave {version}, or lost the operator's configuration");
    }
    println!("trial        upgraded, the operator's configuration kept");

    inside(&["dpkg", "--remove", "flowd"])?;
    if root.join("usr/bin/flowd").exists() || !config.exists() {
        bail!("a removal must take the binary and leave the configuration");
    }
    inside(&["dpkg", "--purge", "flowd"])?;
    fs::remove_file(root.join("tmp/flowd.deb"))?;
    let after = listing(root)?;
    let left: Vec<_> = after.symmetric_difference(&before).collect();
    if !left.is_empty() {
        bail!("the purge left or took what it should not: {left:?}");
    }
    println!("trial        removed and purged, nothing left");
    Ok(())
}

fn put(root: &Path, package: &Path) -> Result<()> {
    fs::copy(package, root.join("tmp/flowd.deb")).with_context(|| package.display().to_string())?;
    Ok(())
}

/// Every path below the root but those that dpkg keeps its books in.
fn listing(root: &Path) -> Result<BTreeSet<String>> {
    let found = output(Command::new("find").arg(root).args(["-xdev", "-printf", "%P\\n"]))?;
    let ours = |line: &&str| !DPKG.iter().any(|folder| line.starts_with(folder));
    Ok(found.lines().filter(ours).map(str::to_owned).collect())
}
