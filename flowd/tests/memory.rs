//! The memory of the maps and of the daemon is what the formulas say, by the kernel's own account.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests are tests")]

#[path = "support/skip.rs"]
mod skip;

use std::{fs, sync::Arc, thread};

use etherparse::PacketBuilder;
use flow_common::{
    names,
    settings::{Interface, LINK_ETHERNET},
};
use flowd::{
    aggregate::{Ledger, LedgerOptions, Policy},
    clock::{self, WallClock},
    config::Config,
    kernel::{Kernel, KernelError, LoadOptions, Measured, Stream, Vary},
};
use skip::{ROOT, skip};

/// Loads the programs, or skips the test where the privilege is missing.
fn loaded(kernel: Result<Kernel, KernelError>) -> Option<Kernel> {
    match kernel {
        Ok(kernel) => Some(kernel),
        Err(KernelError::Privilege { detail }) => {
            skip(ROOT, &format!("a test of the loaded programs needs root: {detail}"));
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Resident size of this process, bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

/// What the kernel charges for the maps that this process has open.
fn charged() -> usize {
    let mut sum = 0;
    for entry in fs::read_dir("/proc/self/fdinfo").unwrap() {
        // The folder's own descriptor is gone by now.
        let Ok(text) = fs::read_to_string(entry.unwrap().path()) else { continue };
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if field("map_type:").is_some() {
            sum += field("memlock:").unwrap().parse::<usize>().unwrap();
        }
    }
    sum
}

/// A table that so many flows live in, read as the daemon reads it.
fn the_daemon_takes_what_the_formula_says(slots: u32, live: u32) {
    let options = LoadOptions { flows: slots, ..LoadOptions::default() };
    let Some(mut kernel) = loaded(Kernel::load_to_measure(&options)) else { return };
    kernel
        .replay_from(Interface { slot: 1, link: LINK_ETHERNET, one_point: 1, ..Interface::default() })
        .unwrap();
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([10, 0, 0, 1], [192, 0, 2, 1], 64);
    builder.tcp(40_000, 443, 1, 1_024).ack(1).write(&mut frame, &[0; 100]).unwrap();
    let stream = Stream { frame, vary: Vary::Flow, transport_offset: 34, payload_len: 100 };
    let slots = options.flows as usize;
    let limits = LedgerOptions { conversations: slots, active_timeout: None };
    let mut ledger =
        Ledger::new(limits, Arc::new(Policy::new(&Config::default())), Vec::new(), WallClock::CAPTURE);
    let before = resident();
    let mut most = 0;
    for reading in 1..=2 {
        kernel.measure(Measured::Ingress, &mut stream.clone(), live).unwrap();
        let now = clock::monotonic().unwrap();
        let report = kernel
            .drain(now, &mut |slot, record, end| {
                ledger.absorb(slot, record, end, now, &mut |_| {});
                if slot.is_multiple_of(1_000) {
                    most = most.max(resident());
                }
            })
            .unwrap();
        assert_eq!((report.live, report.changed), (live, live), "reading {reading}");
    }
    let (most, after) = (most.saturating_sub(before), resident().saturating_sub(before));
    let own = 8 * slots + 600 * live as usize;
    let window = 6_553_600;
    println!(
        "{live} of {slots}: {most} bytes while reading, {after} after, by the formula {own} and {window}"
    );
    assert!(most < own + window, "{most} bytes while reading, by the formula {own} and {window}");
    assert!(after < own, "{after} bytes between readings, by the formula {own}");
}

#[test]
fn maps_and_daemon_take_what_the_formulas_say() {
    // In turn, as they look at the whole process.
    let default = LoadOptions::default().flows;
    for flows in [1_024, 60_000, default, 1_000_000] {
        maps_take_what_the_formula_says(flows);
    }
    for (slots, live) in [(default, 100_000), (60_000, 20_000), (1_000_000, 1_000)] {
        the_daemon_takes_what_the_formula_says(slots, live);
    }
}

/// The README names the largest table that a configuration may ask for, and what it takes.
#[test]
fn the_largest_table_is_what_the_readme_says() {
    const LARGEST: u32 = 4_194_304;
    let with = |flows| Config { flows, ..Config::default() };
    with(LARGEST).validate("test").unwrap();
    assert!(with(LARGEST + 1).validate("test").is_err());
    let memory = LoadOptions { flows: LARGEST, ..LoadOptions::default() }.memory(1);
    let gib = memory.into_iter().map(|(_, bytes)| bytes).sum::<usize>() as f64 / f64::from(1 << 30);
    let said = format!("4,194,304 flows take {gib:.1} GiB");
    assert!(include_str!("../../README.md").contains(&said), "the README must say: {said}");
}

fn maps_take_what_the_formula_says(flows: u32) {
    let mut options = LoadOptions { flows, ..LoadOptions::default() };
    options.settings.windows = 64;
    let Some(kernel) = loaded(Kernel::load(&options)) else { return };
    let charged = charged();
    drop(kernel);
    let cpus = thread::available_parallelism().unwrap().get();
    // Of the map that is mapped all the time no descriptor is kept open.
    let maps = options.memory(cpus).into_iter().filter(|(name, _)| *name != names::MAP_BINS);
    let formula: usize = maps.map(|(_, bytes)| bytes).sum();
    let ratio = charged as f64 / formula as f64;
    println!("{flows} flows: charged {charged}, by the formula {formula}");
    assert!((0.98..1.05).contains(&ratio), "charged {charged}, by the formula {formula}");
}
