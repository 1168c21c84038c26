//! One guest: a file system made on the fly, a boot under QEMU without hardware support, and what it reported.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{archive::Archive, fetch::Kernel, modules};
use crate::process::{find, output};

const MODULES: [&str; 4] = ["veth", "sch_ingress", "cls_bpf", "act_bpf"];
/// Programs that tests start.
const TOOLS: [&str; 2] = ["ip", "tc"];
const APPLETS: [&str; 8] = ["sh", "mount", "mkdir", "insmod", "poweroff", "cat", "kill", "uname"];
/// Longest time from power on to power off; a machine that is busy takes many times the usual.
const LIMIT: Duration = Duration::from_secs(600);
const STATUS: &str = "guest-status ";

/// The first process. The report goes to the second serial port, apart from the kernel's own messages.
const INIT: &str = "#!/bin/sh
export PATH=/bin HOME=/ FLOWD_GUEST=1 FLOWD_REQUIRE_ROOT_TESTS=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
exec > /dev/ttyS1 2>&1
uname -r
for module in $(cat /modules/order); do insmod /modules/$module; done
status=0
for test in $(cat /tests); do $test --test-threads=1 --nocapture || status=1; done
echo guest-status $status
poweroff -f
";

/// What a guest's run came to.
pub(crate) struct Report {
    pub(crate) passed: bool,
    pub(crate) text: String,
    pub(crate) took: Duration,
}

/// Boots the kernel, runs the test programs, which are put where they are on this machine, as is all that they need.
pub(crate) fn run(kernel: &Kernel, tests: &[&Path], needs: &[&Path]) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    fs::write(path("initrd"), image(kernel, tests, needs)?)?;
    let start = Instant::now();
    let mut guest = Command::new("qemu-system-x86_64")
        // KVM may be there and yet not run a kernel as it comes from a distribution.
        .args(["-machine", "q35,accel=tcg", "-cpu", "max", "-smp", "2", "-m", "1024"])
        .args(["-display", "none", "-nodefaults", "-no-reboot", "-net", "none", "-append"])
        .arg("console=ttyS0 quiet panic=-1 random.trust_cpu=on")
        .arg("-kernel")
        .arg(&kernel.image)
        .arg("-initrd")
        .arg(path("initrd"))
        .arg("-serial")
        .arg(format!("file:{}", path("console").display()))
        .arg("-serial")
        .arg(format!("file:{}", path("report").display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(path("qemu"))?)
        .spawn()
        .context("cannot start qemu-system-x86_64: run `cargo xtask setup`")?;
    while guest.try_wait()?.is_none() {
        if start.elapsed() > LIMIT {
            guest.kill()?;
            guest.wait()?;
        }
        sleep(Duration::from_millis(50));
    }
    let read = |name: &str| {
        let bytes = fs::read(path(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\r', "")
    };
    let report = read("report");
    let status = report.lines().find_map(|line| line.strip_prefix(STATUS));
    let passed = status == Some("0");
    let text = if passed { report } else { format!("{}{}{report}", read("qemu"), read("console")) };
    Ok(Report { passed, text, took: start.elapsed() })
}

fn image(kernel: &Kernel, tests: &[&Path], needs: &[&Path]) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    archive.device("dev/console", 5, 1);
    archive.device("dev/null", 1, 3);
    for folder in ["proc", "sys", "run", "tmp"] {
        archive.folder(folder);
    }
    archive.link("var/run", "/run");
    archive.file("init", INIT, 0o755);
    let tool = |name: &str| find(name).with_context(|| format!("{name} is missing: run `cargo xtask setup`"));
    archive.copy(&tool("busybox")?, "bin/busybox")?;
    for applet in APPLETS {
        archive.link(&format!("bin/{applet}"), "busybox");
    }
    for name in TOOLS {
        let program = tool(name)?;
        archive.copy(&program, &format!("bin/{name}"))?;
        libraries(&mut archive, &program)?;
    }
    for program in tests.iter().chain(needs) {
        archive.copy(program, &program.display().to_string())?;
        libraries(&mut archive, program)?;
    }
    let mut order = String::new();
    for (name, module) in modules::collect(&kernel.modules, &MODULES)? {
        order += &format!("{name}.ko\n");
        archive.file(&format!("modules/{name}.ko"), module, 0o644);
    }
    archive.file("modules/order", order, 0o644);
    let list: Vec<String> = tests.iter().map(|test| test.display().to_string()).collect();
    if let Some(bad) = list.iter().find(|path| path.contains(char::is_whitespace)) {
        bail!("{bad}: the guest's shell takes no path with blanks; set CARGO_TARGET_DIR to one without");
    }
    archive.file("tests", list.join("\n"), 0o644);
    Ok(archive.bytes())
}

/// The shared libraries that a program needs, where they are on this machine: each absolute path that ldd names.
fn libraries(archive: &mut Archive, program: &Path) -> Result<()> {
    let Ok(listed) = output(Command::new("ldd").arg(program)) else { return Ok(()) }; // static
    for path in listed.split_whitespace().filter(|word| word.starts_with('/')) {
        archive.copy(Path::new(path), path)?;
    }
    Ok(())
}
