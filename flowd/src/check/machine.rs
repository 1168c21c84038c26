//! The kernel and what this process may use of it.

use std::{fs, path::Path, thread};

use super::requirement::Check;
use crate::{config::Config, kernel, privileges};

pub(super) fn kernel() -> Vec<Check> {
    let release = match fs::read_to_string("/proc/sys/kernel/osrelease") {
        Ok(release) => format!("Linux {}", release.trim()),
        Err(error) => format!("/proc/sys/kernel/osrelease: {error}"),
    };
    let bpf = if kernel::has_bpf() {
        Check::ok("bpf", release)
    } else {
        Check::missing("bpf", release, "use Linux 5.10 or later with CONFIG_BPF_SYSCALL=y")
    };
    let types = "/sys/kernel/btf/vmlinux";
    let btf = if kernel::has_btf() {
        Check::ok("btf", types)
    } else {
        Check::missing("btf", format!("no {types}"), "use a kernel built with CONFIG_DEBUG_INFO_BTF=y")
    };
    let mut checks = vec![bpf, btf];
    // Absent where the kernel has no lockdown, or securityfs is not mounted.
    if let Ok(mode) = fs::read_to_string("/sys/kernel/security/lockdown") {
        checks.push(if mode.contains("[confidentiality]") {
            let remedy = "boot with lockdown=integrity: in this mode no BPF program may read kernel memory";
            Check::missing("lockdown", mode.trim(), remedy)
        } else {
            Check::ok("lockdown", mode.trim())
        });
    }
    checks
}

/// What the maps take, against the limits of this process and its cgroups.
pub(super) fn memory(config: &Config) -> Vec<Check> {
    let cpus = thread::available_parallelism().map_or(1, Into::into);
    let needed = kernel::map_bytes(config.flows, config.event_buffer.0, cpus);
    let tables = format!("the tables take {} MiB", needed >> 20);
    let fewer = "lower `flows` in the configuration";
    let cgroup = match cgroup_limit() {
        Some((path, limit)) if limit < needed => {
            let remedy = format!("raise the limit (MemoryMax= of the unit), or {fewer}");
            Check::missing("cgroup memory", format!("{tables}, {path} allows {} MiB", limit >> 20), remedy)
        }
        Some((path, limit)) if limit < needed * 3 / 2 => {
            let remedy = format!(
                "raise the limit (MemoryMax= of the unit), or {fewer}: flows take memory beside the tables"
            );
            Check::warning("cgroup memory", format!("{tables}, {path} allows {} MiB", limit >> 20), remedy)
        }
        Some((path, limit)) => {
            Check::ok("cgroup memory", format!("{tables}, {path} allows {} MiB", limit >> 20))
        }
        None => Check::ok("cgroup memory", format!("{tables}, no cgroup limits it")),
    };
    let locked = match locked_limit() {
        None => Check::ok("locked memory", "no limit"),
        // Since 5.11 maps count for the cgroup instead, and cgroup v2 shows that here.
        Some(limit) if limit < needed && !kernel::maps_are_charged_to_cgroups() => {
            let remedy = "set LimitMEMLOCK=infinity in the unit, or `ulimit -l unlimited`: before Linux 5.11 maps count";
            Check::missing("locked memory", format!("{tables}, {} KiB are allowed", limit >> 10), remedy)
        }
        Some(limit) => Check::ok("locked memory", format!("{} KiB; maps do not count", limit >> 10)),
    };
    vec![cgroup, locked]
}

/// The narrowest limit of this process's cgroup and those above it.
fn cgroup_limit() -> Option<(String, u64)> {
    narrowest(&fs::read_to_string("/proc/self/cgroup").ok()?, Path::new("/sys/fs/cgroup"))
}

/// The same by the content of /proc/self/cgroup and where cgroups are mounted: `0::PATH` names the group of version 2,
/// `N:CONTROLLERS:PATH` one of version 1 (cgroups(7)). In a container the path may be the host's, and then only what is
/// mounted tells of a limit.
fn narrowest(groups: &str, mounted: &Path) -> Option<(String, u64)> {
    /// What version 1 says where there is no limit: the largest number of whole pages, or about that.
    const NONE: u64 = 1 << 62;
    let all = groups.lines().flat_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let roots = if controllers.is_empty() {
            vec![(mounted.to_owned(), "memory.max")]
        } else if controllers.split(',').any(|controller| controller == "memory") {
            vec![(mounted.join("memory"), "memory.limit_in_bytes")]
        } else {
            Vec::new()
        };
        roots.into_iter().flat_map(|(root, file)| {
            let group = root.join(path.trim_start_matches('/'));
            let above: Vec<_> = group.ancestors().take_while(|group| group.starts_with(&root)).collect();
            above.into_iter().map(|group| group.join(file)).collect::<Vec<_>>()
        })
    });
    let limits = all.filter_map(|path| {
        let limit = fs::read_to_string(&path).ok()?.trim().parse().ok()?;
        Some((path.display().to_string(), limit))
    });
    limits.filter(|(_, limit)| *limit < NONE).min_by_key(|(_, limit)| *limit)
}

/// RLIMIT_MEMLOCK in bytes, where there is one.
fn locked_limit() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max locked memory"))?;
    line.split_whitespace().next()?.parse().ok()
}

pub(super) fn sandbox(config: &Config) -> Check {
    if !config.security.sandbox {
        let remedy = "set security.sandbox = true, unless it is in the way";
        return Check::warning("sandbox", "switched off", remedy);
    }
    let lacking = privileges::lacking();
    if lacking.is_empty() {
        return Check::ok("sandbox", "this kernel enforces files (Landlock) and system calls (seccomp)");
    }
    let remedy = "use a kernel with CONFIG_SECCOMP_FILTER=y and CONFIG_SECURITY_LANDLOCK=y, with landlock in its lsm= list";
    Check::warning("sandbox", format!("this kernel has no {}", lacking.join(" and no ")), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_both_versions_of_cgroups_are_known() {
        let mounted = tempfile::tempdir().unwrap();
        let file = |path: &str, text: &str| {
            let path = mounted.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let limit = |groups: &str| narrowest(groups, mounted.path());
        assert_eq!(limit("0::/a/b\n"), None);
        file("a/memory.max", "2000\n");
        file("a/b/memory.max", "max\n");
        let (path, bytes) = limit("0::/a/b\n").unwrap();
        assert!(path.ends_with("/a/memory.max") && bytes == 2_000, "{path}");

        // Version 1, with a controller that shares its hierarchy, and without a limit.
        file("memory/docker/memory.limit_in_bytes", "9223372036854771712\n");
        let first = "12:pids:/x\n9:hugetlb,memory:/docker/1\n1:name=systemd:/y\n";
        assert_eq!(limit(first), None);
        file("memory/docker/1/memory.limit_in_bytes", "1000\n");
        let (path, bytes) = limit(first).unwrap();
        assert!(path.ends_with("/memory/docker/1/memory.limit_in_bytes") && bytes == 1_000, "{path}");
        assert_eq!(limit(&format!("{first}0::/a/b\n")).unwrap().1, 1_000, "both at once");
        // A path of the host's, where only the container's own group is mounted.
        file("memory/memory.limit_in_bytes", "500\n");
        assert_eq!(limit("9:memory:/kubepods/pod1/1\n").unwrap().1, 500);
        for broken in ["", "9", "9:memory", "::", "x:y:z"] {
            let _ = limit(broken);
        }
    }
}
