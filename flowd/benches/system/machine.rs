//! What the kernel says of CPUs, processes and programs.

use std::{collections::HashMap, fs, path::Path, thread::sleep, time::Duration};

use anyhow::{Context as _, Result, bail};

/// Ticks per second in /proc/stat: fixed at 100 for user space (USER_HZ).
const TICKS: f64 = 100.0;
const STATISTICS: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// Seconds that all CPUs together were busy since the start: user, nice, system, interrupts and soft interrupts, with
/// which packets are handled (proc_stat(5)).
pub(crate) fn cpu_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().context("/proc/stat is empty")?;
    let fields: Vec<f64> = line.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    // Not idle, nor iowait; guests are within user.
    let busy = [0, 1, 2, 5, 6].iter().filter_map(|&index| fields.get(index)).sum::<f64>();
    Ok(busy / TICKS)
}

/// Share of all CPUs that others use now: figures of live traffic mean little unless it is near 0.
pub(crate) fn busy_share() -> Result<f64> {
    let cpus = std::thread::available_parallelism()?.get() as f64;
    let (before, time) = (cpu_seconds()?, Duration::from_millis(500));
    sleep(time);
    Ok((cpu_seconds()? - before) / time.as_secs_f64() / cpus)
}

/// CPU seconds of every thread of a process, to the nanosecond.
pub(crate) fn process_seconds(pid: u32) -> Result<f64> {
    let mut sum = 0.0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread that ended meanwhile.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        sum += text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0);
    }
    Ok(sum / 1e9)
}

/// CPU seconds of a thread of a process by its name, to the nanosecond.
pub(crate) fn thread_seconds(pid: u32, thread: &str) -> Result<f64> {
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let task = task?.path();
        if fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == thread) {
            let text = fs::read_to_string(task.join("schedstat"))?;
            let ns = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
            return Ok(ns.context("schedstat is empty")? / 1e9);
        }
    }
    bail!("process {pid} has no thread {thread}")
}

/// Bytes of memory that can be had without swapping.
pub(crate) fn available() -> Result<f64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let size = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let size = size.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    Ok(size.context("/proc/meminfo has no MemAvailable")? * 1024.0)
}

/// User and system seconds of a process, threads that ended included, to 10 ms.
pub(crate) fn ended_too_seconds(pid: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = text.rsplit_once(") ").context("/proc/PID/stat without a name")?;
    // utime and stime, fields 14 and 15 of all (proc_pid_stat(5)); the third comes after the name.
    let ticks = fields.split(' ').skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum::<f64>();
    Ok(ticks / TICKS)
}

/// CPU seconds of the threads that handle packets which their senders did not get to.
pub(crate) fn ksoftirqd_seconds() -> Result<f64> {
    let mut sum = 0.0;
    for entry in fs::read_dir("/proc")?.flatten() {
        let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        if name.starts_with("ksoftirqd/") {
            let text = fs::read_to_string(entry.path().join("schedstat")).unwrap_or_default();
            sum += text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0);
        }
    }
    Ok(sum / 1e9)
}

/// Makes the largest resident size of this process that of now: a child starts with its parent's
/// (`setmax_mm_hiwater_rss` in exec).
pub(crate) fn forget_peak() -> Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("/proc/self/clear_refs")
}

/// A size of /proc/PID/status in bytes, such as `VmRSS`.
pub(crate) fn resident(pid: u32, field: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let size = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let size = size.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    Ok(size.with_context(|| format!("/proc/{pid}/status has no {field}"))? * 1024.0)
}

/// Runs and run time of programs, as counted while [`Statistics`] are on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Runs {
    pub(crate) count: f64,
    pub(crate) ns: f64,
}

impl Runs {
    /// Of all programs that a process has open, each once.
    pub(crate) fn of(process: &str) -> Result<Self> {
        let mut programs = HashMap::new();
        for entry in fs::read_dir(Path::new("/proc").join(process).join("fdinfo"))? {
            // The folder's own descriptor is gone by now.
            let Ok(text) = fs::read_to_string(entry?.path()) else { continue };
            let field = |name: &str| {
                let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
                value.and_then(|value| value.trim().parse::<f64>().ok())
            };
            if let (Some(ns), Some(count), Some(id)) =
                (field("run_time_ns"), field("run_cnt"), field("prog_id"))
            {
                programs.insert(id as u64, Self { count, ns });
            }
        }
        Ok(programs
            .values()
            .fold(Self::default(), |sum, runs| Self { count: sum.count + runs.count, ns: sum.ns + runs.ns }))
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self { count: self.count - before.count, ns: self.ns - before.ns }
    }

    pub(crate) fn each(self) -> f64 {
        self.ns / self.count
    }
}

/// The kernel's statistics of programs, on until this is dropped.
pub(crate) struct Statistics(String);

impl Statistics {
    pub(crate) fn on() -> Result<Self> {
        let before = fs::read_to_string(STATISTICS).context(STATISTICS)?;
        fs::write(STATISTICS, "1").context(STATISTICS)?;
        Ok(Self(before))
    }
}

impl Drop for Statistics {
    fn drop(&mut self) {
        // Nothing is left to do where it fails.
        let _ = fs::write(STATISTICS, &self.0);
    }
}
