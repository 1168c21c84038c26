//! What `cargo xtask new` makes compiles and passes its tests, and changes few files: in a copy of the workspace, with a
//! target folder of its own that begins with what this one has built of other crates.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::{
    collections::BTreeSet,
    env, fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Crates of this workspace, as artefacts are named after them.
const MEMBERS: [&str; 7] =
    ["flow_common", "flowd", "flowd_kernel", "flowd_numbers", "flowd_protocols", "xdp_ebpf", "xtask"];

/// Larger files of dependencies are linked: nothing writes to them again.
const LINKED: u64 = 64 << 10;

struct Scratch {
    /// The workspace that it is a copy of.
    root: PathBuf,
    tree: PathBuf,
    target: PathBuf,
}

impl Scratch {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        let outer = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let folder = outer.join("tmp/scaffold");
        let scratch = Self { root, tree: folder.join("tree"), target: folder.join("target") };
        if scratch.tree.exists() {
            fs::remove_dir_all(&scratch.tree).unwrap();
        }
        for file in scratch.sources() {
            copy(&scratch.root.join(&file), &scratch.tree.join(&file)).unwrap();
        }
        // Quickly built, not quickly run.
        let manifest = scratch.tree.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        fs::write(manifest, for_speed_of_building(&text)).unwrap();
        if !scratch.target.exists() {
            for part in ["deps", ".fingerprint", "build"] {
                seed(&outer.join("debug").join(part), &scratch.target.join("debug").join(part)).unwrap();
            }
            symlink(outer.join("tools"), scratch.target.join("tools")).unwrap();
        }
        scratch
    }

    /// What git knows or would add, below the workspace's folder.
    fn sources(&self) -> BTreeSet<PathBuf> {
        let mut git = Command::new("git");
        git.current_dir(&self.root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let output = git.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        let files = names.map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()));
        // What was deleted is still in the index.
        files.filter(|file| self.root.join(file).is_file()).collect()
    }

    /// A command without what the cargo that runs this test has set for it.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            let kept = ["CARGO_HOME", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_"];
            if text.starts_with("CARGO") && !kept.iter().any(|kept| text.starts_with(kept)) {
                command.env_remove(&name);
            }
        }
        command.current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target).env("CARGO_INCREMENTAL", "0");
        command.stdin(Stdio::null());
        command
    }

    /// `cargo xtask new`, and the files that it changed.
    fn make(&self, kind: &str, name: &str) -> BTreeSet<String> {
        let before = self.changed();
        let mut xtask = self.command(env!("CARGO_BIN_EXE_xtask"));
        output(xtask.args(["new", kind, name]).env("CARGO_MANIFEST_DIR", self.tree.join("xtask")));
        &self.changed() - &before
    }

    /// Files of the workspace that are others here.
    fn changed(&self) -> BTreeSet<String> {
        let read = |folder: &Path, file: &Path| fs::read(folder.join(file)).unwrap();
        let files = self.sources().into_iter();
        let files = files.filter(|file| read(&self.root, file) != read(&self.tree, file));
        files.map(|file| file.to_string_lossy().into_owned()).collect()
    }
}

/// The workspace's manifest without what makes its own crates run faster.
fn for_speed_of_building(manifest: &str) -> String {
    let mut text = manifest.to_owned();
    for krate in MEMBERS {
        let krate = krate.replace('_', "-");
        let section = format!("[profile.dev.package.{krate}]\nopt-level = 1\n");
        text = text.replace(&section, &section.replace('1', "0"));
    }
    assert_ne!(text, manifest, "Cargo.toml has no such profile any more");
    text
}

/// With its time, by which cargo tells what it has built already.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to.parent().unwrap())?;
    fs::copy(from, to)?;
    let time = fs::metadata(from)?.modified()?;
    fs::OpenOptions::new().write(true).open(to)?.set_modified(time)
}

/// Hands on artefacts of crates that are not of this workspace. What is missing is only built anew.
fn seed(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in from.read_dir()? {
        let (path, name) =
            (entry.as_ref().unwrap().path(), entry?.file_name().to_string_lossy().into_owned());
        let stem = name.strip_prefix("lib").unwrap_or(&name).replace('-', "_");
        let member = |krate: &str| {
            let rest = stem.strip_prefix(krate).and_then(|rest| rest.strip_prefix('_'));
            rest.is_some_and(|hash| hash.bytes().take(16).all(|byte| byte.is_ascii_hexdigit()))
        };
        if !MEMBERS.iter().any(|krate| member(krate)) {
            hand_on(&path, &to.join(name))?;
        }
    }
    Ok(())
}

fn hand_on(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        return from.read_dir()?.try_for_each(|entry| {
            let entry = entry?;
            hand_on(&entry.path(), &to.join(entry.file_name()))
        });
    }
    let library = from
        .extension()
        .is_some_and(|extension| ["rlib", "rmeta", "so", "a"].iter().any(|it| extension == *it));
    match fs::metadata(from)?.len() {
        len if len > LINKED && library => fs::hard_link(from, to).or_else(|_| copy(from, to)),
        // The programs of tests: they are this workspace's, whatever their names are.
        len if len > LINKED
            && from.extension().is_none()
            && from.parent().is_some_and(|it| it.ends_with("deps")) =>
        {
            Ok(())
        }
        _ => copy(from, to),
    }
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}:\n{out}\n{errors}");
    assert!(!errors.contains("warning: unused") && !errors.contains("warning: `"), "{errors}");
    out.into_owned()
}

#[test]
fn what_is_new_compiles_passes_its_tests_and_changes_few_files() {
    let scratch = Scratch::new();
    let protocol = scratch.make("protocol", "sample_protocol");
    let expected = ["config/flowd.toml", "flow-common/src/app.rs", "flowd/protocols/src/lib.rs"];
    assert_eq!(protocol, expected.map(str::to_owned).into());
    let enricher = scratch.make("enricher", "sample_enricher");
    assert_eq!(enricher, ["flowd/src/enrich.rs", "flowd/src/enrich/registry.rs"].map(str::to_owned).into());

    let sink = scratch.make("sink", "relay");
    assert_eq!(sink, ["flowd/src/sinks.rs", "flowd/src/sinks/registry.rs"].map(str::to_owned).into());

    output(scratch.command("cargo").args(["fmt", "--all", "--check"]));
    let mut test = scratch.command("cargo");
    test.args([
        "test",
        "--offline",
        "--locked",
        "--lib",
        "-p",
        "flow-common",
        "-p",
        "flowd-protocols",
        "-p",
        "flowd",
    ]);
    let told = output(test.args([
        "--",
        "app::",
        "sample_protocol",
        "sample_enricher",
        "relay",
        "config::",
        "pipeline::",
    ]));
    for (part, tests) in [
        ("sample_protocol::tests::", 4),
        ("sample_enricher::tests::", 1),
        ("relay::tests::", 2),
        ("config::tests::", 3),
    ] {
        let passed = told.lines().filter(|line| line.contains(part) && line.ends_with("... ok")).count();
        assert!(passed >= tests, "{passed} tests of {part}\n{told}");
    }
}
