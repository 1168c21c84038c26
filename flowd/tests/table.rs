//! The flow table from the daemon's side: what a reading shows, and that no slot is ever lost or given out twice.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "support/skip.rs"]
mod skip;

use std::collections::BTreeSet;

use etherparse::PacketBuilder;
use flow_common::{
    counter::Counter,
    settings::{Interface, LINK_ETHERNET},
};
use flowd::{
    clock,
    flow::EndReason,
    kernel::{DrainReport, Kernel, KernelError, LoadOptions, Measured, Room, Stream, Vary},
};
use skip::{ROOT, skip};

const SLOTS: u32 = 4_096;
const SECOND: u64 = 1_000_000_000;
/// Longer than any timeout.
const LATER: u64 = 400 * SECOND;

/// A loaded table, in a process that stays on one CPU so that all free slots come to one hand.
fn load(slots: u32) -> Option<Kernel> {
    let options = LoadOptions { flows: slots, interfaces: 1, event_bytes: 4_096, ..LoadOptions::default() };
    let mut kernel = match Kernel::load_to_measure(&options) {
        Ok(kernel) => kernel,
        Err(KernelError::Privilege { detail }) => {
            skip(ROOT, &format!("a test of the loaded programs needs root: {detail}"));
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    kernel
        .replay_from(Interface { slot: 1, link: LINK_ETHERNET, one_point: 1, ..Interface::default() })
        .unwrap();
    stay();
    Some(kernel)
}

fn stay() {
    // SAFETY: integers only, for which zero is a value.
    let mut cpus: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: no arguments.
    let here = unsafe { libc::sched_getcpu() };
    // SAFETY: the set is ours.
    unsafe { libc::CPU_SET(here.unsigned_abs() as usize, &mut cpus) };
    // SAFETY: the set lives through the call.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&cpus), &raw const cpus) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

/// Segments of up to a million flows, the same ones in the same order for every stream.
fn stream() -> Stream {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([10, 0, 0, 1], [192, 0, 2, 1], 64);
    builder.tcp(40_000, 443, 1, 1_024).ack(1).write(&mut frame, &[0; 100]).unwrap();
    Stream { frame, vary: Vary::Flow, transport_offset: 34, payload_len: 100 }
}

/// A reading at `now`: slots, packets and ends that it showed.
fn drain(kernel: &mut Kernel, now: u64) -> (DrainReport, Vec<(u32, u64, Option<EndReason>)>) {
    let mut shown = Vec::new();
    let report = kernel
        .drain(now, &mut |slot, record, end| {
            let packets = record.halves.iter().map(|half| half.volume().packets).sum();
            shown.push((slot, packets, end));
        })
        .unwrap();
    (report, shown)
}

#[test]
fn a_reading_shows_what_changed() {
    let Some(mut kernel) = load(SLOTS) else { return };
    kernel.measure(Measured::Ingress, &mut stream(), 500).unwrap();
    let now = clock::monotonic().unwrap();
    // Stamped a moment ago: a program may not have finished with it.
    for _ in 0..2 {
        let (report, shown) = drain(&mut kernel, now);
        assert_eq!((report.live, report.changed, shown.len()), (500, 500, 500));
    }
    let (report, _) = drain(&mut kernel, now + 2 * SECOND);
    assert_eq!(report.changed, 500);
    let (report, shown) = drain(&mut kernel, now + 3 * SECOND);
    assert_eq!((report.live, report.changed, shown.len()), (500, 0, 0));
    // A hundred of them go on.
    kernel.measure(Measured::Ingress, &mut stream(), 100).unwrap();
    let (report, shown) = drain(&mut kernel, now + 3 * SECOND);
    assert_eq!((report.live, report.changed), (500, 100));
    assert!(shown.iter().all(|&(_, packets, end)| packets == 2 && end.is_none()), "{shown:?}");
    // Nothing above the slots in use is looked at.
    assert_eq!(report.scanned, 500);
    let (report, shown) = drain(&mut kernel, now + LATER);
    assert_eq!((report.live, report.freed, shown.len()), (0, 500, 500));
    assert!(shown.iter().all(|(_, _, end)| *end == Some(EndReason::Idle)));
    assert_eq!(shown.iter().map(|(_, packets, _)| packets).sum::<u64>(), 600);
}

#[test]
fn slots_come_back() {
    let Some(mut kernel) = load(SLOTS) else { return };
    let mut stream = stream();
    let mut sent = 0;
    let mut in_flows = 0;
    for round in 0..30_u32 {
        // Fewer than fit, as many, and more.
        let packets = [1, 63, 64, 1_000, SLOTS, 3 * SLOTS][round as usize % 6];
        kernel.measure(Measured::Ingress, &mut stream, packets).unwrap();
        sent += u64::from(packets);
        let later = clock::monotonic().unwrap() + LATER;
        let (_, shown) = drain(&mut kernel, later);
        let slots: BTreeSet<u32> = shown.iter().map(|(slot, ..)| *slot).collect();
        let expected = packets.min(SLOTS) as usize;
        assert_eq!((shown.len(), slots.len()), (expected, expected), "round {round}: {packets} packets");
        assert!(slots.last().is_some_and(|last| *last < SLOTS));
        in_flows += shown.iter().map(|(_, packets, _)| packets).sum::<u64>();
        // What is left in the index would be found full, or lead to a record of another.
        let (report, shown) = drain(&mut kernel, later);
        assert_eq!((report.live, shown.len()), (0, 0));
    }
    let totals = kernel.totals(1).unwrap();
    let full = totals.passages[0].skipped[Counter::TableFull as usize].packets;
    assert_eq!(in_flows + full, sent);
    assert!(full > 0);
}

/// A reading in parts, with packets of old and new flows between them: whatever passes is shown once, and every slot
/// comes back.
#[test]
fn a_reading_in_parts_loses_nothing() {
    /// Three windows of records; a table of twice as many is patient with those that nobody answers.
    const MANY: u32 = 20_000;
    let Some(mut kernel) = load(2 * MANY) else { return };
    let mut stream = stream();
    let mut sent = 0;
    let mut send = |kernel: &mut Kernel, packets: u32| {
        kernel.measure(Measured::Ingress, &mut stream, packets).unwrap();
        sent += u64::from(packets);
    };
    send(&mut kernel, MANY - 500);
    let mut now = clock::monotonic().unwrap();
    let mut latest = std::collections::HashMap::new();
    let mut ended = 0;
    let mut parts = Vec::new();
    for reading in 0..3 {
        // The second reading ends what the first has seen.
        now += if reading == 1 { LATER } else { 0 };
        let mut count = 0;
        let report = loop {
            let report = kernel
                .drain_part(now, &mut |slot, record, end| {
                    let packets = record.halves.iter().map(|half| half.volume().packets).sum::<u64>();
                    latest.insert(slot, packets);
                    if end.is_some() {
                        ended += latest.remove(&slot).unwrap();
                    }
                })
                .unwrap();
            count += 1;
            if let Some(report) = report {
                break report;
            }
            send(&mut kernel, 20);
        };
        parts.push((count, report.live, report.freed));
    }
    let later = clock::monotonic().unwrap() + LATER;
    let (report, shown) = drain(&mut kernel, later);
    ended += shown.iter().map(|(_, packets, _)| packets).sum::<u64>();
    let full = kernel.totals(1).unwrap().passages[0].skipped[Counter::TableFull as usize].packets;
    assert_eq!(ended + full, sent, "{parts:?}");
    assert_eq!((report.live, full), (0, 0), "{parts:?}");
    // Three windows are looked at; in the second reading as many give slots back.
    assert!(parts[0].0 >= 4 && parts[1].0 >= 7 && parts[1].2 > 19_000, "{parts:?}");
}

/// As the daemon sees it between readings, without a look at any slot.
#[test]
fn free_slots_are_known_without_a_reading() {
    let Some(mut kernel) = load(SLOTS) else { return };
    let run = u64::from(SLOTS) / std::thread::available_parallelism().unwrap().get() as u64 / 16;
    let run = run.clamp(1, 64) as u32;
    assert_eq!(kernel.room().unwrap(), Room { free: SLOTS, slots: SLOTS });
    let mut stream = stream();
    for taken in [1, 64, 65, 1_000, SLOTS / 2, SLOTS - 1, SLOTS] {
        stream.frame[30] = stream.frame[30].wrapping_add(1);
        kernel.measure(Measured::Ingress, &mut stream.clone(), taken).unwrap();
        let free = kernel.room().unwrap().free;
        // The hand of one CPU holds a part of a run.
        assert_eq!(free, SLOTS.saturating_sub(taken.next_multiple_of(run)), "{taken} taken");
        let later = clock::monotonic().unwrap() + LATER;
        assert_eq!(drain(&mut kernel, later).0.freed, taken);
        let free = kernel.room().unwrap().free;
        assert!(SLOTS - free <= run, "{free} are free after {taken} came back");
    }
}
