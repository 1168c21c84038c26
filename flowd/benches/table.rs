//! What reading the flow table costs, as root: `cargo bench -p flowd --bench table -- [FLOWS]...`
//!
//! CPU time of the thread and the process's resident size, by phase; the kernel's part (reading, ending, giving
//! back) with a visitor that does nothing, and the ledger's with the same records.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

#[path = "programs/shapes.rs"]
#[allow(dead_code, reason = "the bench of the programs uses the rest")]
mod shapes;

use std::{env, fs, time::Instant};

use anyhow::Result;
use flow_common::settings::{Interface, LINK_ETHERNET};
use flowd::{
    aggregate::{Ledger, LedgerOptions, Watched},
    clock::{self, WallClock},
    kernel::{Kernel, LoadOptions, Measured},
};

fn main() -> Result<()> {
    let counts: Vec<u32> = env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![1_000, 100_000, 1_000_000] } else { counts };
    for flows in counts {
        table(flows)?;
    }
    Ok(())
}

fn table(flows: u32) -> Result<()> {
    let loading = Instant::now();
    let slots = flows.next_multiple_of(1 << 18);
    let mut kernel = Kernel::load(&LoadOptions { flows: slots, interfaces: 2, ..LoadOptions::default() })?;
    println!(
        "{flows} flows in {slots} slots: loaded in {:?}, resident {} MiB",
        loading.elapsed(),
        resident()
    );
    kernel.replay_from(Interface { slot: 1, link: LINK_ETHERNET, one_point: 1 })?;
    let shape = shapes::million();
    let mut send = shape.stream.clone();
    kernel.measure(Measured::Ingress, &mut send, flows)?;
    let watched = Watched {
        slot: 1,
        name: "lo".into(),
        one_point: true,
        physical: true,
        speed: None,
        mac: String::new(),
        mtu: 1500,
        ifindex: 1,
    };
    let options = LedgerOptions { series_limit: 1_000, conversations: slots as usize, active_timeout: None };
    let mut ledger = Ledger::new(options, vec![(watched, None)], WallClock::measure()?);

    let phase = |name: &str, kernel: &mut Kernel, ahead: u64, with: Option<&mut Ledger>| -> Result<()> {
        let now = clock::monotonic()? + ahead;
        let start = cpu();
        let report = match with {
            Some(ledger) => kernel.drain(now, &mut |slot, record, end| {
                ledger.absorb(slot, record, end, now, &mut |_| {});
            })?,
            None => kernel.drain(now, &mut |_, _, _| {})?,
        };
        let took = cpu() - start;
        println!(
            "  {name:<32} {:>8.2} ms, {:>6.0} ns a flow, resident {:>4} MiB, {report:?}",
            took as f64 / 1e6,
            took as f64 / f64::from(flows),
            resident()
        );
        Ok(())
    };
    const LATER: u64 = 1_000_000_000;
    phase("new, reading alone", &mut kernel, LATER, None)?;
    phase("unchanged, reading alone", &mut kernel, LATER, None)?;
    let mut again = shape.stream.clone();
    kernel.measure(Measured::Ingress, &mut again, flows)?;
    phase("new to the ledger", &mut kernel, LATER, Some(&mut ledger))?;
    let mut again = shape.stream.clone();
    kernel.measure(Measured::Ingress, &mut again, flows)?;
    phase("changed, with the ledger", &mut kernel, LATER, Some(&mut ledger))?;
    phase("unchanged, with the ledger", &mut kernel, LATER, Some(&mut ledger))?;
    phase("all end, with the ledger", &mut kernel, 400 * LATER, Some(&mut ledger))?;
    let mut again = shape.stream.clone();
    kernel.measure(Measured::Ingress, &mut again, flows)?;
    phase("all end, reading alone", &mut kernel, 400 * LATER, None)?;
    phase("empty", &mut kernel, 400 * LATER, None)
}

/// CPU time of this thread, ns.
fn cpu() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` lives through the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Resident size of this process, MiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() >> 10
}
