//! What several CPUs use at once: counts are all there, readers find whole words, and the programs have no exclusive
//! reference to it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::{fs, path::Path, sync::atomic::Ordering, thread};

use flow_common::{
    app::Apps,
    dissect::{self, Headers, Link, NO_TAG, Start},
    event::PayloadKind,
    key::{FlowKey, Sender},
    packet::Captured,
    record::{FlowRecord, SharedRecord, Volume},
    shared::Share as _,
    sniff::{self, Find, Wanted},
    tcp::{Payload, SegmentKind},
    wire::tcp::flag,
};
use support::{frames, track};

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

/// One CPU's way through a segment, step by step.
struct Cpu {
    sender: Sender,
    frame: Vec<u8>,
    headers: Headers,
    step: usize,
    last_talker: u8,
    kind: SegmentKind,
    find: Option<Find>,
}

impl Cpu {
    const STEPS: usize = 3;

    fn new(sender: Sender, flags: u16, sequence: u32, acknowledgement: u32, payload: &[u8]) -> Self {
        let (source, destination, options) = (40_000, 80, Vec::new());
        let tcp =
            frames::Tcp { source, destination, sequence, acknowledgement, flags, window: 1_000, options };
        let frame = frames::ethernet(frames::IPV4, &frames::V4::of(6).wrap(&tcp.wrap(payload)));
        let mut headers = Headers::NONE;
        let start = Start { offset: 0, link: Link::Ethernet, moved_tag: NO_TAG };
        dissect::dissect(&Captured { data: &frame, original_len: frame.len() as u32 }, &start, &mut headers)
            .unwrap();
        Self { sender, frame, headers, step: 0, last_talker: 0, kind: SegmentKind::Empty, find: None }
    }

    fn go_on(&mut self, record: &SharedRecord, now: u64) {
        let segment = &self.headers.segment;
        let payload = Payload { len: self.headers.payload_len, segment_size: 0 };
        match self.step {
            0 => self.last_talker = record.last_talker.get(),
            1 => self.kind = track(record, self.sender, segment, payload, 0, now),
            _ => {
                let packet = Captured { data: &self.frame, original_len: self.frame.len() as u32 };
                let wanted = Wanted { apps: Apps::ALL, conversations: true, head_bytes: 512 };
                let (headers, kind) = (&self.headers, self.kind);
                self.find =
                    sniff::sniff(&packet, record, self.sender, headers, kind, self.last_talker, wanted);
            }
        }
        self.step += 1;
    }

    fn all(mut self, record: &SharedRecord, now: u64) -> Option<Find> {
        (0..Self::STEPS).for_each(|_| self.go_on(record, now));
        self.find
    }
}

/// The kernel hands segments of one side to two CPUs when their sender moves from one CPU to another.
#[test]
fn no_message_begins_unseen_however_two_cpus_take_turns() {
    const PSH: u16 = flag::PSH | flag::ACK;
    let (get, head, body) = (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", [b'x'; 1_000]);
    let (asked, answered) = (get.len() as u32, (head.len() + body.len()) as u32);
    let mut orders = 0;
    for order in 0_u32..1 << (2 * Cpu::STEPS) {
        if order.count_ones() as usize != Cpu::STEPS {
            continue;
        }
        orders += 1;
        let record = FlowRecord::new(&FlowKey::EMPTY, 1).into_shared();
        Cpu::new(Sender::A, flag::SYN, 99, 0, b"").all(&record, 1_000);
        Cpu::new(Sender::B, flag::SYN | flag::ACK, 499, 100, b"").all(&record, 2_000);
        for round in 0..3 {
            let now = 1_000_000 * u64::from(round + 1);
            let (client, server) = (100 + asked * round, 500 + answered * round);
            let request = Cpu::new(Sender::A, PSH, client, server, get).all(&record, now);
            assert_eq!(
                request.map(|find| find.kind as u8),
                Some(PayloadKind::Request as u8),
                "round {round}"
            );
            let client = client + asked;
            let mut cpus = [
                Cpu::new(Sender::B, PSH, server, client, head),
                Cpu::new(Sender::B, flag::ACK, server + head.len() as u32, client, &body),
            ];
            for step in 0..2 * Cpu::STEPS {
                cpus[(order >> step & 1) as usize].go_on(&record, now + 1_000 * (step as u64 + 1));
            }
            let found = cpus[0].find.as_ref().map(|find| find.kind as u8);
            assert_eq!(found, Some(PayloadKind::Response as u8), "order {order:06b}, round {round}");
        }
    }
    assert_eq!(orders, 20);
}

/// A host that answers acknowledges on the CPU that received, and answers on the one that its program runs on.
#[test]
fn what_a_segment_is_does_not_hang_on_what_another_cpu_has_at_the_time() {
    let record = FlowRecord::new(&FlowKey::EMPTY, 1).into_shared();
    Cpu::new(Sender::B, flag::SYN | flag::ACK, 499, 100, b"").all(&record, 1_000);
    let segment = |sequence| Cpu::new(Sender::B, flag::ACK, sequence, 100, b"x").headers.segment;
    let track = |sequence, len, now| {
        track(&record, Sender::B, &segment(sequence), Payload { len, segment_size: 0 }, 0, now)
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            for at in 0..PACKETS as u32 {
                assert_eq!(track(500 + at, 1, 2_000 + u64::from(at)), SegmentKind::New, "byte {at}");
            }
        });
        for at in 0..PACKETS {
            assert_eq!(track(500, 0, 2_000 + at), SegmentKind::Empty, "acknowledgement {at}");
        }
    });
    assert_eq!(FlowRecord::load(&record).half(Sender::B).quality.retransmits, 0);
}
