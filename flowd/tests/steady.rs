//! In the steady state a reading allocates nothing, and a live flow takes what the README says.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use flow_common::{
    key::{Endpoint, FlowKey, Scope, TunnelKind},
    record::{FlowRecord, Half, Volume},
    shared::Share as _,
};
use flowd::{
    aggregate::{Ledger, LedgerOptions, Policy, Watched},
    clock::WallClock,
    config::Config,
    flow::EndReason,
};

/// The system's allocator, with a tally.
struct Tally;

static CALLS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Tally {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        BYTES.fetch_add(layout.size() as u64, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size() as u64, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Tally = Tally;

const FLOWS: u32 = 50_000;
const SECOND: u64 = 1_000_000_000;

fn records() -> Vec<FlowRecord> {
    let scope =
        Scope { interface: 1, vlans: 0, protocol: 6, ipv6: false, tunnel: TunnelKind::None, tunnel_id: 0 };
    (0..FLOWS)
        .map(|number| {
            let client = Endpoint::v4((0x0a00_0000 + number).to_be(), 40_000);
            let (key, sender) =
                FlowKey::new(client, Endpoint::v4(0xc633_6407_u32.to_be(), 443), &scope, None);
            let mut record = FlowRecord::new(&key, SECOND);
            record.client = sender as u8;
            record
        })
        .collect()
}

/// Every flow has a packet more, and the ledger takes all of them in.
fn reading(
    ledger: &mut Ledger,
    records: &mut [FlowRecord],
    now: u64,
    lines: &mut u32,
    end: Option<EndReason>,
) {
    for (slot, record) in (0..).zip(records) {
        let volume =
            Volume { packets: 1, skb_packets: 1, ip_bytes: 100, frame_bytes: 114, payload_bytes: 60 };
        for half in &mut record.halves {
            Half::shared(half).count(0, &volume, |_, _| {});
            half.last = now;
            half.rtt.count += 1;
        }
        ledger.absorb(slot, record, end, now, &mut |_| *lines += 1);
    }
    ledger.drained(now, WallClock::CAPTURE);
}

#[test]
fn a_reading_allocates_nothing() {
    let watched = Watched {
        slot: 1,
        name: "eth0".into(),
        one_point: true,
        physical: true,
        speed: None,
        mac: String::new(),
        mtu: 1_500,
        ifindex: 1,
    };
    let options = LedgerOptions { conversations: FLOWS as usize, active_timeout: Some(60 * SECOND) };
    let mut ledger = Ledger::new(
        options,
        Arc::new(Policy::new(&Config::default())),
        vec![(watched, None)],
        WallClock::CAPTURE,
    );
    let mut records = records();
    let mut lines = 0;
    let empty = BYTES.load(Relaxed);
    reading(&mut ledger, &mut records, 2 * SECOND, &mut lines, None);
    let per_flow = (BYTES.load(Relaxed) - empty) / u64::from(FLOWS);
    println!("{per_flow} bytes per live flow");
    let readme = include_str!("../../README.md");
    let formula = format!("{} × live flows", (per_flow + 50) / 100 * 100);
    assert!(readme.contains(&formula), "{per_flow} bytes per live flow: the README must say {formula}");

    let calls = CALLS.load(Relaxed);
    reading(&mut ledger, &mut records, 12 * SECOND, &mut lines, None);
    assert_eq!(CALLS.load(Relaxed) - calls, 0, "allocations of a reading");
    assert_eq!(lines, 0);

    // A line of the log is text of its own; beside it, only the first cut takes memory.
    reading(&mut ledger, &mut records, 70 * SECOND, &mut lines, None);
    assert_eq!(lines, FLOWS);
    let cut = (BYTES.load(Relaxed) - empty) / u64::from(FLOWS) - per_flow;
    let formula = format!("flow log {} more per live flow", (cut + 50) / 100 * 100);
    assert!(readme.contains(&formula), "{cut} bytes: the README must say {formula}");
    let bytes = BYTES.load(Relaxed);
    reading(&mut ledger, &mut records, 140 * SECOND, &mut lines, None);
    assert_eq!((lines, BYTES.load(Relaxed)), (2 * FLOWS, bytes));

    let calls = CALLS.load(Relaxed);
    reading(&mut ledger, &mut records, 150 * SECOND, &mut lines, None);
    assert_eq!(CALLS.load(Relaxed) - calls, 0, "allocations of a reading");

    reading(&mut ledger, &mut records, 160 * SECOND, &mut lines, Some(EndReason::Idle));
    assert!(ledger.live().is_empty());
    let left = BYTES.load(Relaxed).saturating_sub(empty) / u64::from(FLOWS);
    assert!(left < 150, "{left} bytes per flow are left when all have ended");
}
