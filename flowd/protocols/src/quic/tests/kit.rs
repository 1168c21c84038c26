//! A client and a server to tell stories with.

use flow_common::{
    app::App,
    event::{PayloadEvent, PayloadKind},
    key::{FlowKey, Sender},
};

use crate::{
    progress::Progress,
    quic::{
        QuicOptions, QuicTracker,
        parse::{Keys, Version},
    },
    testing::{scope, v4},
    tls::TlsHandshake,
};

pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const VERSION_2: u32 = 0x6b33_43cf;

/// The ids that a client begins with: the server's, which is made up, and its own.
pub(super) const ORIGIN: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8];
pub(super) const CLIENT: &[u8] = &[9, 9, 9];
pub(super) const SERVER: &[u8] = &[7; 20];

/// A number in two bytes.
fn number(value: usize) -> [u8; 2] {
    (0x4000 | value as u16).to_be_bytes()
}

/// CRYPTO frame.
pub(super) fn crypto(offset: usize, bytes: &[u8]) -> Vec<u8> {
    [&[6][..], &number(offset), &number(bytes.len()), bytes].concat()
}

/// CONNECTION_CLOSE frame without a text.
pub(super) fn close(error: u16) -> Vec<u8> {
    [&[0x1c][..], &number(usize::from(error)), &[6, 0]].concat()
}

/// A long header up to its packet number, for as many bytes behind that.
fn header(version: u32, kind: u8, ids: [&[u8]; 2], token: Option<&[u8]>, len: usize) -> Vec<u8> {
    let ahead = u8::from(version == VERSION_2);
    let mut header = vec![0xc1 | ((kind + ahead) & 3) << 4];
    header.extend(version.to_be_bytes());
    for id in ids {
        header.push(id.len() as u8);
        header.extend(id);
    }
    if let Some(token) = token {
        header.extend(number(token.len()));
        header.extend(token);
    }
    header.extend(number(len));
    header
}

/// An Initial packet.
#[derive(Clone, Copy)]
pub(super) struct Packet<'a> {
    pub(super) from_client: bool,
    pub(super) version: u32,
    /// What the keys follow from.
    pub(super) origin: &'a [u8],
    /// Destination and source.
    pub(super) ids: [&'a [u8]; 2],
    pub(super) token: &'a [u8],
    pub(super) number: u16,
}

/// The client's first.
pub(super) const FIRST: Packet<'_> =
    Packet { from_client: true, version: 1, origin: ORIGIN, ids: [ORIGIN, CLIENT], token: &[], number: 0 };
/// The server's first.
pub(super) const ANSWER: Packet<'_> = Packet { from_client: false, ids: [CLIENT, SERVER], ..FIRST };

impl Packet<'_> {
    /// The packet around these frames.
    pub(super) fn around(&self, frames: &[u8]) -> Vec<u8> {
        const NUMBER_AND_TAG: usize = 18;
        let keys = Keys::new(Version::of(self.version).unwrap(), self.origin).unwrap();
        let len = frames.len() + NUMBER_AND_TAG;
        let header = header(self.version, 0, self.ids, Some(self.token), len);
        keys.seal(self.from_client, &header, self.number, frames)
    }
}

/// A packet of the same shape that nobody can read: 1 is 0-RTT, 2 is Handshake.
pub(super) fn sealed(version: u32, kind: u8, ids: [&[u8]; 2]) -> Vec<u8> {
    let mut packet = header(version, kind, ids, None, 60);
    packet.resize(packet.len() + 60, 0x5a);
    packet
}

pub(super) struct Story {
    pub(super) tracker: QuicTracker,
    pub(super) key: FlowKey,
    pub(super) client: Sender,
    pub(super) slot: u32,
    pub(super) time: u64,
    pub(super) out: Vec<TlsHandshake>,
    /// The flow's record can be had.
    pub(super) lives: bool,
}

impl Story {
    pub(super) fn new() -> Self {
        Self::with(QuicOptions::default())
    }

    pub(super) fn with(options: QuicOptions) -> Self {
        let (key, client) =
            FlowKey::new(v4([10, 0, 0, 1], 40_000), v4([198, 51, 100, 7], 443), &scope(1, 17, false), None);
        Self {
            tracker: QuicTracker::new(options),
            key,
            client,
            slot: 7,
            time: SECOND,
            out: Vec::new(),
            lives: false,
        }
    }

    /// A datagram passes.
    pub(super) fn send(&mut self, from_client: bool, payload: &[u8]) -> &mut Self {
        let event = PayloadEvent {
            key: self.key,
            time: self.time,
            slot: self.slot,
            seq: 0,
            payload_len: payload.len() as u32,
            copied: payload.len() as u16,
            kind: PayloadKind::Message as u8,
            sender: if from_client { self.client } else { self.client.other() } as u8,
            ack: 0,
            tcp_flags: 0,
            app: App::Quic as u8,
            retransmits: 0,
            own_last: 0,
            peer_last: 0,
        };
        self.tracker.event(&event, payload, &mut |handshake| self.out.push(handshake));
        self
    }

    pub(super) fn client(&mut self, payload: &[u8]) -> &mut Self {
        self.send(true, payload)
    }

    pub(super) fn server(&mut self, payload: &[u8]) -> &mut Self {
        self.send(false, payload)
    }

    pub(super) fn pause(&mut self, nanoseconds: u64) -> &mut Self {
        self.time += nanoseconds;
        let progress = self.lives.then_some(Progress {
            key: self.key,
            lives: true,
            sides: Default::default(),
            retransmits: 0,
        });
        self.tracker.expire(self.time, &mut |_| progress, &mut |handshake| self.out.push(handshake));
        self
    }

    pub(super) fn finish(&mut self) -> Vec<TlsHandshake> {
        self.tracker.finish(&mut |handshake| self.out.push(handshake));
        assert_eq!((self.tracker.held(), self.tracker.held_bytes()), (0, 0));
        std::mem::take(&mut self.out)
    }

    /// The only line.
    pub(super) fn only(&mut self) -> TlsHandshake {
        let mut lines = self.finish();
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }
}
