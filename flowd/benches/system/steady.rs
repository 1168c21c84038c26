//! The daemon in its steady state: many flows, a constant rate of packets.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{
    Bench,
    daemon::Daemon,
    live::{Attached, Pair, Program},
    machine::{self, Runs, Statistics},
    row::Row,
    sender::{Kind, Sender},
    support::until,
};

const RATE: u64 = 100_000;

pub(crate) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let pair = Pair::new();
    let (flows, seconds, empty_seconds) = bench.or((20_000, 10, 2), (100_000, 40, 5));
    let send =
        |count: u64| pair.client.enter(|| Sender::open("eth0", Kind::Udp, flows)?.send(count, Some(RATE)));

    let statistics = Statistics::on()?;
    let empty = {
        let _attached = Attached::to(bench, &pair.server, Program::Empty)?;
        let before = Runs::of("self")?;
        send(RATE * empty_seconds)?;
        Runs::of("self")?.since(before)
    };
    ensure!(empty.count >= (RATE * empty_seconds) as f64, "the empty program ran {} times", empty.count);

    // The default interval of 10 s; a quick run has no time for it.
    let interval = bench.or("interval = \"2s\"\n", "");
    let daemon = Daemon::start(bench, &pair.server, interval)?;
    let (cpu_before, runs_before) =
        (machine::process_seconds(daemon.id())?, Runs::of(&daemon.id().to_string())?);
    let started = Instant::now();
    let sent = RATE * seconds;
    let took = send(sent)?;
    let reached = sent as f64 / took.as_secs_f64();
    ensure!(reached > 0.9 * RATE as f64, "only {reached:.0} packets a second were sent");
    let elapsed = started.elapsed().as_secs_f64();
    let cpu = machine::process_seconds(daemon.id())? - cpu_before;
    let runs = Runs::of(&daemon.id().to_string())?.since(runs_before);
    drop(statistics);
    let entries = until("the drain after the last packet", 30, || {
        std::thread::sleep(Duration::from_millis(200));
        let counted = daemon.metric("flowd_interface_packets_total", "direction=\"ingress\"").ok()?;
        (counted >= sent as f64).then(|| daemon.metric("flowd_map_entries", "").ok()).flatten()
    });
    let counted = daemon.metric("flowd_interface_packets_total", "direction=\"ingress\"")?;
    ensure!(counted < (sent + 1_000) as f64, "{counted} packets counted where {sent} were sent");
    ensure!(entries >= f64::from(flows), "{entries} flows in the table where {flows} were sent");

    let share = cpu / elapsed * 100.0;
    let programs = (runs.ns - empty.each() * runs.count) / 1e9 / elapsed * 100.0;
    let note = format!("{flows} flows, {reached:.0} packets/s, {elapsed:.0} s, {counted:.0} packets counted");
    let mut rows = vec![
        Row::less("daemon, of one core", "%", vec![share]).note(note),
        Row::less("programs net of empty, of one core", "%", vec![programs]).note(format!(
            "{:.0} ns per run, empty {:.0}",
            runs.each(),
            empty.each()
        )),
        Row::less("all of flowd net of empty, of one core", "%", vec![share + programs]),
    ];
    for field in ["VmRSS", "RssAnon", "RssFile", "RssShmem", "VmHWM"] {
        rows.push(Row::less(field, "MiB", vec![machine::resident(daemon.id(), field)? / f64::from(1 << 20)]));
    }
    Ok(rows)
}
