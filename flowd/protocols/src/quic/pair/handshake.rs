//! One handshake: whose packets belong to it, and what they amount to.

use flow_common::{
    event::PayloadEvent,
    key::{FlowKey, Sender},
};

use crate::{
    quic::parse::{ConnectionId, CryptoStream, Frame, Initial, Keys, Version, frames},
    record::Head,
    tls::{
        TlsHandshake, TlsOutcome,
        parse::{
            CLIENT_HELLO, Carrier, ClientHello, FirstMessage, SERVER_HELLO, ServerHello, ja4, message_of,
        },
    },
};

/// A handshake, under way or with its line already out.
#[derive(Debug)]
pub(super) struct Handshake {
    key: FlowKey,
    pub(super) slot: u32,
    /// The client's first Initial packet, nanoseconds of the packet clock.
    pub(super) begin: u64,
    client: Sender,
    /// How the server addresses the client.
    client_id: ConnectionId,
    version: Version,
    /// What the keys follow from, and the keys.
    origin: ConnectionId,
    keys: Keys,
    /// What the client's first packet since then showed the server.
    token: Box<[u8]>,
    asked: CryptoStream,
    said: CryptoStream,
    /// The server's first Initial packet that said something, nanoseconds of the packet clock.
    said_at: Option<u64>,
    /// Why the server gave the connection up.
    closed: Option<u64>,
    /// Its line has left.
    reported: bool,
}

/// Of a server's reason, the part that is TLS's alert (RFC 9001 section 4.8).
const CRYPTO_ERRORS: std::ops::RangeInclusive<u64> = 0x100..=0x1ff;

impl Handshake {
    /// The handshake that a client's Initial packet begins; `None` where it is none.
    pub(super) fn begin(event: &PayloadEvent, packet: &Initial<'_>) -> Option<Self> {
        let keys = Keys::new(packet.version, packet.destination.bytes())?;
        let payload = keys.open(true, packet)?;
        let mut handshake = Self {
            key: event.key,
            slot: event.slot,
            begin: event.time,
            client: event.from(),
            client_id: packet.source,
            version: packet.version,
            origin: packet.destination,
            keys,
            token: packet.token.into(),
            asked: CryptoStream::default(),
            said: CryptoStream::default(),
            said_at: None,
            closed: None,
            reported: false,
        };
        handshake.read(&payload, true, event.time);
        Some(handshake)
    }

    /// Whether a packet from `from` is addressed as those of this handshake are. Only the client's id stays the same all
    /// the time, and it may be empty.
    pub(super) fn is_meant_by(&self, from: Sender, packet: &Initial<'_>) -> bool {
        self.client_id == if from == self.client { packet.source } else { packet.destination }
    }

    /// Takes a packet; false where the keys of this handshake do not open it.
    pub(super) fn take(&mut self, event: &PayloadEvent, packet: &Initial<'_>) -> bool {
        let from_client = event.from() == self.client;
        let others = if packet.version == self.version {
            None
        } else {
            // The server may go on with another version, whose keys follow from the same id (RFC 9368 section 2.3).
            Keys::new(packet.version, self.origin.bytes())
        };
        let Some(payload) = others.as_ref().unwrap_or(&self.keys).open(from_client, packet) else {
            return false;
        };
        if self.reported {
            return true;
        }
        if let Some(keys) = others.filter(|_| !from_client || self.is_unanswered()) {
            (self.version, self.keys) = (packet.version, keys);
            if from_client && frames(&payload).any(|frame| matches!(frame, Frame::Crypto { .. })) {
                // Told to take another version, the client asks once more, to the same id.
                self.asked = CryptoStream::default();
            }
        }
        self.read(&payload, from_client, event.time);
        true
    }

    fn read(&mut self, payload: &[u8], from_client: bool, time: u64) {
        for frame in frames(payload) {
            match frame {
                Frame::Crypto { offset, bytes } if from_client => self.asked.place(offset, bytes),
                Frame::Crypto { offset, bytes } => {
                    self.said_at.get_or_insert(time);
                    self.said.place(offset, bytes);
                }
                Frame::Close { error } if !from_client => {
                    self.said_at.get_or_insert(time);
                    self.closed.get_or_insert(error);
                }
                Frame::Close { .. } => {}
            }
        }
    }

    /// Whether `begun` is this handshake once more: by a Retry the server had the client show a token, from which other
    /// keys follow (RFC 9000 section 17.2.5), or by a negotiation take another version (section 6).
    pub(super) fn is_repeated_by(&self, begun: &Self) -> bool {
        let told = begun.version != self.version || !begun.token.is_empty() && begun.token != self.token;
        told && !self.reported && begun.client == self.client && self.is_unanswered()
    }

    /// Goes on with what `begun` brought.
    pub(super) fn repeat(self, begun: Self) -> Self {
        let asked = if begun.asked.is_empty() { self.asked } else { begun.asked };
        Self { asked, begin: self.begin, ..begun }
    }

    /// Whether the server has said nothing yet.
    pub(super) const fn is_unanswered(&self) -> bool {
        self.said_at.is_none()
    }

    /// Whether nothing more is to be expected.
    pub(super) fn is_settled(&self) -> bool {
        let complete = |stream: &CryptoStream| {
            matches!(message_of(stream.bytes()), FirstMessage::Message { complete: true, .. })
        };
        !self.reported && complete(&self.asked) && (self.closed.is_some() || complete(&self.said))
    }

    pub(super) const fn is_reported(&self) -> bool {
        self.reported
    }

    /// Keeps what tells late packets of this handshake from those of the next, and no more.
    pub(super) fn forget(&mut self) {
        self.reported = true;
        self.token = Box::default();
        (self.asked, self.said) = (CryptoStream::default(), CryptoStream::default());
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        self.token.len() + self.asked.weight() + self.said.weight()
    }

    /// The line with what there is; `None` where neither side's hello can be read.
    pub(super) fn line(&self) -> Option<TlsHandshake> {
        let asked = match message_of(self.asked.bytes()) {
            FirstMessage::Message { kind: CLIENT_HELLO, body, complete } => {
                let (hello, whole) = ClientHello::read(&body);
                Some((hello, whole && complete))
            }
            _ => None,
        };
        let said = match message_of(self.said.bytes()) {
            FirstMessage::Message { kind: SERVER_HELLO, body, .. } => ServerHello::read(&body),
            _ => None,
        };
        let alert = self.closed.filter(|error| said.is_none() && CRYPTO_ERRORS.contains(error));
        let outcome = match (&asked, &said) {
            (Some(_), Some(_)) => TlsOutcome::Complete,
            (Some(_), None) if alert.is_some() => TlsOutcome::Alert,
            (Some(_), None) if self.closed.is_some() => TlsOutcome::Reset,
            (Some(_), None) => TlsOutcome::NoServerHello,
            (None, Some(_)) => TlsOutcome::NoClientHello,
            (None, None) => return None,
        };
        let (hello, complete) = asked.unzip();
        let hello = hello.as_ref();
        let whole = complete == Some(true);
        let version = said.as_ref().map(|said| said.version);
        Some(TlsHandshake {
            head: Head::new(self.key, self.slot, self.client, self.begin),
            sni: hello.and_then(|hello| hello.server_name.clone()),
            alpn: hello.map(|hello| hello.protocols.clone()),
            alpn_chosen: None,
            version: version.or_else(|| hello.map(ClientHello::version)),
            cipher: said.as_ref().map(|said| said.cipher),
            ja4: hello.filter(|_| whole).map(|hello| ja4(hello, Carrier::Quic)),
            alert: alert.map(|error| (error & 0xff) as u8),
            handshake_time: self.said_at.and_then(|said| said.checked_sub(self.begin)),
            partial: !whole,
            outcome,
            quic_version: Some(self.version.number()),
        })
    }
}
