//! One reading of the flow table: by the kernel part alone, and with the ledger.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use flow_common::{
    names,
    settings::{Interface, LINK_ETHERNET},
};
use flowd::{
    aggregate::{Ledger, LedgerOptions, Policy, Watched},
    clock::{WallClock, monotonic},
    config::Config,
    kernel::{Kernel, LoadOptions, Measured, Stream, Vary},
};

use super::{Bench, row::Row, sys::thread_time};

pub(super) const SLOT: u16 = 1;
/// Source addresses of [`Vary::Flow`].
const FLOWS_OF_A_PORT: u32 = 1 << 20;
/// Flows that go on while all others rest.
const FEW: u32 = 1_000;
/// Longer than any timeout, ns.
pub(super) const LATER: u64 = 3_600_000_000_000;

pub(crate) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, flows, table) in [
        ("1 k", 1_000, names::DEFAULT_FLOWS),
        ("100 k", 100_000, names::DEFAULT_FLOWS),
        ("1 M", 1_000_000, 1_060_000),
    ] {
        rows.extend(of(bench, name, flows, table)?);
    }
    Ok(rows)
}

/// Milliseconds of each round.
#[derive(Default)]
pub(super) struct Times {
    wall: Vec<f64>,
    pub(super) cpu: Vec<f64>,
}

impl Times {
    pub(super) fn take<T>(&mut self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let (started, cpu) = (Instant::now(), thread_time());
        let result = work()?;
        self.wall.push(started.elapsed().as_secs_f64() * 1e3);
        self.cpu.push((thread_time() - cpu).as_secs_f64() * 1e3);
        Ok(result)
    }
}

fn of(bench: &Bench, name: &str, flows: u32, table: u32) -> Result<Vec<Row>> {
    let mut kernel =
        Kernel::load_to_measure(&LoadOptions { flows: table, interfaces: 2, ..LoadOptions::default() })?;
    kernel.replay_from(Interface {
        slot: SLOT,
        link: LINK_ETHERNET,
        one_point: 1,
        ..Interface::default()
    })?;
    let mut ledger = ledger(table)?;
    let [mut alone, mut with_ledger, mut unchanged, mut few] = <[Times; 4]>::default();
    // The first round begins the flows and is not counted.
    for round in 0..=bench.or(2, 5) {
        let [mut first, mut second, mut third, mut fourth] = <[Times; 4]>::default();
        send(&mut kernel, flows)?;
        let now = monotonic()?;
        let report = first.take(|| Ok(kernel.drain(now, &mut |_, _, _| {})?))?;
        ensure!(report.changed == flows, "{} of {flows} flows were read", report.changed);
        send(&mut kernel, flows)?;
        let now = monotonic()?;
        let report = second.take(|| {
            Ok(kernel.drain(now, &mut |slot, record, end| {
                ledger.absorb(slot, record, end, now, &mut |_| {});
            })?)
        })?;
        ensure!(report.changed == flows, "{} of {flows} flows were read", report.changed);
        ensure!(ledger.live().len() == flows as usize, "the ledger knows {} flows", ledger.live().len());
        // A record that was stamped within the last second is read again: its packet may have been under way.
        std::thread::sleep(Duration::from_millis(1_100));
        kernel.drain(monotonic()?, &mut |_, _, _| {})?;
        let now = monotonic()?;
        let report = third.take(|| Ok(kernel.drain(now, &mut |_, _, _| {})?))?;
        ensure!(report.changed == 0 && report.live == flows, "a quiet drain read {} flows", report.changed);
        let active = flows.min(FEW);
        send(&mut kernel, active)?;
        let now = monotonic()?;
        let report = fourth.take(|| {
            Ok(kernel.drain(now, &mut |slot, record, end| {
                ledger.absorb(slot, record, end, now, &mut |_| {});
            })?)
        })?;
        ensure!(report.changed == active, "{} of {active} flows were read", report.changed);
        if round > 0 {
            for (all, one) in
                [(&mut alone, first), (&mut with_ledger, second), (&mut unchanged, third), (&mut few, fourth)]
            {
                all.wall.extend(one.wall);
                all.cpu.extend(one.cpu);
            }
        }
    }
    let mut ending = Times::default();
    let now = monotonic()? + LATER;
    let report = ending.take(|| {
        Ok(kernel.drain(now, &mut |slot, record, end| {
            ledger.absorb(slot, record, end, now, &mut |_| {});
        })?)
    })?;
    ensure!(report.freed == flows && ledger.live().is_empty(), "{} of {flows} flows ended", report.freed);
    let mut rows = Vec::new();
    for (what, times) in [
        ("every flow changed", alone),
        ("every flow changed, with the ledger", with_ledger),
        ("no flow changed", unchanged),
        ("1,000 flows changed, with the ledger", few),
        ("every flow ends, with the ledger", ending),
    ] {
        let each = super::row::median(&times.cpu) * 1e6 / f64::from(flows);
        let note = format!("{each:.0} ns of CPU per flow; table of {table}; all {flows} seen");
        rows.push(Row::less(format!("drain of {name}, {what}: CPU"), "ms", times.cpu).note(note));
        rows.push(Row::less(format!("drain of {name}, {what}: time"), "ms", times.wall));
    }
    Ok(rows)
}

/// One packet of each flow, always of the same flows.
pub(super) fn send(kernel: &mut Kernel, flows: u32) -> Result<()> {
    for (port, first) in (40_000..).zip((0..flows).step_by(FLOWS_OF_A_PORT as usize)) {
        send_from(kernel, port, FLOWS_OF_A_PORT.min(flows - first))?;
    }
    Ok(())
}

fn send_from(kernel: &mut Kernel, port: u16, flows: u32) -> Result<()> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend([0x45, 0, 0, 52, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 0, 192, 0, 2, 1]);
    frame.extend(port.to_be_bytes());
    // To port 443, an ACK with timestamps.
    frame.extend([1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 1, 0x80, 0x10, 1, 0, 0, 0, 0, 0]);
    frame.extend([1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1]);
    let mut stream = Stream { frame, vary: Vary::Flow, transport_offset: 34, payload_len: 0 };
    kernel.measure(Measured::Ingress, &mut stream, flows)?;
    Ok(())
}

/// As the daemon makes it, without a flow log.
pub(super) fn ledger(table: u32) -> Result<Ledger> {
    let options = LedgerOptions { conversations: table as usize, active_timeout: None };
    let watched = Watched {
        slot: SLOT,
        name: Arc::from("eth0"),
        one_point: true,
        physical: false,
        speed: None,
        mac: String::new(),
        mtu: 1_500,
        ifindex: 1,
    };
    Ok(Ledger::new(
        options,
        Arc::new(Policy::new(&Config::default())),
        vec![(watched, None)],
        WallClock::measure()?,
    ))
}
