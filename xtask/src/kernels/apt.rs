//! Packages of other Debian releases, from the mirror that this machine uses, with package lists of their own: the
//! system's lists, sources and installed packages are not touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{as_root, check, output};

const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

pub(crate) struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Fetches the lists of `suites`; those whose name holds `-security` come from the mirror's other part.
    pub(crate) fn new(folder: PathBuf, suites: &[&str]) -> Result<Self> {
        for name in ["lists/partial", "cache/archives/partial"] {
            let path = folder.join(name);
            fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        }
        let mirrors = output(Command::new("apt-get").args([
            "indextargets",
            "--format",
            "$(LABEL) $(REPO_URI)",
            "Created-By: Packages",
        ]))
        .context("apt-get is missing: the kernels are Debian's packages")?;
        let mut sources = String::new();
        for suite in suites {
            let label = if suite.contains("-security") { "Debian-Security " } else { "Debian " };
            let Some(mirror) = mirrors.lines().find_map(|line| line.strip_prefix(label)) else {
                bail!("apt has no source of {label}: add one below /etc/apt, and run `apt-get update`");
            };
            sources += &format!("deb [signed-by={KEYS}] {mirror} {suite} main\n");
        }
        fs::write(folder.join("sources.list"), sources)?;
        fs::write(folder.join("status"), "")?;
        let apt = Self { folder };
        check(apt.command("apt-get", true).args(["--quiet", "--quiet", "update"])).context(
            "the package lists cannot be fetched: the mirror is out of reach; check the network, and run this again",
        )?;
        Ok(apt)
    }

    /// `alone`: as if nothing were installed.
    fn command(&self, program: &str, alone: bool) -> Command {
        let mut command = Command::new(program);
        command.args(self.options(alone));
        command
    }

    fn options(&self, alone: bool) -> Vec<String> {
        let path = |name: &str| self.folder.join(name).display().to_string();
        let mut options = vec![
            format!("Dir::Etc::sourcelist={}", path("sources.list")),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            format!("Dir::State::lists={}", path("lists")),
            format!("Dir::Cache={}", path("cache")),
            "Acquire::Languages=none".to_owned(),
            // An old release's lists say that they are no longer renewed.
            "Acquire::Check-Valid-Until=false".to_owned(),
            "APT::Sandbox::User=root".to_owned(),
        ];
        if alone {
            options.push(format!("Dir::State::status={}", path("status")));
        }
        options.into_iter().flat_map(|option| ["-o".to_owned(), option]).collect()
    }

    /// Names of packages that a regular expression matches.
    pub(crate) fn search(&self, pattern: &str) -> Result<Vec<String>> {
        let found = output(self.command("apt-cache", true).args(["search", "--names-only", pattern]))?;
        Ok(found.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
    }

    /// The newest file of a package, in `into`; `None` where there is no such package.
    pub(crate) fn download(&self, package: &str, into: &Path) -> Result<Option<PathBuf>> {
        if self.search(&format!("^{}$", package.replace('.', "\\.").replace('+', "\\+")))?.is_empty() {
            return Ok(None);
        }
        fs::create_dir_all(into)?;
        check(
            self.command("apt-get", true).args(["--quiet", "--quiet", "download", package]).current_dir(into),
        )
        .with_context(|| format!("{package} cannot be fetched: check the network, and run this again"))?;
        let mut files = into.read_dir()?.filter_map(Result::ok).map(|entry| entry.path());
        let ours = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{package}_")))
        };
        Ok(Some(files.find(ours).with_context(|| format!("apt-get left no file of {package}"))?))
    }

    /// Installs a package from these lists; nothing is removed for it.
    pub(crate) fn install(&self, package: &str, suite: &str) -> Result<()> {
        let options = self.options(false);
        let words = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"].into_iter();
        let words = words.chain(options.iter().map(String::as_str));
        let install =
            ["install", "--yes", "--quiet", "--no-remove", "--no-install-recommends", "-t", suite, package];
        check(as_root(&words.chain(install).collect::<Vec<_>>())?.stdin(std::process::Stdio::null()))
            .with_context(|| {
                format!("missing: {package}. Nothing was removed; install it, and run this again")
            })
    }
}
