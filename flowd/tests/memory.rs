//! The memory of the maps and of the daemon is what the formulas say, by the kernel's own account.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests are tests")]

use std::{fs, sync::Arc, thread};

use etherparse::PacketBuilder;
use flow_common::settings::{Interface, LINK_ETHERNET};
use flowd::{
    aggregate::{Ledger, LedgerOptions, Policy},
    clock::{self, WallClock},
    config::Config,
    kernel::{Kernel, KernelError, LoadOptions, Measured, Stream, Vary},
};

/// Loads the programs, or skips the test where the privilege is missing.
fn load(options: &LoadOptions) -> Option<Kernel> {
    match Kernel::load(options) {
        Ok(kernel) => Some(kernel),
        Err(KernelError::Privilege { detail }) => {
            println!("SKIPPED: needs root: {detail}");
            assert!(std::env::var_os("FLOWD_REQUIRE_ROOT_TESTS").is_none(), "a skip is a failure here");
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

/// A table of the default size that 100,000 flows live in, read as the daemon reads it.
fn the_daemon_takes_what_the_formula_says() {
    const FLOWS: u32 = 100_000;
    let options = LoadOptions::default();
    let Some(mut kernel) = load(&options) else { return };
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
        kernel.measure(Measured::Ingress, &mut stream.clone(), FLOWS).unwrap();
        let now = clock::monotonic().unwrap();
        let report = kernel
            .drain(now, &mut |slot, record, end| {
                ledger.absorb(slot, record, end, now, &mut |_| {});
                if slot.is_multiple_of(1_000) {
                    most = most.max(resident());
                }
            })
            .unwrap();
        assert_eq!((report.live, report.changed), (FLOWS, FLOWS), "reading {reading}");
    }
    let (most, after) = (most - before, resident() - before);
    let own = 8 * slots + 600 * FLOWS as usize;
    let window = 6_553_600;
    println!("{most} bytes while reading, {after} after, by the formula {own} and {window}");
    assert!(most < own + window, "{most} bytes while reading, by the formula {own} and {window}");
    assert!(after < own, "{after} bytes between readings, by the formula {own}");
}

#[test]
fn maps_and_daemon_take_what_the_formulas_say() {
    // In turn, as they look at the whole process.
    maps_take_what_the_formula_says();
    the_daemon_takes_what_the_formula_says();
}

fn maps_take_what_the_formula_says() {
    let mut options = LoadOptions::default();
    options.settings.windows = 64;
    let Some(kernel) = load(&options) else { return };
    let charged = charged();
    drop(kernel);
    let cpus = thread::available_parallelism().unwrap().get();
    let formula: usize = options.memory(cpus).into_iter().map(|(_, bytes)| bytes).sum();
    let ratio = charged as f64 / formula as f64;
    println!("charged {charged}, by the formula {formula}");
    assert!((0.98..1.05).contains(&ratio), "charged {charged}, by the formula {formula}");
}
