//! What several CPUs use at once: counts are all there, readers find whole words, and the programs have no exclusive
//! reference to it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{fs, path::Path, sync::atomic::Ordering, thread};

use flow_common::{
    key::{FlowKey, Sender},
    record::{FlowRecord, SharedRecord, Volume},
    shared::Share as _,
};

const PACKETS: u64 = 50_000;
const ONE: Volume = Volume { packets: 1, skb_packets: 1, ip_bytes: 100, frame_bytes: 114, payload_bytes: 60 };

fn count(record: &SharedRecord, cpu: u32) {
    record.half(Sender::A).count(cpu, &ONE, |counter, amount| {
        counter.fetch_add(amount, Ordering::Relaxed);
    });
}

#[test]
fn what_cpus_count_at_once_is_all_there_and_never_less_than_before() {
    let record = FlowRecord::new(&FlowKey::EMPTY, 1).into_shared();
    // The first packet says whose the half is.
    count(&record, 0);
    thread::scope(|scope| {
        let writers = [0, 1, 2].map(|cpu| {
            let record = &record;
            scope.spawn(move || (0..PACKETS).for_each(|_| count(record, cpu)))
        });
        let mut before = 0;
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            let volume = FlowRecord::load(&record).half(Sender::A).volume();
            assert!(volume.packets >= before);
            before = volume.packets;
        }
    });
    let volume = FlowRecord::load(&record).half(Sender::A).volume();
    let packets = 3 * PACKETS + 1;
    assert_eq!((volume.packets, volume.ip_bytes), (packets, packets * ONE.ip_bytes));
}

/// The compiler may take for granted that nobody else writes behind a `&mut`.
#[test]
fn programs_borrow_only_what_is_their_cpus_own_for_themselves() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../xdp-ebpf/src");
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let text = files.collect::<Vec<_>>().join("\n");
    let mut borrowed = 0;
    for (at, _) in text.match_indices(".get_ptr_mut(") {
        let map = text[..at].rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap();
        let own = ["PerCpuArray<", "PerCpuHashMap<"].map(|kind| format!("static {map}: {kind}"));
        assert!(own.iter().any(|own| text.contains(own)), "{map} is of all CPUs");
        borrowed += 1;
    }
    assert!(borrowed > 3, "{borrowed}");
}
