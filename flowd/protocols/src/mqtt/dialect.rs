//! A connection between a client and a broker.

use std::collections::VecDeque;

use super::packet::{Header, Kind, NoHeader, behind_properties, connect_level, filters_fit, publish_head};
use crate::{
    conversation::{Ask, Dialect, Input, Side, Status, Step, Talk, Ticket},
    cursor::Cursor,
};

/// Requests with identifiers that wait at once; a broker takes 65 535 at most, and hardly any as many.
const MOST_WAITING: usize = 1_024;

/// Bytes of a packet that are looked at beside a topic: SUBSCRIBE and SUBACK for the version, and all codes.
const LOOKED_AT: usize = 4_096;

/// What a client and a broker said so far.
#[derive(Debug, Default)]
pub(super) struct Mqtt {
    /// Whether it is MQTT 5, where that is known.
    five: Option<bool>,
    connect: Option<Ticket>,
    /// Requests that wait for a packet with their identifier, in the order of their asking.
    waiting: VecDeque<(Kind, u16, Ticket)>,
    /// PINGREQ, which have no identifier.
    pings: VecDeque<Ticket>,
}

impl Dialect for Mqtt {
    fn read(&mut self, side: Side, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        let header = match Header::read(input.bytes, side) {
            Ok(header) => header,
            Err(NoHeader::Short) => return Step::Need(input.bytes.len() + 1),
            Err(NoHeader::Wrong) => return Step::Lost,
        };
        // MQTT 3.1.1, section 3.14: it has nothing but its header.
        if header.kind == Kind::Disconnect && self.five == Some(false) && header.body > 0 {
            return Step::Lost;
        }
        let wanted = match wanted(&header, input.bytes) {
            Some(wanted) if wanted > header.whole() => return Step::Lost,
            Some(wanted) => wanted,
            None => header.len + 2,
        };
        if input.bytes.len() < wanted && !input.cut {
            return Step::Need(wanted);
        }
        let body = input.bytes.get(header.len..header.whole().min(input.bytes.len())).unwrap_or_default();
        match side {
            Side::Client => self.client(&header, input.bytes, body, talk),
            Side::Server => self.server(&header, body, talk),
        }
        Step::Take(header.whole())
    }

    /// Identifiers go on telling what belongs together.
    fn gap(&mut self, _side: Side, talk: &mut Talk<'_>) {
        for ticket in self.pings.drain(..) {
            talk.abandon(ticket);
        }
    }

    fn resume(&mut self, side: Side, bytes: &[u8]) -> bool {
        super::recognise::packets(bytes, side).is_some_and(|packets| packets.is_sound())
    }

    fn weight(&self) -> usize {
        self.waiting.capacity() * size_of::<(Kind, u16, Ticket)>()
            + self.pings.capacity() * size_of::<Ticket>()
    }
}

/// Bytes that are to be seen of a packet, where its first ones tell.
fn wanted(header: &Header, bytes: &[u8]) -> Option<usize> {
    let small = header.whole().min(LOOKED_AT);
    match header.kind {
        Kind::Publish if header.qos() == 0 => Some(header.len),
        Kind::Publish => publish_head(header, bytes),
        Kind::Connect => Some(header.len + 10),
        _ => Some(small),
    }
}

impl Mqtt {
    fn client(&mut self, header: &Header, bytes: &[u8], body: &[u8], talk: &mut Talk<'_>) {
        let ask = |talk: &mut Talk<'_>, operation| talk.ask(Ask::new(operation));
        match header.kind {
            Kind::Connect => {
                self.five = connect_level(body).ok().map(|level| level == 5);
                self.connect = Some(ask(talk, "CONNECT"));
            }
            Kind::Publish if header.qos() == 0 => {
                talk.ask(Ask::one_way("PUBLISH"));
            }
            Kind::Publish => {
                let ticket = ask(talk, "PUBLISH");
                let id = publish_head(header, bytes).and_then(|end| bytes.get(end.checked_sub(2)?..));
                let kind = if header.qos() == 1 { Kind::Puback } else { Kind::Pubrec };
                self.wait(kind, id.unwrap_or_default(), ticket, talk);
            }
            Kind::Subscribe | Kind::Unsubscribe => {
                let subscribes = header.kind == Kind::Subscribe;
                if self.five.is_none() && body.len() == header.body {
                    // An empty filter is none: what would be one is MQTT 5's properties, of which there are none.
                    self.five = body.get(2..).map(|payload| !filters_fit(payload, subscribes));
                }
                let (word, answer) =
                    if subscribes { ("SUBSCRIBE", Kind::Suback) } else { ("UNSUBSCRIBE", Kind::Unsuback) };
                let ticket = ask(talk, word);
                self.wait(answer, body, ticket, talk);
            }
            Kind::Pingreq => {
                let ticket = ask(talk, "PINGREQ");
                if self.pings.len() >= MOST_WAITING
                    && let Some(oldest) = self.pings.pop_front()
                {
                    talk.abandon(oldest);
                }
                self.pings.push_back(ticket);
            }
            Kind::Disconnect => {
                talk.ask(Ask::one_way("DISCONNECT"));
            }
            _ => {}
        }
    }

    /// Has `ticket` wait for a packet of `kind` with the identifier at the front of `bytes`.
    fn wait(&mut self, kind: Kind, bytes: &[u8], ticket: Ticket, talk: &mut Talk<'_>) {
        let Some(id) = Cursor::new(bytes).be_u16() else { return talk.abandon(ticket) };
        // An identifier is free again once it is answered (section 2.2.1): that answer was not seen, or the client sends
        // the same again.
        if let Some(earlier) = self.take(kind, id) {
            talk.abandon(earlier);
        }
        if self.waiting.len() >= MOST_WAITING
            && let Some((.., oldest)) = self.waiting.pop_front()
        {
            talk.abandon(oldest);
        }
        self.waiting.push_back((kind, id, ticket));
    }

    fn server(&mut self, header: &Header, body: &[u8], talk: &mut Talk<'_>) {
        match header.kind {
            Kind::Connack => {
                if let Some(ticket) = self.connect.take() {
                    // Section 3.2.2: flags, then the code; 0 alone is good, in every version.
                    let code = body.get(1).copied().filter(|code| *code > 0);
                    talk.close(ticket, status(code));
                }
            }
            Kind::Pingresp => {
                if let Some(ticket) = self.pings.pop_front() {
                    talk.close(ticket, Status::Ok);
                }
            }
            // MQTT 5 may have a code there (section 3.4.2.1); without one it is good.
            Kind::Puback | Kind::Pubrec => {
                let code = body.get(2).copied().filter(|code| *code >= FAILURE);
                self.answer(header.kind, body, code, talk);
            }
            Kind::Suback | Kind::Unsuback => {
                let code = self.codes(body).iter().copied().find(|code| *code >= FAILURE);
                self.answer(header.kind, body, code, talk);
            }
            _ => {}
        }
    }

    /// The codes of a SUBACK or UNSUBACK, one for each filter.
    fn codes<'a>(&self, body: &'a [u8]) -> &'a [u8] {
        let codes = body.get(2..).unwrap_or_default();
        // Where the version is not known: what cannot be a code of MQTT 3 (its section 3.9.3) is MQTT 5's properties.
        let five =
            self.five.unwrap_or_else(|| codes.first().is_some_and(|code| ![0, 1, 2, FAILURE].contains(code)));
        if five { behind_properties(codes).unwrap_or_default() } else { codes }
    }

    fn answer(&mut self, kind: Kind, body: &[u8], code: Option<u8>, talk: &mut Talk<'_>) {
        let Some(id) = Cursor::new(body).be_u16() else { return };
        if let Some(ticket) = self.take(kind, id) {
            talk.close(ticket, status(code));
        }
    }

    /// Takes out the request that waits for a packet of `kind` with this identifier.
    fn take(&mut self, kind: Kind, id: u16) -> Option<Ticket> {
        let at = self.waiting.iter().position(|(waits, waiting, _)| (*waits, *waiting) == (kind, id))?;
        self.waiting.remove(at).map(|(.., ticket)| ticket)
    }
}

/// Codes from here on say that something failed (MQTT 5.0 section 2.4).
const FAILURE: u8 = 0x80;

fn status(code: Option<u8>) -> Status {
    code.map_or(Status::Ok, |code| Status::Error(code.to_string().into()))
}
