//! Segments of TCP connections, as an input says them.

use flow_common::{
    event::{PayloadEvent, PayloadKind},
    key::{Endpoint, FlowKey, Scope, Sender, TunnelKind},
    wire::tcp::flag,
};

/// What may happen to a segment.
pub(super) mod fate {
    /// It is the server's, not the client's.
    pub(crate) const SERVER: u8 = 1;
    /// It is of another connection.
    pub(crate) const OTHER: u8 = 1 << 1;
    /// Nobody saw some bytes before it.
    pub(crate) const HOLE: u8 = 1 << 2;
    /// It says some bytes again, or what was missing before.
    pub(crate) const BACK: u8 = 1 << 3;
    /// Its copy lacks some bytes at its end.
    pub(crate) const CUT: u8 = 1 << 4;
    /// It comes after a long pause.
    pub(crate) const PAUSE: u8 = 1 << 5;
    /// Its side ends with it, by a RST where `step` is odd.
    pub(crate) const END: u8 = 1 << 6;
    /// What it acknowledges is not all that passed.
    pub(crate) const STALE: u8 = 1 << 7;
}

/// A segment of an input: its fate in a byte, how many bytes that is about in another, its length in two, its bytes.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) fate: u8,
    pub(super) step: u8,
    pub(super) bytes: &'a [u8],
}

impl Segment<'_> {
    pub(super) const fn is(&self, fate: u8) -> bool {
        self.fate & fate != 0
    }
}

/// The segments of an input.
pub(super) fn segments(input: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut rest = input;
    std::iter::from_fn(move || {
        let (&[fate, step, high, low], tail) = rest.split_first_chunk()?;
        let len = usize::from(u16::from_be_bytes([high & 15, low])).min(tail.len());
        let (bytes, after) = tail.split_at(len);
        rest = after;
        Some(Segment { fate, step, bytes })
    })
}

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLISECOND;

/// Where the connections of an input are.
pub(super) struct Wire {
    pub(super) now: u64,
    /// By connection and side: the number of the next byte.
    next: [u32; 4],
}

impl Wire {
    pub(super) const fn new() -> Self {
        // The numbers of a side wrap soon.
        Self { now: SECOND, next: [u32::MAX - 40, 7, 1_000, u32::MAX - 9] }
    }

    /// Lets the time before a segment pass.
    pub(super) const fn wait(&mut self, segment: &Segment<'_>) {
        self.now += if segment.is(fate::PAUSE) { 40 * SECOND } else { MILLISECOND };
    }

    /// The event of a segment.
    pub(super) fn event(&mut self, segment: &Segment<'_>) -> PayloadEvent {
        let step = u32::from(segment.step);
        let lacking = if segment.is(fate::CUT) { step } else { 0 };
        let len = segment.bytes.len() as u32;
        let own = usize::from(segment.fate & (fate::SERVER | fate::OTHER));
        let peer = self.next.get(own ^ 1).copied().unwrap_or_default();
        let mut seq = 0;
        if let Some(next) = self.next.get_mut(own) {
            seq = match (segment.is(fate::HOLE), segment.is(fate::BACK)) {
                (true, _) => next.wrapping_add(step),
                (_, true) => next.wrapping_sub(step),
                _ => *next,
            };
            let end = seq.wrapping_add(len + lacking);
            if end.wrapping_sub(*next).cast_signed() > 0 {
                *next = end;
            }
        }
        self.at(segment, seq, if segment.is(fate::STALE) { peer.wrapping_sub(step) } else { peer }, lacking)
    }

    /// The event of the end of a segment's side.
    pub(super) fn end(&self, segment: &Segment<'_>) -> PayloadEvent {
        let own = usize::from(segment.fate & (fate::SERVER | fate::OTHER));
        let [seq, ack] = [own, own ^ 1].map(|at| self.next.get(at).copied().unwrap_or_default());
        let event = self.at(&Segment { bytes: &[], ..*segment }, seq, ack, 0);
        let flags = if segment.step & 1 == 1 { flag::RST } else { flag::FIN };
        PayloadEvent { kind: PayloadKind::End as u8, tcp_flags: (flags | flag::ACK) as u8, ..event }
    }

    fn at(&self, segment: &Segment<'_>, seq: u32, ack: u32, lacking: u32) -> PayloadEvent {
        let scope = Scope {
            interface: 1,
            vlans: 0,
            protocol: 6,
            ipv6: false,
            tunnel: TunnelKind::None,
            tunnel_id: 0,
        };
        let port = 40_000 + u16::from(segment.is(fate::OTHER));
        let (key, client) = FlowKey::new(Endpoint::v4(1, port), Endpoint::v4(2, 700), &scope, None);
        let sender: Sender = if segment.is(fate::SERVER) { client.other() } else { client };
        PayloadEvent {
            key,
            time: self.now,
            slot: u32::from(segment.is(fate::OTHER)),
            seq,
            payload_len: segment.bytes.len() as u32 + lacking,
            copied: segment.bytes.len() as u16,
            kind: PayloadKind::Message as u8,
            sender: sender as u8,
            ack,
            tcp_flags: flag::ACK as u8,
            app: 0,
            retransmits: u16::from(segment.step) << 4,
            own_last: 0,
            peer_last: 0,
        }
    }
}
