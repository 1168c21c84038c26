//! `cargo xtask dist --lint`: what is shipped beside the binary, each by the linter of its kind.

mod chart;
mod subject;
mod tools;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use self::subject::Subject;
use self::tools::Tools;
use super::release::Release;
use super::{exposure, layout};
use crate::process::{as_root, output, root};
use crate::{build, setup, toolchain};

const ROTATION: &str = include_str!("lint/rotation.sh");

type Lint = fn(&Subject) -> Result<String>;
const LINTS: [(&str, Lint); 4] =
    [("unit", unit), ("manual", manual), ("logrotate", logrotate), ("rotation", rotation)];
type ToolLint = fn(&Subject, &Tools) -> Result<String>;
const TOOL_LINTS: [(&str, ToolLint); 2] = [("Dockerfile", dockerfile), ("Helm chart", chart::chart)];

/// Runs them all, whatever an earlier one said. Where linters of Python's index cannot be had, that is said and no
/// failure.
///
/// # Errors
/// One of them found something, or cannot be had from the distribution.
pub(crate) fn run() -> Result<()> {
    setup::packages(&[
        ("systemd-analyze", "systemd"),
        ("mandoc", "mandoc"),
        ("logrotate", "logrotate"),
        ("curl", "curl"),
        ("ip", "iproute2"),
    ])?;
    setup::toolchain(false)?;
    build::flowd("debug")?;
    let target = toolchain::target_dir(&root());
    let flowd = target.join("debug").join("flowd");
    let folder = tempfile::tempdir()?;
    let [tree, work] = ["tree", "work"].map(|name| folder.path().join(name));
    fs::create_dir_all(&work)?;
    let files = layout::files(&flowd, &Release::of_this_tree()?)?;
    layout::write(&files, &tree)?;
    let subject = Subject { target, flowd, files, tree, work };
    let mut failed = Vec::new();
    let mut tell = |name, found: Result<String>| match found {
        Ok(said) => println!("{name:<12} {said}"),
        Err(error) => {
            println!("{name:<12} FAILED: {error:#}");
            failed.push(name);
        }
    };
    for (name, lint) in LINTS {
        tell(name, lint(&subject));
    }
    let tools = Tools::ready(&subject.target);
    for (name, lint) in TOOL_LINTS {
        match &tools {
            Ok(tools) => tell(name, lint(&subject, tools)),
            Err(error) => println!("{name:<12} NOT CHECKED: {error:#}"),
        }
    }
    if !failed.is_empty() {
        bail!("not as it should be: {}", failed.join(", "));
    }
    Ok(())
}

/// `systemd-analyze verify` takes a key that it does not know, or a value that it cannot read, for a warning.
fn unit(subject: &Subject) -> Result<String> {
    let unit = subject.tree.join("usr/lib/systemd/system/flowd.service");
    let text = fs::read_to_string(&unit).with_context(|| unit.display().to_string())?;
    // It looks for the programs, too.
    let path = subject.work.join("flowd.service");
    fs::write(&path, text.replace("/usr/bin/flowd", &subject.flowd.display().to_string()))?;
    let options = ["verify", "--recursive-errors=no", "--man=no"];
    said_nothing(Command::new("systemd-analyze").args(options).arg(&path))?;
    exposure::hardened(&subject.files)?;
    Ok("systemd-analyze verify has nothing to say".to_owned())
}

/// Also that every page that a page points to is there.
fn manual(subject: &Subject) -> Result<String> {
    let folder = subject.tree.join("usr/share/man/man8");
    let mut pages = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let packed = entry?.path();
        let page = subject.work.join(packed.file_stem().context("a page without a name")?);
        fs::write(&page, output(Command::new("gzip").arg("-dc").arg(&packed))?)?;
        said_nothing(Command::new("mandoc").args(["-Tlint", "-Wwarning"]).arg(&page))?;
        pages.push(page);
    }
    for page in &pages {
        let text = fs::read_to_string(page)?.replace("\\-", "-");
        let words = text.split_whitespace().filter_map(|word| word.split_once("(8)"));
        for (name, _) in words.filter(|(name, _)| name.starts_with("flowd")) {
            if !subject.work.join(format!("{name}.8")).exists() {
                bail!("{} points to {name}(8), and there is no such page", page.display());
            }
        }
    }
    Ok(format!(
        "mandoc has nothing to say of {} pages, and none points to one that is not there",
        pages.len()
    ))
}

/// Reads the file as a rotation would; what it does not know it skips.
fn logrotate(subject: &Subject) -> Result<String> {
    let file = subject.tree.join("etc/logrotate.d/flowd");
    let state = subject.work.join("state");
    let done = Command::new("logrotate").arg("--debug").arg("--state").arg(&state).arg(&file).output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    if let Some(line) = said.lines().find(|line| line.starts_with("error:")) {
        bail!("{line}");
    }
    if !done.status.success()
        || !said.contains("rotating pattern: /var/log/flowd/*.log /var/log/flowd/*.jsonl")
    {
        bail!("logrotate --debug ended with {}: {said}", done.status);
    }
    Ok("logrotate --debug reads it without an error".to_owned())
}

/// A real one, with flowd and its log in mounts and a network of their own.
fn rotation(subject: &Subject) -> Result<String> {
    let script = subject.work.join("rotation.sh");
    fs::write(&script, ROTATION)?;
    let mut command = as_root(&["unshare", "--mount", "--net", "sh"])?;
    command.arg(&script);
    let file = subject.tree.join("etc/logrotate.d/flowd");
    let unit = subject.tree.join("usr/lib/systemd/system/flowd.service");
    Ok(output(command.arg(&subject.flowd).arg(file).arg(unit))?.trim().to_owned())
}

fn dockerfile(subject: &Subject, tools: &Tools) -> Result<String> {
    // From a folder where no settings lie about.
    let mut hadolint = tools.command("hadolint");
    hadolint.current_dir(&subject.work).arg("--no-color").arg(root().join("config/packaging/Dockerfile"));
    said_nothing(&mut hadolint)?;
    Ok("hadolint has nothing to say".to_owned())
}

/// Fails where it ends with an error or prints anything at all.
fn said_nothing(command: &mut Command) -> Result<()> {
    let program = Path::new(command.get_program()).display().to_string();
    let done = command.output().with_context(|| format!("cannot start {program}"))?;
    let said =
        [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).trim().to_owned()).join("\n");
    if !done.status.success() || !said.trim().is_empty() {
        bail!("{program} ({}): {}", done.status, said.trim());
    }
    Ok(())
}
