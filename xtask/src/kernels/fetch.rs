//! Debian's kernels for cloud machines: small, and with BTF. Unpacked below the target folder, not installed, and kept.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::apt::Apt;
use crate::process::{find, output};
use crate::{setup, toolchain};

/// Where the kernels are: each release's own, its updates, and those yet to come.
const SUITES: [&str; 6] =
    ["bullseye", "sid", "trixie-backports", "bullseye-security", "bookworm-security", "trixie-security"];
/// Of a package, what a guest needs: the kernel and modules around the network.
const PARTS: [&str; 4] =
    ["*vmlinuz*", "*/kernel/net/sched/*", "*/kernel/drivers/net/*.ko*", "*/kernel/lib/*"];
/// Written last: a folder without it is not complete.
const DONE: &str = ".done";

/// An unpacked kernel.
pub(crate) struct Kernel {
    pub(crate) release: String,
    pub(crate) image: PathBuf,
    pub(crate) modules: PathBuf,
}

/// The programs that run guests; what is there is kept.
pub(crate) fn tools() -> Result<()> {
    setup::packages(&[
        ("busybox", "busybox-static"),
        ("xz", "xz-utils"),
        ("zstd", "zstd"),
        ("ip", "iproute2"),
    ])?;
    if find("qemu-system-x86_64").is_some() {
        return Ok(());
    }
    if setup::packages(&[("qemu-system-x86_64", "qemu-system-x86")]).is_ok() {
        return Ok(());
    }
    // The release's own may be at odds with newer parts of QEMU that are installed.
    let os = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let codename = os.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let codename = codename.context("install qemu-system-x86_64: this system is not Debian")?;
    let backports = format!("{codename}-backports");
    Apt::new(home().join("apt-tools"), &[codename, &backports])?.install("qemu-system-x86", &backports)
}

fn home() -> PathBuf {
    toolchain::target_dir(&crate::process::root()).join("kernels")
}

/// The newest kernel of each series, such as `6.12`: from before, or fetched.
pub(crate) fn kernels(series: &[String]) -> Result<Vec<Kernel>> {
    let mut apt = None;
    let mut kernels = Vec::new();
    for series in series {
        let kernel = match kept(series)? {
            Some(kept) => kept,
            None => {
                let apt = match &apt {
                    Some(apt) => apt,
                    None => apt.insert(Apt::new(home().join("apt"), &SUITES)?),
                };
                fetch(apt, series)?
            }
        };
        kernels.push(open(&kernel)?);
    }
    Ok(kernels)
}

fn kept(series: &str) -> Result<Option<PathBuf>> {
    let Ok(entries) = home().read_dir() else { return Ok(None) };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(&format!("{series}.")) && path.join(DONE).exists() {
            found.push((name, path));
        }
    }
    found.sort_by(|a, b| by_version(&a.0, &b.0));
    Ok(found.pop().map(|(_, path)| path))
}

fn fetch(apt: &Apt, series: &str) -> Result<PathBuf> {
    let pattern = format!("^linux-image-{}\\..*-cloud-amd64$", series.replace('.', "\\."));
    let mut packages = apt.search(&pattern)?;
    // Backports to a release that is older than the series.
    packages.retain(|package| !package.contains("deb11"));
    packages.sort_by(|a, b| by_version(a, b));
    let Some(package) = packages.pop() else {
        bail!("Debian has no kernel {series} any more, or not yet: name another series");
    };
    let release = package.trim_start_matches("linux-image-");
    println!("fetching     Linux {release}");
    let folder = home().join(release);
    // From 6.19 on the kernel, and from 7.2 on the modules, are in packages of their own.
    for part in ["image", "binary", "modules"] {
        let Some(file) = apt.download(&format!("linux-{part}-{release}"), &home().join("packages"))? else {
            continue;
        };
        unpack(&file, &folder)?;
        fs::remove_file(&file).with_context(|| file.display().to_string())?;
    }
    open(&folder)?;
    fs::write(folder.join(DONE), "")?;
    Ok(folder)
}

fn unpack(package: &Path, into: &Path) -> Result<()> {
    fs::create_dir_all(into).with_context(|| into.display().to_string())?;
    let mut archive = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start dpkg-deb")?;
    let content = archive.stdout.take().context("dpkg-deb has no output")?;
    let names = output(
        Command::new("tar")
            .args([
                "--extract",
                "--wildcards",
                "--no-anchored",
                "--warning=none",
                "--ignore-failed-read",
                "-C",
            ])
            .arg(into)
            .args(PARTS)
            .stdin(content),
    );
    check_pattern(names)?;
    if !archive.wait()?.success() {
        bail!("{} is damaged: remove it, and run this again", package.display());
    }
    Ok(())
}

/// tar calls a pattern that matches nothing an error: a package holds some of the parts only.
fn check_pattern(result: Result<String>) -> Result<()> {
    match result {
        Err(error) if !error.to_string().contains("Not found in archive") => Err(error),
        _ => Ok(()),
    }
}

fn open(folder: &Path) -> Result<Kernel> {
    let modules = ["usr/lib/modules", "lib/modules"].map(|name| folder.join(name));
    let modules = modules.iter().find_map(|path| path.read_dir().ok()?.next()?.ok()).with_context(|| {
        format!("{} has no modules: remove the folder, and run this again", folder.display())
    })?;
    let release = modules.file_name().to_string_lossy().into_owned();
    let images = [folder.join(format!("boot/vmlinuz-{release}")), modules.path().join("vmlinuz")];
    let image = images.into_iter().find(|path| path.exists()).with_context(|| {
        format!("{} has no vmlinuz: remove the folder, and run this again", folder.display())
    })?;
    Ok(Kernel { release, image, modules: modules.path() })
}

/// Numbers as numbers: 6.1.0-9 before 6.1.0-10.
fn by_version(a: &str, b: &str) -> Ordering {
    let numbers = |text: &str| {
        text.split(|letter: char| !letter.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect::<Vec<u64>>()
    };
    numbers(a).cmp(&numbers(b))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::by_version;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(by_version("5.10.0-9-cloud", "5.10.0-46-cloud"), Ordering::Less);
        assert_eq!(by_version("6.12.117+deb13", "6.12.9+deb13"), Ordering::Greater);
    }
}
