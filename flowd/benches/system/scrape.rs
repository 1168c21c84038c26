//! `/metrics`: how long, how large, how much CPU.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{
    Bench,
    daemon::{Daemon, sum},
    live::Pair,
    machine,
    row::Row,
    sender::{Kind, Sender},
    support::until,
};

/// Server ports that SYNs go to.
const PORTS: u32 = 60_000;

pub(crate) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let pair = Pair::new();
    let mut rows = Vec::new();
    // Every port is a series in each of several families, up to the limit of each.
    // Nobody answers, so that they must be named to be labels.
    let ports: Vec<String> = (1..=u16::MAX).map(|port| port.to_string()).collect();
    let many = format!("interval = \"300ms\"\n[series]\nlimit = 5000\nports = [{}]\n", ports.join(","));
    for (name, config, at_least) in
        [("default limit", "interval = \"300ms\"\n", 0.0), ("20,000 series", &many, 20_000.0)]
    {
        let daemon = Daemon::start(bench, &pair.server, config)?;
        let mut sender = pair.client.enter(|| Sender::open("eth0", Kind::Syn, PORTS))?;
        // A little traffic by default, and as much as it takes for many series.
        until("that many series", 60, || {
            sender.send(400, None).ok()?;
            std::thread::sleep(Duration::from_millis(400));
            let series = daemon.metric("flowd_series", "").ok()?;
            (series >= at_least && daemon.metric("flowd_flows_active", "").ok()? >= 400.0).then_some(())
        });
        let rounds = bench.or(11, 41);
        let (mut times, mut body) = (Vec::new(), String::new());
        let before = machine::process_seconds(daemon.id())?;
        for _ in 0..rounds {
            let (answer, took) = daemon.get("/metrics")?;
            times.push(took.as_secs_f64() * 1e3);
            body = answer;
        }
        let cpu = (machine::process_seconds(daemon.id())? - before) / f64::from(rounds) * 1e3;
        let lines = body.lines().filter(|line| !line.starts_with('#')).count();
        let series = sum(&body, "flowd_series", "");
        ensure!(lines as f64 >= series, "{lines} lines where flowd_series says {series}");
        let note = format!("{series:.0} series in {lines} lines; {cpu:.2} ms of CPU, drains included");
        rows.push(Row::less(format!("/metrics, {name}: time"), "ms", times).note(note));
        rows.push(Row::less(format!("/metrics, {name}: size"), "kB", vec![body.len() as f64 / 1e3]));
    }
    Ok(rows)
}
