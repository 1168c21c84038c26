//! TCP conversations as a list of segments: who, when, and numbers relative to each side's first.

use flow_common::{
    key::Sender,
    record::{FlowRecord, Half, Rtt, TcpEnd},
    wire::tcp::flag,
};

use super::{World, frames};

/// One segment. Sequence and acknowledgement numbers are relative: 0 is the SYN, 1 the first byte.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    client: bool,
    /// Nanoseconds from the story's begin.
    at: u64,
    flags: u16,
    seq: u32,
    ack: u32,
    len: usize,
    window: u16,
    timestamps: Option<(u32, u32)>,
    tos: u8,
}

const fn step(client: bool, at: u64) -> Step {
    Step { client, at, flags: 0, seq: 0, ack: 0, len: 0, window: 1000, timestamps: None, tos: 0 }
}

/// A segment of the client, `ms` milliseconds into the story.
pub(crate) const fn c(ms: u64) -> Step {
    step(true, ms * 1_000_000)
}

/// A segment of the server.
pub(crate) const fn s(ms: u64) -> Step {
    step(false, ms * 1_000_000)
}

impl Step {
    pub(crate) const fn syn(mut self) -> Self {
        self.flags |= flag::SYN;
        self
    }

    pub(crate) const fn fin(mut self) -> Self {
        self.flags |= flag::FIN;
        self
    }

    pub(crate) const fn rst(mut self) -> Self {
        self.flags |= flag::RST;
        self
    }

    pub(crate) const fn flags(mut self, flags: u16) -> Self {
        self.flags |= flags;
        self
    }

    pub(crate) const fn seq(mut self, seq: u32) -> Self {
        self.seq = seq;
        self
    }

    pub(crate) const fn ack(mut self, ack: u32) -> Self {
        self.flags |= flag::ACK;
        self.ack = ack;
        self
    }

    pub(crate) const fn data(mut self, len: usize) -> Self {
        self.len = len;
        self
    }

    pub(crate) const fn window(mut self, window: u16) -> Self {
        self.window = window;
        self
    }

    pub(crate) const fn ts(mut self, value: u32, echo: u32) -> Self {
        self.timestamps = Some((value, echo));
        self
    }

    pub(crate) const fn tos(mut self, tos: u8) -> Self {
        self.tos = tos;
        self
    }

    /// Microseconds later than the millisecond says.
    pub(crate) const fn us(mut self, us: u64) -> Self {
        self.at += us * 1000;
        self
    }
}

/// SYN, SYN-ACK and ACK at 0, 20 and 30 ms: 20 ms to the server, 10 ms to the client.
pub(crate) fn handshake() -> Vec<Step> {
    vec![c(0).syn(), s(20).syn().ack(1), c(30).seq(1).ack(1)]
}

/// The handshake and what follows it.
pub(crate) fn connected(rest: impl IntoIterator<Item = Step>) -> Vec<Step> {
    handshake().into_iter().chain(rest).collect()
}

/// First sequence numbers of client and server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) client: u32,
    pub(crate) server: u32,
}

pub(crate) const ORIGIN: Origin = Origin { client: 1_000_000, server: 3_000_000_000 };

/// The frame that a step is on the wire.
pub(crate) fn frame(step: &Step, origin: Origin) -> Vec<u8> {
    let (own, peer) =
        if step.client { (origin.client, origin.server) } else { (origin.server, origin.client) };
    let (source, destination) = if step.client { (40_000, 80) } else { (80, 40_000) };
    let acknowledgement = if step.flags & flag::ACK == 0 { 0 } else { peer.wrapping_add(step.ack) };
    let tcp = frames::Tcp {
        source,
        destination,
        sequence: own.wrapping_add(step.seq),
        acknowledgement,
        flags: step.flags,
        window: step.window,
        options: step.timestamps.map_or(Vec::new(), |(value, echo)| frames::timestamps(value, echo)),
    };
    let mut ip = frames::V4::of(6);
    ip.tos = step.tos;
    if !step.client {
        (ip.source, ip.destination) = (ip.destination, ip.source);
    }
    frames::ethernet(frames::IPV4, &ip.wrap(&tcp.wrap(&vec![b'x'; step.len])))
}

/// The world after a story.
pub(crate) fn play_from(origin: Origin, steps: &[Step]) -> World {
    let mut world = World::new(64);
    let begin = world.now;
    for step in steps {
        world.now = begin + step.at;
        world.feed(&frame(step, origin));
    }
    world
}

pub(crate) fn play(steps: &[Step]) -> World {
    play_from(ORIGIN, steps)
}

/// The one flow of a story.
pub(crate) fn one(world: &World) -> FlowRecord {
    assert_eq!(world.records().len(), 1, "a story of one flow");
    world.records().pop().unwrap_or_else(|| unreachable!())
}

/// TCP quality of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quality {
    pub(crate) retransmits: u32,
    pub(crate) out_of_order: u32,
    pub(crate) duplicate_acks: u32,
    pub(crate) zero_windows: u32,
    pub(crate) syn_retransmits: u32,
    pub(crate) resets: u32,
}

/// Nothing to complain about.
pub(crate) const CLEAN: Quality = Quality {
    retransmits: 0,
    out_of_order: 0,
    duplicate_acks: 0,
    zero_windows: 0,
    syn_retransmits: 0,
    resets: 0,
};

fn quality_of(half: &Half) -> Quality {
    let quality = &half.quality;
    Quality {
        retransmits: quality.retransmits,
        out_of_order: quality.out_of_order,
        duplicate_acks: quality.duplicate_acks,
        zero_windows: quality.zero_windows,
        syn_retransmits: quality.syn_retransmits,
        resets: quality.resets,
    }
}

pub(crate) const fn client(record: &FlowRecord) -> &Half {
    record.half(record.client())
}

pub(crate) const fn server(record: &FlowRecord) -> &Half {
    record.half(record.client().other())
}

/// Of what the client sent, and of what the server sent.
pub(crate) fn quality(record: &FlowRecord) -> (Quality, Quality) {
    (quality_of(client(record)), quality_of(server(record)))
}

/// Count, least and most of the samples, in milliseconds.
pub(crate) fn rtt_ms(rtt: &Rtt) -> (u32, u64, u64) {
    (rtt.count, rtt.min / 1_000_000, rtt.max / 1_000_000)
}

/// To the server and to the client, in milliseconds; `None` where not known.
pub(crate) fn handshake_ms(record: &FlowRecord) -> (Option<u64>, Option<u64>) {
    let known = |rtt: u64| rtt.checked_sub(1).map(|ns| ns / 1_000_000);
    (known(record.handshake_server_rtt), known(record.handshake_client_rtt))
}

pub(crate) fn history(record: &FlowRecord) -> String {
    let letters = record.history.iter().take(usize::from(record.history_len));
    letters.map(|letter| char::from(*letter)).collect()
}

/// Zeek's `conn_state` by the words of its manual, from where both ends stand.
pub(crate) fn state(record: &FlowRecord) -> &'static str {
    let end = |sender: Sender| record.half(sender).tcp.state;
    let is = |state: u8, wanted: TcpEnd| state == wanted as u8;
    let (client, server) = (end(record.client()), end(record.client().other()));
    let silent = |state: u8| is(state, TcpEnd::Inactive);
    let opened = |state: u8| is(state, TcpEnd::Established) || is(state, TcpEnd::Closed);
    match () {
        () if is(client, TcpEnd::SynSent) && silent(server) => "S0",
        () if is(client, TcpEnd::SynSent) && is(server, TcpEnd::Reset) => "REJ",
        () if is(client, TcpEnd::Established) && is(server, TcpEnd::Established) => "S1",
        () if is(client, TcpEnd::Closed) && is(server, TcpEnd::Closed) => "SF",
        () if is(client, TcpEnd::Closed) && is(server, TcpEnd::Established) => "S2",
        () if is(client, TcpEnd::Established) && is(server, TcpEnd::Closed) => "S3",
        () if is(client, TcpEnd::Closed) && silent(server) => "SH",
        () if silent(client) && is(server, TcpEnd::Closed) => "SHR",
        () if is(client, TcpEnd::Reset) && silent(server) => "RSTOS0",
        () if silent(client) && is(server, TcpEnd::Reset) => "RSTRH",
        () if is(client, TcpEnd::Reset) && (opened(server) || is(server, TcpEnd::SynAckSent)) => "RSTO",
        () if is(server, TcpEnd::Reset) && opened(client) => "RSTR",
        () => "OTH",
    }
}
