//! iperf3 between two namespaces: with no program, the empty one and flowd, in turn.

use std::{
    fs::{self, File},
    process::{Child, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use flowd::kernel::{Kernel, LoadOptions, Measured};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    Bench,
    daemon::Daemon,
    machine::{self, Runs, Statistics},
    row::{Row, median, ratios},
    support::{namespace::Namespace, until},
    sys,
};

/// What is attached to the receiving end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    None,
    Empty,
    /// The plainest flow counter.
    Plain,
    Flowd,
}

impl Program {
    /// Those that are compared by what the whole machine does.
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Empty, Self::Flowd];
    /// Those that the kernel accounts for.
    const RUN: [Self; 3] = [Self::Empty, Self::Plain, Self::Flowd];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Empty => "empty",
            Self::Plain => "plain counter",
            Self::Flowd => "flowd",
        }
    }
}

/// It, attached; gone when dropped.
pub(crate) enum Attached<'a> {
    None,
    Measured(#[allow(dead_code, reason = "its drop detaches")] Box<Kernel>),
    Flowd(Box<Daemon<'a>>),
}

/// A flow log proves what was counted; the HTTP log and all else is at its default.
const CONFIG: &str = "flow_log = \"FLOW_LOG\"\n";

impl<'a> Attached<'a> {
    pub(crate) fn to(bench: &Bench, host: &'a Namespace, program: Program) -> Result<Self> {
        Ok(match program {
            Program::None => Self::None,
            Program::Empty | Program::Plain => {
                let measured = if program == Program::Empty { Measured::Empty } else { Measured::Plain };
                let mut kernel =
                    Kernel::load_to_measure(&LoadOptions { flows: 1024, ..LoadOptions::default() })?;
                let attached = host.enter(|| kernel.attach_measured(measured, "eth0").map(|()| kernel));
                Self::Measured(Box::new(attached?))
            }
            Program::Flowd => Self::Flowd(Box::new(Daemon::start(bench, host, CONFIG)?)),
        })
    }

    /// Runs of the programs so far.
    fn runs(&self) -> Result<Runs> {
        match self {
            Self::Flowd(daemon) => Runs::of(&daemon.id().to_string()),
            _ => Runs::of("self"),
        }
    }
}

/// Two hosts and the cable between.
pub(crate) struct Pair {
    pub(crate) client: Namespace,
    pub(crate) server: Namespace,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let [client, server] = ["client", "server"].map(Namespace::new);
        client.veth("eth0", &server, "eth0");
        client.up("eth0", &["192.0.2.1/24"]);
        server.up("eth0", &["192.0.2.2/24"]);
        Self { client, server }
    }

    fn offloads(&self, on: bool) {
        let on = if on { "on" } else { "off" };
        for host in [&self.client, &self.server] {
            host.ethtool("eth0", &format!("tso {on} gso {on} gro {on}"));
        }
    }
}

/// Of iperf3, with a folder for what clients print.
struct Server(Child, TempDir);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One run of iperf3.
#[derive(Clone, Copy)]
struct Round {
    bits_per_second: f64,
    /// Of the whole machine.
    cpu_per_gb: f64,
    /// Of iperf3, flowd and ksoftirqd alone: on a busy machine, too. Where the kernel keeps soft interrupts apart from
    /// tasks (CONFIG_IRQ_TIME_ACCOUNTING) it holds little of flowd's programs.
    own_per_gb: f64,
    bytes: f64,
}

/// What one setting showed, by program.
#[derive(Default)]
struct Series {
    bits: [Vec<f64>; 3],
    cpu: [Vec<f64>; 3],
    own: [Vec<f64>; 3],
}

pub(crate) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let pair = Pair::new();
    let server = pair.server.command("iperf3").arg("-s").stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let server = server.context("iperf3 is missing: cargo xtask setup installs it")?;
    let server = Server(server, tempfile::tempdir()?);
    until("iperf3", 10, || pair.server.run("ss -Hltn sport = 5201").contains("5201").then_some(()));
    let mut rows = Vec::new();
    let settings: &[(bool, u32)] =
        if bench.quick { &[(false, 1), (true, 1)] } else { &[(false, 1), (false, 8), (true, 1), (true, 8)] };
    for &(offloads, streams) in settings {
        pair.offloads(offloads);
        let plural = if streams == 1 { "" } else { "s" };
        let name = format!("offloads {}, {streams} stream{plural}", if offloads { "on" } else { "off" });
        // Warms up.
        iperf(&pair, &server, &Attached::None, 1, streams)?;
        let mut series = Series::default();
        for _ in 0..bench.or(2, 5) {
            for (index, program) in Program::ALL.into_iter().enumerate() {
                let round = under(bench, &pair, &server, program, streams)?;
                for (values, value) in [
                    (&mut series.bits, round.bits_per_second / 1e9),
                    (&mut series.cpu, round.cpu_per_gb),
                    (&mut series.own, round.own_per_gb),
                ] {
                    values.iter_mut().skip(index).take(1).for_each(|values| values.push(value));
                }
            }
        }
        rows.extend(series.rows(&name));
        if !offloads {
            rows.extend(per_run(bench, &pair, &server, &name, streams)?);
        }
    }
    Ok(rows)
}

impl Series {
    fn rows(self, name: &str) -> Vec<Row> {
        let [none, empty, flowd] = &self.cpu;
        let [own_none, own_empty, own_flowd] = &self.own;
        let [no_bits, _, flowd_bits] = &self.bits;
        let mut rows = vec![
            Row::less(format!("CPU per byte, {name}: flowd / none"), "x", ratios(flowd, none)).note(format!(
                "CPU s per GB: none {:.2}, empty {:.2}, flowd {:.2}",
                median(none),
                median(empty),
                median(flowd)
            )),
            Row::less(format!("CPU per byte, {name}: flowd / empty"), "x", ratios(flowd, empty)),
            Row::less(
                format!("CPU of the processes, {name}: flowd / none"),
                "x",
                ratios(own_flowd, own_none),
            )
            .note(format!(
                "CPU s per GB: none {:.2}, empty {:.2}, flowd {:.2}",
                median(own_none),
                median(own_empty),
                median(own_flowd)
            )),
            Row::more(format!("throughput, {name}: flowd / none"), "x", ratios(flowd_bits, no_bits)),
        ];
        for (program, bits) in Program::ALL.into_iter().zip(self.bits) {
            rows.push(Row::more(format!("throughput, {name}: {}", program.name()), "Gbit/s", bits));
        }
        for (program, cpu) in Program::ALL.into_iter().zip(self.cpu) {
            rows.push(Row::less(format!("CPU, {name}: {}", program.name()), "s/GB", cpu));
        }
        rows
    }
}

/// One run with a program attached; flowd must have counted what arrived.
fn under(bench: &Bench, pair: &Pair, server: &Server, program: Program, streams: u32) -> Result<Round> {
    let attached = Attached::to(bench, &pair.server, program)?;
    let round = iperf(pair, server, &attached, bench.or(1, 2), streams)?;
    if let Attached::Flowd(daemon) = attached {
        let logged = daemon.stop()?;
        ensure!(
            logged.payload as f64 >= round.bytes,
            "flowd's flow log has {} bytes of payload where iperf3 received {}",
            logged.payload,
            round.bytes
        );
    }
    Ok(round)
}

/// Nanoseconds per run, both hooks together, by the kernel's own account.
fn per_run(bench: &Bench, pair: &Pair, server: &Server, name: &str, streams: u32) -> Result<Vec<Row>> {
    let statistics = Statistics::on()?;
    let (mut each, mut counted) = ([const { Vec::new() }; 3], Vec::new());
    for _ in 0..bench.or(2, 5) {
        for (program, each) in Program::RUN.into_iter().zip(&mut each) {
            let attached = Attached::to(bench, &pair.server, program)?;
            let before = attached.runs()?;
            iperf(pair, server, &attached, bench.or(1, 2), streams)?;
            let runs = attached.runs()?.since(before);
            ensure!(runs.count > 1000.0, "{}: the kernel counted {} runs", program.name(), runs.count);
            each.push(runs.each());
            counted.push(runs.count);
        }
    }
    drop(statistics);
    let [empty, plain, flowd] = &each;
    let net_of_empty = |values: &[f64]| -> Vec<f64> {
        values.iter().zip(empty).map(|(value, empty)| value - empty).collect()
    };
    let (net, plain_net) = (net_of_empty(flowd), net_of_empty(plain));
    let note = format!(
        "empty {:.0}, plain counter {:.0}, flowd {:.0}; {:.0} runs a round",
        median(empty),
        median(plain),
        median(flowd),
        median(&counted)
    );
    Ok(vec![
        Row::less(format!("program, {name}: net of empty / plain counter's"), "x", ratios(&net, &plain_net))
            .note("the plain counter reads headers and adds to one hash"),
        Row::less(format!("program, {name}: net of empty"), "ns", net).note(note),
        Row::less(format!("program, {name}: flowd / empty"), "x", ratios(flowd, empty)),
    ])
}

/// One transfer. The server is busy for a moment after the one before, so that it is asked again.
fn iperf(pair: &Pair, server: &Server, attached: &Attached<'_>, seconds: u32, streams: u32) -> Result<Round> {
    let mut said = String::new();
    for _ in 0..20 {
        let report = server.1.path().join("iperf.json");
        let mut client = pair.client.command("iperf3");
        client.args(["-c", "192.0.2.2", "-J", "-t", &seconds.to_string(), "-P", &streams.to_string()]);
        client.stdin(Stdio::null()).stdout(File::create(&report)?).stderr(Stdio::null());
        let (machine, others) = (machine::cpu_seconds()?, others(server, attached)?);
        let usage = sys::wait(&client.spawn().context("iperf3")?)?;
        let own = usage.cpu + self::others(server, attached)? - others;
        let machine = machine::cpu_seconds()? - machine;
        said = fs::read_to_string(&report)?;
        if usage.success {
            return round(&said, machine, own);
        }
        sleep(Duration::from_millis(100));
    }
    bail!("iperf3 failed 20 times: {said}")
}

/// CPU seconds so far of who takes part beside the client.
fn others(server: &Server, attached: &Attached<'_>) -> Result<f64> {
    let flowd = match attached {
        Attached::Flowd(daemon) => machine::ended_too_seconds(daemon.id())?,
        _ => 0.0,
    };
    Ok(machine::ended_too_seconds(server.0.id())? + machine::ksoftirqd_seconds()? + flowd)
}

fn round(report: &str, machine: f64, own: f64) -> Result<Round> {
    let report: Value = serde_json::from_str(report).context("iperf3 printed no JSON")?;
    let received = |what: &str| {
        let number = report.pointer(&format!("/end/sum_received/{what}")).and_then(Value::as_f64);
        number.with_context(|| format!("iperf3 says no {what}"))
    };
    let bytes = received("bytes")?;
    ensure!(bytes > 1e6, "iperf3 moved {bytes} bytes");
    let gigabytes = bytes / 1e9;
    let (cpu_per_gb, own_per_gb) = (machine / gigabytes, own / gigabytes);
    Ok(Round { bits_per_second: received("bits_per_second")?, cpu_per_gb, own_per_gb, bytes })
}
