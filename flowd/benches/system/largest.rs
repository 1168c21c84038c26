//! The largest table that can be configured: loaded, filled, read and emptied.

use std::{process, time::Instant};

use anyhow::{Result, ensure};
use flow_common::settings::{Interface, LINK_ETHERNET};
use flowd::{
    clock::monotonic,
    kernel::{Kernel, LoadOptions},
};

use super::{
    Bench,
    drain::{LATER, SLOT, Times, ledger, send},
    machine,
    row::Row,
};

const TABLE: u32 = 4_194_304;
/// Not all of it, as free slots come in runs of which each CPU holds one.
const FLOWS: u32 = 4_000_000;
/// Maps and ledger by README's formula, with room to spare.
const NEEDED: f64 = 8e9;

pub(crate) fn run(bench: &Bench) -> Result<Vec<Row>> {
    if bench.quick {
        return Ok(Vec::new());
    }
    let available = machine::available()?;
    if available < NEEDED {
        eprintln!("largest table: left out, as {:.1} GB of memory are not enough", available / 1e9);
        return Ok(Vec::new());
    }
    let started = Instant::now();
    let mut kernel = Kernel::load(&LoadOptions { flows: TABLE, interfaces: 2, ..LoadOptions::default() })?;
    let loaded = started.elapsed().as_secs_f64();
    kernel.replay_from(Interface {
        slot: SLOT,
        link: LINK_ETHERNET,
        one_point: 1,
        ..Interface::default()
    })?;
    let mut ledger = ledger(TABLE)?;
    let resident = || machine::resident(process::id(), "VmRSS");
    let before = resident()?;
    let [mut filling, mut first, mut changed, mut unchanged, mut ending] = <[Times; 5]>::default();
    filling.take(|| send(&mut kernel, FLOWS))?;
    let mut read = |kernel: &mut Kernel, times: &mut Times, now: u64| {
        times.take(|| {
            Ok(kernel.drain(now, &mut |slot, record, end| {
                ledger.absorb(slot, record, end, now, &mut |_| {});
            })?)
        })
    };
    let report = read(&mut kernel, &mut first, monotonic()?)?;
    ensure!(report.changed == FLOWS, "{} of {FLOWS} flows were read", report.changed);
    let after = resident()?;
    send(&mut kernel, FLOWS)?;
    let report = read(&mut kernel, &mut changed, monotonic()?)?;
    ensure!(report.changed == FLOWS, "{} of {FLOWS} flows were read", report.changed);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    read(&mut kernel, &mut Times::default(), monotonic()?)?;
    let report = read(&mut kernel, &mut unchanged, monotonic()?)?;
    ensure!(report.changed == 0 && report.live == FLOWS, "a quiet drain read {} flows", report.changed);
    let report = read(&mut kernel, &mut ending, monotonic()? + LATER)?;
    ensure!(report.freed == FLOWS && report.live == 0, "{} of {FLOWS} flows ended", report.freed);

    let mut rows = vec![Row::less("table of 4 M: load", "s", vec![loaded])];
    for (what, times) in [
        ("fill", filling),
        ("first reading, with the ledger", first),
        ("every flow changed, with the ledger", changed),
        ("no flow changed", unchanged),
        ("every flow ends, with the ledger", ending),
    ] {
        let each = super::row::median(&times.cpu) * 1e6 / f64::from(FLOWS);
        let note = format!("{each:.0} ns of CPU per flow; {FLOWS} flows");
        rows.push(Row::less(format!("table of 4 M, {what}: CPU"), "ms", times.cpu).note(note));
    }
    let each = (after - before) / f64::from(FLOWS);
    rows.push(Row::less("table of 4 M: daemon's memory per live flow", "bytes", vec![each]));
    Ok(rows)
}
