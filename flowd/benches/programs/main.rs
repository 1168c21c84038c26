//! What the BPF programs come to and cost per packet (BPF_PROG_TEST_RUN), as root:
//! `cargo bench -p flowd --bench programs -- [--json] [--quick] [--all] [--programs]`.
//!
//! The empty program and the one that only parses run in the same rounds, in turn: read the figures as
//! differences and ratios. The caches are warm and no payload was touched by a network card, so that real traffic
//! costs more.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

mod features;
mod frames;
mod shapes;

use std::{env, fs, time::Duration};

use anyhow::{Context as _, Result, ensure};
use flow_common::{
    app::Apps,
    counter::InterfaceTotals,
    names,
    offload::Offload,
    settings::{Interface, LINK_ETHERNET, Settings},
};
use flowd::kernel::{Kernel, LoadOptions, Measured, Stream, Vary};
use serde_json::{Value, json};
use shapes::Shape;

const SLOT: u16 = 1;
const PROGRAMS: [Measured; 4] =
    [Measured::Empty, Measured::ParseOnly, Measured::Yardstick, Measured::Ingress];
/// More than 2^20 flows and what the other shapes need.
const MILLION: u32 = 1_060_000;

/// How much to measure.
#[derive(Clone, Copy)]
struct Plan {
    rounds: u32,
    repeat: u32,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let plan = if has("--quick") {
        Plan { rounds: 15, repeat: 50_000 }
    } else {
        Plan { rounds: 41, repeat: 200_000 }
    };
    let mut shapes = Vec::new();
    let options = LoadOptions {
        settings: SETTINGS,
        flows: 4096,
        interfaces: 2,
        event_bytes: 32 << 20,
        ..LoadOptions::default()
    };
    let programs = programs()?;
    if !has("--programs") {
        let mut kernel = load(&options)?;
        for shape in shapes::hot() {
            shapes.push(measure(&mut kernel, &shape, plan)?);
        }
        shapes.extend(frames::measure(&options, plan)?);
    }
    if has("--all") {
        let mut inside = options.clone();
        inside.settings.decapsulate = u32::MAX;
        let mut kernel = load(&inside)?;
        shapes.push(measure(&mut kernel, &shapes::inside_gre(), plan)?);
        for (flows, shape) in [(1 << 17, shapes::connections()), (MILLION, shapes::million())] {
            let mut kernel = load(&LoadOptions { flows, ..options.clone() })?;
            let repeat = plan.repeat.max(1 << 18);
            // Makes the flows.
            kernel.measure(Measured::Ingress, &mut shape.stream.clone(), 1 << 20)?;
            shapes.push(measure(&mut kernel, &shape, Plan { repeat, ..plan })?);
        }
    }
    let features = if has("--all") { features::measure(&options, plan)? } else { Vec::new() };
    let result = json!({ "cpu": cpu(), "programs": programs, "shapes": shapes, "features": features });
    if has("--json") {
        println!("{result}");
    } else {
        print(&result);
    }
    Ok(())
}

/// With everything that can be switched on.
const SETTINGS: Settings = Settings { copies: Apps::ALL, windows: 1, reuse_time: 1, ..Settings::DEFAULT };

fn load(options: &LoadOptions) -> Result<Kernel> {
    let mut kernel = Kernel::load_to_measure(options)?;
    kernel.replay_from(Interface {
        slot: SLOT,
        link: LINK_ETHERNET,
        one_point: 1,
        ..Interface::default()
    })?;
    Ok(kernel)
}

/// Counts of every program, with the best load time of three.
fn programs() -> Result<Vec<Value>> {
    let options = LoadOptions {
        settings: SETTINGS,
        flows: 1024,
        event_bytes: 4096,
        interfaces: 1,
        ..LoadOptions::default()
    };
    let runs = [Kernel::facts(&options)?, Kernel::facts(&options)?, Kernel::facts(&options)?];
    let [first, ..] = &runs;
    let best = |name| runs.iter().flatten().filter(|other| other.name == name).map(|other| other.load).min();
    let fact = |fact: &flowd::kernel::ProgramFacts| {
        json!({
            "name": fact.name,
            "instructions": fact.instructions,
            "verified": fact.verified,
            "load_ms": best(fact.name).unwrap_or(fact.load).as_secs_f64() * 1e3,
        })
    };
    Ok(first.iter().map(fact).collect())
}

/// Nanoseconds per packet of each program, and how many times the yardstick's the ingress program's are: medians over rounds in which all of them run.
fn measure(kernel: &mut Kernel, shape: &Shape, plan: Plan) -> Result<Value> {
    if let Some(before) = &shape.before {
        let length = u32::try_from(before.len())?;
        let taken = kernel.replay(before, length, 0, Offload::default())?;
        ensure!(taken.is_ok(), "{}: the packet before it was refused", shape.name);
    }
    let mut streams = PROGRAMS.map(|_| shape.stream.clone());
    let mut times: [Vec<f64>; 4] = Default::default();
    let mut bare = Vec::new();
    let mut yards = Vec::new();
    let unchanged = Stream { vary: Vary::Same, ..shape.stream.clone() };
    let at_once = plan.repeat.min(shape.at_once);
    let (seen_before, skipped_before) = counted(&kernel.totals(SLOT)?);
    let mut copies = 0;
    // The first round only warms up.
    for round in 0..=plan.rounds {
        let mut of_round = [0.0; 4];
        for ((program, stream), time) in PROGRAMS.into_iter().zip(&mut streams).zip(&mut of_round) {
            *time = run(kernel, program, stream, at_once)?.as_nanos() as f64;
            copies += kernel.events(&mut |_, _| {});
        }
        if round > 0 {
            let [empty, _, yardstick, full] = of_round;
            yards.push((full - empty) / (yardstick - empty));
            times.iter_mut().zip(of_round).for_each(|(times, time)| times.push(time));
        }
        let time = run(kernel, Measured::Empty, &mut unchanged.clone(), at_once)?;
        if round > 0 {
            bare.push(time.as_nanos() as f64);
        }
    }
    let (seen, skipped) = counted(&kernel.totals(SLOT)?);
    let (seen, skipped) = (seen - seen_before, skipped - skipped_before);
    let runs = u64::from(plan.rounds + 1) * u64::from(at_once);
    ensure!(seen == runs, "{}: {seen} packets counted in {runs} runs", shape.name);
    let quartiles = |values: &[f64]| [quantile(values, 0.25), quantile(values, 0.75)];
    let [_, _, _, [low, high]] = times.each_ref().map(|times| quartiles(times));
    let [empty, parse, yardstick, full] = times.map(|times| quantile(&times, 0.5));
    Ok(json!({
        "name": shape.name,
        "exercises": shape.exercises,
        "empty_ns": empty,
        "parse_ns": parse,
        "yardstick_ns": yardstick,
        "yards": quantile(&yards, 0.5),
        "ns": full,
        "net_ns": full - empty,
        "low_ns": low,
        "high_ns": high,
        "bare_ns": quantile(&bare, 0.5),
        "rounds": plan.rounds,
        "runs": runs,
        "counted": seen,
        "in_no_flow": skipped,
        "copies": copies,
    }))
}

fn run(kernel: &mut Kernel, program: Measured, stream: &mut Stream, repeat: u32) -> Result<Duration> {
    kernel.measure(program, stream, repeat).with_context(|| format!("{program:?}"))
}

/// Packets that were counted, and of them those in no flow.
fn counted(totals: &InterfaceTotals) -> (u64, u64) {
    let sum =
        |tallies: &[flow_common::counter::Tally]| tallies.iter().map(|tally| tally.packets).sum::<u64>();
    totals
        .passages
        .iter()
        .fold((0, 0), |(seen, skipped), passage| (seen + sum(&passage.seen), skipped + sum(&passage.skipped)))
}

/// By the nearest rank: whole nanoseconds.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1) as f64;
    values.get((last * share).round() as usize).copied().unwrap_or(f64::NAN)
}

/// The processor's name, without which a time says little.
fn cpu() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| "unknown".to_owned(), |(_, name)| name.to_owned())
}

fn print(result: &Value) {
    let list = |name: &str| result.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let number = |row: &Value, name: &str| row.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let word = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    println!("{:<22} {:>12} {:>10} {:>9}", "program", "instructions", "verified", "load ms");
    for row in list("programs") {
        let (all, verified) = (number(&row, "instructions"), number(&row, "verified"));
        println!("{:<22} {all:>12} {verified:>10} {:>9.1}", word(&row, "name"), number(&row, "load_ms"));
    }
    let program = names::PROGRAM_INGRESS;
    println!(
        "\n{:<14} {:>6} {:>6} {program:>13} {:>6} {:>9} {:>9}  a run is",
        "ns per packet", "empty", "parse", "net", "counted", "copies"
    );
    for row in list("shapes") {
        println!(
            "{:<14} {:>6} {:>6} {:>13} {:>6} {:>9} {:>9}  {}",
            word(&row, "name"),
            number(&row, "empty_ns"),
            number(&row, "parse_ns"),
            number(&row, "ns"),
            number(&row, "net_ns"),
            number(&row, "counted"),
            number(&row, "copies"),
            word(&row, "exercises"),
        );
    }
    for row in list("features") {
        let (low, high) = (number(&row, "low_ns"), number(&row, "high_ns"));
        let (feature, shape) = (word(&row, "feature"), word(&row, "shape"));
        println!("{feature} adds {} ns ({low} to {high}) to {shape}", number(&row, "ns"));
    }
}
