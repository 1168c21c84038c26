//! The first bytes of both sides of one connection, and what they amount to.

use flow_common::{
    event::PayloadEvent,
    key::{FlowKey, Sender},
};

use crate::{
    assembly::Assembly,
    record::Head,
    tls::{
        TlsHandshake, TlsOutcome,
        parse::{CLIENT_HELLO, Carrier, ClientHello, FirstMessage, SERVER_HELLO, ServerHello, first, ja4},
    },
};

/// One side's first bytes.
#[derive(Debug)]
struct Side {
    assembly: Assembly,
    /// When the first byte passed, nanoseconds of the packet clock.
    time: u64,
}

/// A connection whose handshake is under way.
#[derive(Debug)]
pub(super) struct Connection {
    key: FlowKey,
    pub(super) slot: u32,
    /// FirstMessage event, nanoseconds of the packet clock.
    pub(super) begin: u64,
    /// What A and what B sent.
    sides: [Option<Side>; 2],
}

/// A ClientHello and whether it was read to its end.
type Asked = (ClientHello, bool);

/// What the other side said to it.
enum Said {
    Hello(ServerHello),
    Alert(u8),
}

impl Connection {
    pub(super) const fn new(event: &PayloadEvent) -> Self {
        Self { key: event.key, slot: event.slot, begin: event.time, sides: [None, None] }
    }

    /// Takes a copy; at most `limit` bytes of a side are kept.
    pub(super) fn take(&mut self, event: &PayloadEvent, copy: &[u8], limit: usize) {
        let [a, b] = &mut self.sides;
        let side = if event.from() == Sender::A { a } else { b };
        let side =
            side.get_or_insert_with(|| Side { assembly: Assembly::new(event.seq, limit), time: event.time });
        // What lies outside of the window is no part of the hello.
        let _ = side.assembly.place(event.seq, copy);
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        self.sides.iter().flatten().map(|side| side.assembly.weight()).sum()
    }

    /// The line, where nothing more is to be expected.
    pub(super) fn settled(&self) -> Option<TlsHandshake> {
        let answered = [Sender::A, Sender::B].into_iter().any(|sender| match self.first(sender) {
            FirstMessage::Message { kind: SERVER_HELLO, complete, .. } => complete,
            FirstMessage::Alert(_) => true,
            _ => false,
        });
        if answered { self.handshake(false) } else { None }
    }

    /// Whether the end of what `sender` sends leaves nothing to wait for: a client that has asked may close its half of the
    /// connection and still be answered (RFC 9293 section 3.6).
    pub(super) fn is_over_without(&self, sender: Sender) -> bool {
        self.asked(sender).is_none()
    }

    /// The line with what there is; `None` where neither side sent a hello.
    pub(super) fn handshake(&self, reset: bool) -> Option<TlsHandshake> {
        let asked = [Sender::A, Sender::B].into_iter().find_map(|sender| Some((sender, self.asked(sender)?)));
        let client = match &asked {
            Some((client, _)) => *client,
            // The side that answers is the server.
            None if self.said(Sender::A).is_some() => Sender::B,
            None => Sender::A,
        };
        let said = self.said(client.other());
        let outcome = match (&asked, &said) {
            (Some(_), Some(Said::Hello(_))) => TlsOutcome::Complete,
            (Some(_), Some(Said::Alert(_))) => TlsOutcome::Alert,
            (Some(_), None) if reset => TlsOutcome::Reset,
            (Some(_), None) => TlsOutcome::NoServerHello,
            (None, Some(Said::Hello(_))) => TlsOutcome::NoClientHello,
            (None, _) => return None,
        };
        let (hello, complete) = asked.map(|(_, asked)| asked).unzip();
        let (chosen, alert) = match said {
            Some(Said::Hello(chosen)) => (Some(chosen), None),
            Some(Said::Alert(alert)) => (None, Some(alert)),
            None => (None, None),
        };
        let (asked_at, said_at) = (self.time(client), self.time(client.other()));
        let ja4 = hello.as_ref().filter(|_| complete == Some(true)).map(|hello| ja4(hello, Carrier::Tcp));
        let version = chosen.as_ref().map(|chosen| chosen.version);
        Some(TlsHandshake {
            head: Head::new(self.key, self.slot, client, asked_at.or(said_at).unwrap_or(self.begin)),
            ja4,
            version: version.or_else(|| hello.as_ref().map(ClientHello::version)),
            sni: hello.as_ref().and_then(|hello| hello.server_name.clone()),
            alpn: hello.map(|hello| hello.protocols),
            cipher: chosen.as_ref().map(|chosen| chosen.cipher),
            alpn_chosen: chosen.and_then(|chosen| chosen.protocol),
            alert,
            handshake_time: said_at.and_then(|said| said.checked_sub(asked_at?)),
            partial: complete == Some(false),
            outcome,
            quic_version: None,
        })
    }

    fn side(&self, sender: Sender) -> Option<&Side> {
        let [a, b] = &self.sides;
        if sender == Sender::A { a.as_ref() } else { b.as_ref() }
    }

    fn time(&self, sender: Sender) -> Option<u64> {
        self.side(sender).map(|side| side.time)
    }

    fn first(&self, sender: Sender) -> FirstMessage {
        self.side(sender).map_or(FirstMessage::Short, |side| first(side.assembly.bytes()))
    }

    fn asked(&self, sender: Sender) -> Option<Asked> {
        match self.first(sender) {
            FirstMessage::Message { kind: CLIENT_HELLO, body, complete } => {
                let (hello, whole) = ClientHello::read(&body);
                // Without extensions the body could end where it was cut.
                Some((hello, whole && complete))
            }
            _ => None,
        }
    }

    fn said(&self, sender: Sender) -> Option<Said> {
        match self.first(sender) {
            FirstMessage::Message { kind: SERVER_HELLO, body, .. } => {
                ServerHello::read(&body).map(Said::Hello)
            }
            FirstMessage::Alert(description) | FirstMessage::Warning(description) => {
                Some(Said::Alert(description))
            }
            _ => None,
        }
    }
}
