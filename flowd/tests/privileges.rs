//! Which capabilities flowd needs, and what it says where one is missing. Needs root, to give them away.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

#[path = "support/skip.rs"]
mod skip;

use std::{
    fs,
    os::unix::fs::MetadataExt,
    process::{Command, Output},
};

use flowd::{config::Config, kernel::LoadOptions, memory::Memory};
use skip::{ROOT, skip};

/// False, and loudly so, without root; a failure where tests must not skip.
fn root() -> bool {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        skip(ROOT, "a test that gives capabilities away needs root: use `cargo xtask test`");
    }
    is_root
}

/// Runs flowd with these capabilities and no others, in the form of setpriv(1).
fn with(capabilities: &str, arguments: &[&str]) -> Output {
    let bounds = format!("--bounding-set=-all{capabilities}");
    let mut command = Command::new("setpriv");
    command.args([&*bounds, "--inh-caps=-all", "--no-new-privs", env!("CARGO_BIN_EXE_flowd")]);
    command.args(arguments).output().unwrap()
}

#[test]
fn three_capabilities_are_enough() {
    if !root() {
        return;
    }
    let output = with(",+bpf,+net_admin,+perfmon", &["check"]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_missing_capability_is_named() {
    if !root() {
        return;
    }
    for capabilities in ["", ",+bpf", ",+bpf,+net_admin", ",+bpf,+perfmon", ",+net_admin,+perfmon"] {
        let output = with(capabilities, &["run", "-i", "lo", "--listen", "127.0.0.1:0"]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{capabilities}: {error}");
        assert_eq!(error.lines().count(), 1, "{capabilities}: {error}");
        let remedy = "run as root, or give flowd CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON";
        assert!(error.contains(remedy) && !error.contains("panicked"), "{capabilities}: {error}");
        assert!(!error.contains("Verifier output"), "{capabilities}: {error}");
    }
}

#[test]
fn check_names_what_is_missing_and_how_to_get_it() {
    if !root() {
        return;
    }
    let output = with(",+bpf", &["check", "-i", "lo", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["ok"], false);
    let check =
        said["checks"].as_array().unwrap().iter().find(|check| check["name"] == "capabilities").unwrap();
    assert_eq!(check["status"], "missing");
    assert!(check["detail"].as_str().unwrap().starts_with("CAP_NET_ADMIN, CAP_PERFMON not there"), "{check}");
    assert!(check["remedy"].as_str().unwrap().contains("flowd.service"), "{check}");
}

/// What is installed is open to nobody unless somebody says to whom, and takes no more than it needs.
#[test]
fn unit_and_chart_are_closed_and_bounded() {
    let number = |text: &str, key: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap();
        line.trim().trim_end_matches("Mi").trim_end_matches('M').parse::<u64>().unwrap()
    };
    let unit = include_str!("../../config/flowd.service");
    assert!(number(unit, "TasksMax=") <= 64 && number(unit, "LimitNOFILE=") >= 64);
    let values = include_str!("../../config/packaging/helm/flowd/values.yaml");
    for line in ["listenAddress: \"\"", "  secret: \"\"", "  open: false"] {
        assert!(values.lines().any(|value| value == line), "{line}");
    }
    let helpers = include_str!("../../config/packaging/helm/flowd/templates/_helpers.tpl");
    assert!(
        helpers.contains("fail \"listenAddress lets anyone") && helpers.contains("\"0.0.0.0\" \"127.0.0.1\"")
    );
    // The default table on a large machine, with every protocol and every log, each at its bound.
    let tables: usize = LoadOptions::default().memory(64).iter().map(|(_, bytes)| bytes).sum();
    let logs =
        "http_log = \"/x/http\"\nflow_log = \"/x/flow\"\n[dns]\nlog = \"/x/dns\"\n[tls]\nlog = \"/x/tls\"\n";
    let most = (tables as u64 + Memory::most(&Config::parse("test", logs).unwrap()).daemon) >> 20;
    println!("{most} MiB at most");
    let limit = values.split_once("limits:").unwrap().1;
    let image = include_str!("../../config/packaging/Dockerfile");
    let run = image.lines().find(|line| line.contains("--memory")).unwrap();
    let given = run.split_whitespace().skip_while(|word| *word != "--memory").nth(1).unwrap();
    let limits =
        [number(limit, "memory:"), number(unit, "MemoryMax="), given.trim_end_matches('m').parse().unwrap()];
    assert!(limits.iter().all(|limit| *limit > most), "{most} MiB at most, limits {limits:?}");
    assert!(run.contains("--pids-limit") && run.contains("--ulimit nofile="), "{run}");
    // What the kubelet gives, where the chart has no word for it: threads as in the unit, files by the runtime.
    let daemonset = include_str!("../../config/packaging/helm/flowd/templates/daemonset.yaml");
    for line in [
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "automountServiceAccountToken: false",
    ] {
        assert!(daemonset.contains(line), "{line}");
    }
}

/// What is installed gives flowd these three, and no others.
#[test]
fn unit_and_chart_give_the_three_capabilities() {
    const THREE: [&str; 3] = ["BPF", "NET_ADMIN", "PERFMON"];
    let after = |text: &'static str, key: &str| {
        let words = text.lines().filter_map(|line| line.trim().strip_prefix(key));
        let names = words.flat_map(|words| words.split([' ', ',', '"', '[', ']']));
        let names = names.filter(|name| !name.is_empty());
        let mut names: Vec<&str> = names.map(|name| name.strip_prefix("CAP_").unwrap_or(name)).collect();
        names.sort_unstable();
        names
    };
    let unit = include_str!("../../config/flowd.service");
    assert_eq!(after(unit, "CapabilityBoundingSet="), THREE);
    assert_eq!(after(unit, "AmbientCapabilities="), THREE);
    let chart = include_str!("../../config/packaging/helm/flowd/templates/daemonset.yaml");
    assert_eq!(after(chart, "add:"), THREE);
    assert_eq!(after(chart, "drop:"), ["ALL"]);
}
