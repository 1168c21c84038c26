//! What flowd cannot do, it says in one line with the remedy, and does nothing.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, process::Command};

use crate::support::{
    daemon::flowd,
    namespace::Namespace,
    privileged,
    process::{attempt, run},
    user,
};

/// Runs it to its end, with exactly one line on standard error, which holds all of `parts`.
fn refuses(command: &mut Command, status: i32, parts: &[&str]) {
    let output = attempt(command);
    let error = String::from_utf8(output.stderr).unwrap();
    println!("{}", error.trim_end());
    assert_eq!(output.status.code(), Some(status), "{command:?}: {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("flowd: ") && !error.contains("panicked"), "{error}");
    for part in parts {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
}

#[test]
fn what_cannot_be_is_one_line_with_its_remedy() {
    if !privileged("what_cannot_be_is_one_line_with_its_remedy") {
        return;
    }
    let host = Namespace::new("host");
    let folder = user::folder();
    let file = folder.path().join("flowd.toml");
    let config = file.to_str().unwrap();
    let lo = ["run", "-i", "lo", "--listen", "127.0.0.1:9435"];
    refuses(flowd(&host).args(["run", "-i", "wan*"]), 1, &["wan*", "there are: lo"]);
    refuses(flowd(&host).arg("run"), 1, &["default route", "-i"]);
    {
        let _busy = host.enter(|| TcpListener::bind("127.0.0.1:9435").unwrap());
        refuses(flowd(&host).args(lo), 1, &["127.0.0.1:9435", "--listen"]);
    }
    refuses(
        flowd(&host).args(["run", "-i", "lo", "--listen", "192.0.2.1:9435"]),
        1,
        &["192.0.2.1:9435", "--listen"],
    );
    refuses(
        flowd(&host).args(lo).args(["--http-log", "/proc/none/x"]),
        1,
        &["/proc/none/x", "make the folder"],
    );
    let path = folder.path().to_str().unwrap();
    refuses(flowd(&host).args(lo).args(["--flow-log", path]), 1, &[path, "directory"]);
    for (text, parts) in [
        ("intervall = \"1s\"\n", ["line 1", "unknown key \"intervall\"", "\"interval\""]),
        ("# x\nhook = \"xpd\"\n", ["line 2", "xpd", "clsact"]),
    ] {
        fs::write(&file, text).unwrap();
        refuses(flowd(&host).args(lo).args(["-c", config]), 2, &parts);
    }
    assert_eq!(host.tc("qdisc show dev lo").matches("clsact").count(), 0);
}

#[test]
fn a_missing_privilege_is_named() {
    if !privileged("a_missing_privilege_is_named") {
        return;
    }
    let host = Namespace::new("host");
    // Where everybody may run it, which a build folder may not be.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("flowd");
    run(Command::new("cp").arg(env!("CARGO_BIN_EXE_flowd")).arg(&copy));
    let as_nobody_with = |program: &[&str], capabilities: &[&str]| {
        let mut command = host.command("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).args(capabilities);
        command.args(program).arg(&copy).args(["run", "-i", "lo", "--listen", "127.0.0.1:9435"]);
        command
    };
    let as_nobody = |capabilities: &[&str]| as_nobody_with(&[], capabilities);
    refuses(&mut as_nobody(&[]), 1, &["CAP_BPF", "CAP_NET_ADMIN", "root"]);
    let one = ["--inh-caps", "+bpf", "--ambient-caps", "+bpf"];
    refuses(&mut as_nobody(&one), 1, &["CAP_NET_ADMIN"]);
    let other = ["--inh-caps", "+net_admin", "--ambient-caps", "+net_admin"];
    refuses(&mut as_nobody(&other), 1, &["CAP_BPF"]);
    let both = ["--inh-caps", "+bpf,+net_admin", "--ambient-caps", "+bpf,+net_admin"];
    refuses(&mut as_nobody(&both), 1, &["CAP_PERFMON"]);
    // What the line asks for is enough.
    let three = ["--inh-caps", "+bpf,+perfmon,+net_admin", "--ambient-caps", "+bpf,+perfmon,+net_admin"];
    let ran = attempt(&mut as_nobody_with(&["timeout", "--preserve-status", "-s", "TERM", "3"], &three));
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.success() && said.contains("watching lo"), "{}: {said}", ran.status);
}

/// A namespace of mounts in which the kernel's types are hidden.
#[test]
fn missing_btf_is_named_or_not_needed() {
    if !privileged("missing_btf_is_named_or_not_needed") {
        return;
    }
    let host = Namespace::new("host");
    let mut command = host.command("sh");
    let binary = env!("CARGO_BIN_EXE_flowd");
    let hide = "mount -t tmpfs none /sys/kernel";
    command.args([
        "-c",
        &format!("{hide} && exec timeout -s TERM 2 {binary} run -i lo --listen 127.0.0.1:9435"),
    ]);
    let output = attempt(&mut command);
    let error = String::from_utf8(output.stderr).unwrap();
    println!("without /sys/kernel/btf: {} {error}", output.status);
    assert!(!error.contains("panicked"), "{error}");
    if error.contains("metrics at") {
        return;
    }
    assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
    assert!(error.contains("CONFIG_DEBUG_INFO_BTF"), "{error}");
}
