//! A resolver and its client to tell stories with.

use flow_common::{
    app::App,
    event::{PayloadEvent, PayloadKind},
    key::{FlowKey, Sender},
};

use crate::{
    dns::{DnsExchange, DnsOptions, DnsOutcome, DnsTracker},
    testing::{scope, v4},
};

pub(super) const MILLISECOND: u64 = 1_000_000;
pub(super) const SECOND: u64 = 1_000_000_000;

/// A name as it lies in a message, without compression.
pub(super) fn name(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        bytes.push(label.len() as u8);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes
}

/// A message: flags, questions (name and type), and answers as records ready made.
pub(super) fn message(id: u16, flags: u16, questions: &[(&str, u16)], answers: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [id, flags, questions.len() as u16, answers.len() as u16, 0, 0] {
        bytes.extend(word.to_be_bytes());
    }
    for (text, qtype) in questions {
        bytes.extend(name(text));
        bytes.extend(qtype.to_be_bytes());
        bytes.extend([0, 1]);
    }
    bytes.extend(answers.concat());
    bytes
}

/// A record whose name points to the first question.
pub(super) fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xc0, 12];
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1, 0, 0, 0, 60]);
    bytes.extend((data.len() as u16).to_be_bytes());
    bytes.extend(data);
    bytes
}

pub(super) fn query(id: u16, name: &str) -> Vec<u8> {
    message(id, 0x0100, &[(name, 1)], &[])
}

pub(super) fn answer(id: u16, name: &str) -> Vec<u8> {
    message(id, 0x8180, &[(name, 1)], &[record(1, &[192, 0, 2, 9])])
}

/// A message behind its length, as over TCP.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

pub(super) struct Story {
    pub(super) tracker: DnsTracker,
    pub(super) key: FlowKey,
    pub(super) client: Sender,
    pub(super) time: u64,
    /// Next sequence numbers of client and server, close to their wrap.
    pub(super) next: [u32; 2],
    pub(super) out: Vec<DnsExchange>,
}

impl Story {
    pub(super) fn new(protocol: u8) -> Self {
        Self::with(protocol, DnsOptions::default())
    }

    pub(super) fn with(protocol: u8, options: DnsOptions) -> Self {
        let (key, client) = FlowKey::new(
            v4([10, 0, 0, 1], 40_000),
            v4([198, 51, 100, 7], 53),
            &scope(1, protocol, false),
            None,
        );
        let tracker = DnsTracker::new(options);
        Self { tracker, key, client, time: SECOND, next: [u32::MAX - 20, u32::MAX - 3], out: Vec::new() }
    }

    pub(super) fn event(&mut self, from_client: bool, seq: u32, payload: &[u8]) -> &mut Self {
        self.copied(from_client, seq, payload, payload.len())
    }

    /// A datagram of which the capture has the first `kept` bytes.
    pub(super) fn cut(&mut self, from_client: bool, payload: &[u8], kept: usize) -> &mut Self {
        self.copied(from_client, 0, &payload[..kept], payload.len())
    }

    fn copied(&mut self, from_client: bool, seq: u32, payload: &[u8], len: usize) -> &mut Self {
        let event = PayloadEvent {
            time: self.time,
            slot: 7,
            seq,
            payload_len: len as u32,
            copied: payload.len() as u16,
            sender: if from_client { self.client } else { self.client.other() } as u8,
            ..blank(self.key)
        };
        self.tracker.event(&event, payload, &mut |exchange| self.out.push(exchange));
        self
    }

    /// At the end of what its side sent.
    pub(super) fn send(&mut self, from_client: bool, payload: &[u8]) -> &mut Self {
        let side = usize::from(!from_client);
        let seq = self.next[side];
        self.next[side] = seq.wrapping_add(payload.len() as u32);
        self.event(from_client, seq, payload)
    }

    pub(super) fn client(&mut self, payload: &[u8]) -> &mut Self {
        self.send(true, payload)
    }

    pub(super) fn server(&mut self, payload: &[u8]) -> &mut Self {
        self.send(false, payload)
    }

    pub(super) fn pause(&mut self, nanoseconds: u64) -> &mut Self {
        self.time += nanoseconds;
        self.tracker.expire(self.time, &mut |exchange| self.out.push(exchange));
        self
    }

    pub(super) fn finish(&mut self) -> Vec<DnsExchange> {
        self.tracker.finish(&mut |exchange| self.out.push(exchange));
        assert_eq!(self.tracker.held(), (0, 0));
        std::mem::take(&mut self.out)
    }
}

pub(super) fn blank(key: FlowKey) -> PayloadEvent {
    PayloadEvent {
        key,
        time: 0,
        slot: 0,
        seq: 0,
        payload_len: 0,
        copied: 0,
        kind: PayloadKind::Message as u8,
        sender: 0,
        ack: 0,
        tcp_flags: 0,
        app: App::Dns as u8,
        retransmits: 0,
        own_last: 0,
        peer_last: 0,
    }
}

/// Names and outcomes.
pub(super) fn ends(lines: &[DnsExchange]) -> Vec<(&str, DnsOutcome)> {
    lines.iter().map(|line| (line.query.as_deref().unwrap_or("null"), line.outcome)).collect()
}
