//! What it costs to find out what a connection speaks: nanoseconds for each segment until that is decided, and for each
//! connection in all. `cargo bench -p flowd-protocols --bench opening`; under callgrind with `--once`.
#![allow(clippy::print_stdout, reason = "a table for people")]

use std::{hint::black_box, time::Instant};

use flow_common::{
    event::{PayloadEvent, PayloadKind},
    key::{Endpoint, FlowKey, Scope, TunnelKind},
    wire::tcp::flag,
};
use flowd_protocols::{
    Follow, Options, PROTOCOLS, Query, Statements,
    conversation::{Conversations, Entry},
    record::Found,
};

const CONNECTIONS: u32 = 1_000;
const SEGMENTS: usize = 20;
const ROUNDS: usize = 15;

/// What the client or the server says in a segment of some number.
type Says = fn(u32, usize, &mut u64) -> (bool, Vec<u8>);

fn random(state: &mut u64, len: usize) -> Vec<u8> {
    let step = |state: &mut u64| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 32) as u8
    };
    (0..len).map(|_| step(state)).collect()
}

const KINDS: [(&str, Says); 6] = [
    ("random bytes, in turns", |_, at, state| (at % 2 == 0, random(state, 200))),
    ("random bytes of the client", |_, _, state| (true, random(state, 1_400))),
    ("lines of text, in turns", |_, at, _| {
        (at % 2 == 1, format!("{:03} what nobody knows, number {at}\r\n", 100 + at * 7).into_bytes())
    }),
    ("records with a length, in turns", |_, at, state| {
        let body = random(state, 60 + at);
        (at % 2 == 0, [&(body.len() as u32).to_be_bytes()[..], &body].concat())
    }),
    ("a banner, then random bytes", |_, at, state| match at {
        0 => (false, b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        1 => (true, b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        _ => (at % 2 == 0, random(state, 400)),
    }),
    ("Redis", |_, at, _| match at % 2 {
        0 => (true, b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n".to_vec()),
        _ => (false, b"$1\r\nb\r\n".to_vec()),
    }),
];

fn events(says: Says) -> Vec<(PayloadEvent, Vec<u8>)> {
    let scope =
        Scope { interface: 1, vlans: 0, protocol: 6, ipv6: false, tunnel: TunnelKind::None, tunnel_id: 0 };
    let (mut events, mut state) = (Vec::new(), 0x9e37_79b9_7f4a_7c15);
    let mut next = vec![[1_000_u32, 2_000]; CONNECTIONS as usize];
    for at in 0..SEGMENTS {
        for (slot, next) in (0..CONNECTIONS).zip(&mut next) {
            let (client, bytes) = says(slot, at, &mut state);
            let ends = (Endpoint::v4(slot, 40_000), Endpoint::v4(u32::MAX, 7_000));
            let (key, from) = FlowKey::new(ends.0, ends.1, &scope, None);
            let [to, from_server] = *next;
            let (seq, ack) = if client { (to, from_server) } else { (from_server, to) };
            let [a, b] = next;
            *(if client { a } else { b }) = seq + bytes.len() as u32;
            let event = PayloadEvent {
                key,
                time: 1_000_000 * (at as u64 + 1) + u64::from(slot),
                slot,
                seq,
                payload_len: bytes.len() as u32,
                copied: bytes.len() as u16,
                kind: PayloadKind::Message as u8,
                sender: if client { from } else { from.other() } as u8,
                ack,
                tcp_flags: flag::ACK as u8,
                app: 0,
                retransmits: 0,
                own_last: 0,
                peer_last: 0,
            };
            events.push((event, bytes));
        }
    }
    events
}

fn main() {
    let once = std::env::args().any(|argument| argument == "--once");
    let options: Vec<_> = PROTOCOLS
        .iter()
        .map(|registered| Options {
            head_bytes: 4_096,
            query: Query::Drop,
            statements: Statements::Drop,
            on: true,
            keys: (registered.keys.defaults)(),
        })
        .collect();
    println!("{:<34} {:>8} {:>10} {:>13}", "", "segments", "ns/segment", "ns/connection");
    for (name, says) in KINDS {
        let events = events(says);
        let mut times = Vec::new();
        let mut segments = 0;
        for _ in 0..if once { 1 } else { ROUNDS } {
            let entries = PROTOCOLS.iter().zip(&options).filter_map(|(registered, options)| {
                let Follow::Dialect(candidate) = registered.follow else { return None };
                let operations = registered.numbers.operations();
                Some(Entry { app: registered.app, candidate, operations, options })
            });
            let mut conversations = Conversations::new(entries);
            let mut found = Found::new();
            let mut decided = vec![false; CONNECTIONS as usize];
            segments = 0;
            let begin = Instant::now();
            for (event, bytes) in &events {
                // The packet path copies no more of what is decided.
                if decided.get(event.slot as usize).is_none_or(|decided| *decided) {
                    continue;
                }
                segments += 1;
                conversations.event(black_box(event), black_box(bytes), &mut found);
                for decision in conversations.decisions() {
                    if let Some(decided) = decided.get_mut(decision.slot as usize) {
                        *decided = true;
                    }
                }
            }
            times.push(begin.elapsed().as_nanos() as u64);
            black_box(found.len());
        }
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        println!(
            "{name:<34} {:>8.1} {:>10} {:>13}",
            segments as f64 / f64::from(CONNECTIONS),
            median / segments.max(1),
            median / u64::from(CONNECTIONS)
        );
    }
}
