//! Size of the binary, and the time from its start until it serves.

use std::{fs, time::Instant};

use anyhow::Result;
use flowd::kernel::{Kernel, LoadOptions};

use super::{Bench, daemon::Daemon, live::Pair, row::Row};

pub(crate) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let size = fs::metadata(&bench.flowd)?.len() as f64 / f64::from(1 << 20);
    let pair = Pair::new();
    let (mut ready, mut load) = (Vec::new(), Vec::new());
    for _ in 0..bench.or(3, 5) {
        ready.push(Daemon::start(bench, &pair.server, "")?.ready_after.as_secs_f64());
        let started = Instant::now();
        drop(Kernel::load(&LoadOptions::default())?);
        load.push(started.elapsed().as_secs_f64());
    }
    Ok(vec![
        Row::less("binary", "MiB", vec![size]).note("with the BPF programs inside"),
        Row::less("from start to ready", "s", ready).note("/readyz answers 200; `ip netns exec` included"),
        Row::less("loading programs and maps", "s", load).note("default table; unloading included"),
    ])
}
