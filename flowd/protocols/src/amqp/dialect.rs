//! A connection to a server.

use std::collections::VecDeque;

use super::{
    confirms::Confirms,
    frame::{Frame, Kind, NoFrame, PROTOCOL_HEADER, protocol_header},
    method::{Asks, Id, Method, id, reason, tag},
    recognise::frames,
};
use crate::conversation::{Ask, Dialect, Input, Side, Status, Step, Talk, Ticket};

/// Methods that wait at once on one connection.
const MOST_WAITING: usize = 1_024;

/// Bytes of a method's arguments that are looked at.
const ARGUMENTS: usize = 2 << 10;

/// A method that waits for its answer.
#[derive(Debug)]
struct Waiting {
    channel: u16,
    id: Id,
    /// Of its class.
    answers: &'static [u16],
    ticket: Ticket,
}

/// What a client and a server said so far.
#[derive(Debug, Default)]
pub(super) struct Amqp {
    /// In the order in which they were asked.
    waiting: VecDeque<Waiting>,
    confirms: Confirms,
}

impl Dialect for Amqp {
    fn read(&mut self, side: Side, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        let bytes = input.bytes;
        let frame = match Frame::read(bytes) {
            Ok(frame) => frame,
            Err(NoFrame::Short) => return Step::Need(Frame::LEN),
            // The header that a client begins with, and a server refuses others with.
            Err(NoFrame::Wrong) => {
                return match protocol_header(bytes) {
                    Ok(()) => Step::Take(PROTOCOL_HEADER),
                    Err(NoFrame::Short) => Step::Need(PROTOCOL_HEADER),
                    Err(NoFrame::Wrong) => Step::Lost,
                };
            }
        };
        if frame.kind == Kind::Method {
            if bytes.len() < Frame::LEN + 4 {
                return Step::Need(Frame::LEN + 4);
            }
            let payload = frame.payload(bytes);
            let Some(method) = Method::read(payload, side) else { return Step::Take(frame.whole()) };
            let wanted = if method.is_read_whole() { frame.whole().min(ARGUMENTS) } else { 0 };
            if bytes.len() < wanted && !input.cut {
                return Step::Need(wanted);
            }
            match side {
                Side::Client => self.client(frame.channel, method, payload, talk),
                Side::Server => self.server(frame.channel, method, payload, talk),
            }
        }
        Step::Take(frame.whole())
    }

    /// Channels and the kinds of answers go on telling what belongs together, but not which of two alike is meant.
    fn gap(&mut self, side: Side, talk: &mut Talk<'_>) {
        for waiting in self.waiting.drain(..) {
            talk.abandon(waiting.ticket);
        }
        if side == Side::Client {
            self.confirms.lose_count();
        }
    }

    fn resume(&mut self, side: Side, bytes: &[u8]) -> bool {
        frames(bytes, side).is_some_and(|frames| frames.begins_well())
    }

    fn weight(&self) -> usize {
        self.waiting.capacity() * size_of::<Waiting>() + self.confirms.weight()
    }
}

impl Amqp {
    fn client(&mut self, channel: u16, method: &Method, payload: &[u8], talk: &mut Talk<'_>) {
        match method.id() {
            id::CHANNEL_CLOSE_OK | id::CHANNEL_OPEN => self.close(channel, None, talk),
            id::CONFIRM_SELECT => self.confirms.select(channel),
            _ => {}
        }
        match method.asks(payload) {
            Asks::Nothing | Asks::Unless { .. } => {}
            Asks::OneWay if method.id() == id::PUBLISH && self.confirms.has(channel) => {
                let ticket = talk.ask(Ask::new(method.name));
                self.confirms.publish(channel, ticket, talk);
            }
            Asks::OneWay => {
                talk.ask(Ask::one_way(method.name));
            }
            Asks::For(answers) => {
                let ticket = talk.ask(Ask::new(method.name));
                if self.waiting.len() >= MOST_WAITING
                    && let Some(oldest) = self.waiting.pop_front()
                {
                    talk.abandon(oldest.ticket);
                }
                self.waiting.push_back(Waiting { channel, id: method.id(), answers, ticket });
            }
        }
    }

    fn server(&mut self, channel: u16, method: &Method, payload: &[u8], talk: &mut Talk<'_>) {
        match method.id() {
            id::CONNECTION_CLOSE => self.connection_closed(payload, talk),
            id::CHANNEL_CLOSE => {
                let (code, failed) = reason(payload).unwrap_or_default();
                let status = Status::Error(code.to_string().into());
                // The method that waits is answered by it, whichever failed.
                if let Some(at) = self.waiting.iter().position(|waiting| waiting.channel == channel)
                    && let Some(waiting) = self.waiting.remove(at)
                {
                    talk.close(waiting.ticket, status.clone());
                }
                let published = failed == Some(id::PUBLISH);
                self.close(channel, published.then_some(&status), talk);
            }
            id::ACK | id::NACK => {
                let Some((tag, multiple)) = tag(payload) else { return };
                let status = if method.id() == id::ACK { Status::Ok } else { Status::Error("nack".into()) };
                self.confirms.confirm(channel, tag, multiple, &status, talk);
            }
            (class, answer) => {
                let answered = |waiting: &Waiting| {
                    waiting.channel == channel && waiting.id.0 == class && waiting.answers.contains(&answer)
                };
                let Some(at) = self.waiting.iter().position(answered) else { return };
                if let Some(waiting) = self.waiting.remove(at) {
                    talk.close(waiting.ticket, Status::Ok);
                }
                // Methods of a channel are answered in their order: what was asked before gets no answer.
                let mut index = 0;
                self.waiting.retain(|waiting| {
                    let passed = index < at && waiting.channel == channel;
                    index += 1;
                    if passed {
                        talk.abandon(waiting.ticket);
                    }
                    !passed
                });
            }
        }
    }

    /// A server closes the connection: it names the method that failed, or else whichever waits.
    fn connection_closed(&mut self, payload: &[u8], talk: &mut Talk<'_>) {
        let (code, failed) = reason(payload).unwrap_or_default();
        let at = self.waiting.iter().position(|waiting| Some(waiting.id) == failed).unwrap_or(0);
        if let Some(waiting) = self.waiting.remove(at) {
            talk.close(waiting.ticket, Status::Error(code.to_string().into()));
        }
        for waiting in self.waiting.drain(..) {
            talk.abandon(waiting.ticket);
        }
    }

    /// Nothing more comes on `channel`; `published`: what came of a message.
    fn close(&mut self, channel: u16, published: Option<&Status>, talk: &mut Talk<'_>) {
        self.confirms.close(channel, published, talk);
        self.waiting.retain(|waiting| {
            let closed = waiting.channel == channel;
            if closed {
                talk.abandon(waiting.ticket);
            }
            !closed
        });
    }
}
