//! A client and a server to tell stories with.

use flow_common::{
    app::App,
    event::{PayloadEvent, PayloadKind},
    key::{FlowKey, Sender},
};

use crate::{
    progress::Progress,
    testing::{scope, v4},
    tls::{TlsHandshake, TlsOptions, TlsTracker},
};

pub(super) const SECOND: u64 = 1_000_000_000;

/// A vector behind its length in two bytes.
fn vector16(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

fn vector8(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8], bytes].concat()
}

pub(super) fn extension(number: u16, data: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &vector16(data)].concat()
}

fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// A handshake message, without a record around it.
pub(super) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [.., high, middle, low] = body.len().to_be_bytes();
    [&[kind, high, middle, low], body].concat()
}

/// A record of the handshake, or an alert's.
pub(super) fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 3, 1], &vector16(content)[..]].concat()
}

/// A ClientHello as a browser sends it: GREASE everywhere, TLS 1.3 and 1.2, with `padding` bytes of a key share.
pub(crate) fn client_hello(name: &str, padding: usize) -> Vec<u8> {
    let protocols = [vector8(b"h2"), vector8(b"http/1.1")].concat();
    let versions = vector8(&numbers(&[0x3a3a, 0x0304, 0x0303]));
    let extensions = [
        extension(0x0a0a, &[]),
        extension(0, &vector16(&[&[0], &vector16(name.as_bytes())[..]].concat())),
        extension(51, &vec![0; padding]),
        extension(16, &vector16(&protocols)),
        extension(13, &vector16(&numbers(&[0x0403, 0x0804]))),
        extension(43, &versions),
    ]
    .concat();
    let ciphers = vector16(&numbers(&[0x1a1a, 0x1302, 0x1301, 0xc02b]));
    let body = [&[3, 3][..], &[9; 32], &vector8(&[7; 32]), &ciphers, &vector8(&[0]), &vector16(&extensions)]
        .concat();
    message(1, &body)
}

/// A ServerHello with these extensions.
pub(super) fn server_hello(version: u16, cipher: u16, extensions: &[Vec<u8>]) -> Vec<u8> {
    let (version, cipher) = (version.to_be_bytes(), cipher.to_be_bytes());
    let body =
        [&version[..], &[8; 32], &vector8(&[]), &cipher, &[0], &vector16(&extensions.concat())].concat();
    message(2, &body)
}

/// A server's choice of TLS 1.3.
pub(crate) fn modern() -> Vec<u8> {
    server_hello(0x0303, 0x1301, &[extension(51, &[0; 36]), extension(43, &[3, 4])])
}

pub(super) struct Story {
    pub(super) tracker: TlsTracker,
    pub(super) key: FlowKey,
    pub(super) client: Sender,
    pub(super) slot: u32,
    pub(super) time: u64,
    /// Next sequence numbers of client and server, close to their wrap.
    pub(super) next: [u32; 2],
    pub(super) out: Vec<TlsHandshake>,
    /// The flow's record can be had.
    pub(super) lives: bool,
}

impl Story {
    pub(super) fn new() -> Self {
        Self::with(TlsOptions::default())
    }

    pub(super) fn with(options: TlsOptions) -> Self {
        let (key, client) =
            FlowKey::new(v4([10, 0, 0, 1], 40_000), v4([198, 51, 100, 7], 443), &scope(1, 6, false), None);
        let (tracker, next) = (TlsTracker::new(options), [u32::MAX - 20, u32::MAX - 3]);
        Self { tracker, key, client, slot: 7, time: SECOND, next, out: Vec::new(), lives: false }
    }

    pub(super) fn event(
        &mut self,
        from_client: bool,
        kind: PayloadKind,
        seq: u32,
        payload: &[u8],
        flags: u8,
    ) {
        let event = PayloadEvent {
            key: self.key,
            time: self.time,
            slot: self.slot,
            seq,
            payload_len: payload.len() as u32,
            copied: payload.len() as u16,
            kind: kind as u8,
            sender: if from_client { self.client } else { self.client.other() } as u8,
            ack: 0,
            tcp_flags: flags,
            app: App::Tls as u8,
            retransmits: 0,
            own_last: 0,
            peer_last: 0,
        };
        self.tracker.event(&event, payload, &mut |handshake| self.out.push(handshake));
    }

    /// At the end of what its side sent.
    pub(super) fn send(&mut self, from_client: bool, payload: &[u8]) -> &mut Self {
        let side = usize::from(!from_client);
        let seq = self.next[side];
        self.next[side] = seq.wrapping_add(payload.len() as u32);
        self.event(from_client, PayloadKind::Message, seq, payload, 0x18);
        self
    }

    pub(super) fn client(&mut self, payload: &[u8]) -> &mut Self {
        self.send(true, payload)
    }

    pub(super) fn server(&mut self, payload: &[u8]) -> &mut Self {
        self.send(false, payload)
    }

    pub(super) fn end(&mut self, from_client: bool, flags: u8) -> &mut Self {
        self.event(from_client, PayloadKind::End, 0, &[], flags);
        self
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
        assert_eq!(self.tracker.held(), 0);
        std::mem::take(&mut self.out)
    }
}
