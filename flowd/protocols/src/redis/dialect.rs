//! What a connection of Redis says.

use super::{
    command::{self, Command, Parsed},
    reply::{self, Element, Nest, Stop},
    words::OPERATIONS,
};
use crate::conversation::{
    Ask, Dialect, Input, Side, Status, Step, Talk,
    lines::{listed, text},
    order::InOrder,
};

/// What is to be known of a command that waits for its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    /// A command of subscriptions, with the word that its replies bear and how many of them are to come: one for each
    /// channel.
    Subscription(&'static str, u64),
    /// The server sends a line for each command that it runs, once it has accepted.
    Monitor,
    /// The server sends its data and then commands, once it has accepted.
    Replication,
}

/// The words of replies that acknowledge subscriptions.
pub(super) const SUBSCRIPTIONS: [&str; 6] =
    ["subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe"];

/// The words of what is pushed to subscribers (RESP2: arrays).
const MESSAGES: [&[u8]; 3] = [b"message", b"pmessage", b"smessage"];

/// A connection.
#[derive(Debug, Default)]
pub(super) struct Redis {
    order: InOrder<Kind>,
    /// Arguments of the last command that are to come.
    arguments: u64,
    /// CLIENT REPLY OFF; CLIENT REPLY SKIP just before.
    off: bool,
    skip: bool,
    /// Commands came as lines.
    inline: bool,
    /// The reply under way.
    nest: Nest,
    /// The server has acknowledged a subscription; it sends what it monitors.
    subscribed: bool,
    monitors: bool,
}

impl Dialect for Redis {
    fn read(&mut self, side: Side, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        match side {
            Side::Client => self.command(input.bytes, talk),
            Side::Server => self.reply(input.bytes, talk).unwrap_or_else(|stop| match stop {
                Stop::Need(count) => Step::Need(count),
                Stop::Wrong => Step::Lost,
            }),
        }
    }

    fn gap(&mut self, side: Side, talk: &mut Talk<'_>) {
        match side {
            Side::Client => {
                self.arguments = 0;
                self.order.lost_requests();
            }
            Side::Server => {
                self.nest.forget();
                self.order.lost_responses(talk);
            }
        }
    }

    fn resume(&mut self, side: Side, bytes: &[u8]) -> bool {
        match side {
            Side::Client => match command::parse(bytes) {
                Parsed::Command(Command { inline: true, name, .. }) => {
                    self.inline && listed(OPERATIONS, name).is_some()
                }
                Parsed::Command(_) => true,
                _ => false,
            },
            Side::Server => self.order.resumes(reply::element(bytes).is_ok()),
        }
    }

    fn weight(&self) -> usize {
        self.order.weight()
    }
}

impl Redis {
    fn command(&mut self, bytes: &[u8], talk: &mut Talk<'_>) -> Step {
        let parsed = if self.arguments > 0 {
            match command::arguments(bytes, self.arguments) {
                Ok((read, left)) => {
                    self.arguments = left;
                    return Step::Take(read);
                }
                Err(parsed) => parsed,
            }
        } else {
            command::parse(bytes)
        };
        match parsed {
            Parsed::Command(command) => {
                self.inline |= command.inline;
                self.arguments = command.left;
                self.ask(&command, talk);
                Step::Take(command.read)
            }
            Parsed::Nothing(read) => Step::Take(read),
            Parsed::Need(count) => Step::Need(count),
            Parsed::Wrong => Step::Lost,
        }
    }

    fn ask(&mut self, command: &Command<'_>, talk: &mut Talk<'_>) {
        let name = listed(OPERATIONS, command.name);
        let operation = name.map_or_else(
            || text(command.name).unwrap_or_default().to_ascii_uppercase().into(),
            std::borrow::Cow::Borrowed,
        );
        if self.is_silent(name, command) {
            talk.ask(Ask::one_way(operation));
            return;
        }
        let kind = match name {
            Some("MONITOR") => Kind::Monitor,
            Some("SYNC" | "PSYNC") => Kind::Replication,
            Some(name) => SUBSCRIPTIONS
                .into_iter()
                .find(|word| word.eq_ignore_ascii_case(name))
                .map_or(Kind::Plain, |word| Kind::Subscription(word, command.arguments.max(1))),
            None => Kind::Plain,
        };
        self.order.ask(Ask::new(operation), kind, talk);
    }

    /// Whether the server will not answer. Keeps what CLIENT REPLY says: SKIP is for the command behind it, OFF until ON,
    /// which is answered itself, as is RESET, which ends OFF. A replica's REPLCONF ACK is never answered.
    fn is_silent(&mut self, name: Option<&str>, command: &Command<'_>) -> bool {
        let says = |word: Option<&[u8]>, what: &str| {
            word.is_some_and(|word| word.eq_ignore_ascii_case(what.as_bytes()))
        };
        let silent = self.off || std::mem::take(&mut self.skip);
        match name {
            Some("CLIENT") if says(command.first, "REPLY") && command.arguments == 2 => {
                if says(command.second, "ON") {
                    self.off = false;
                    return false;
                }
                self.off |= says(command.second, "OFF");
                self.skip = says(command.second, "SKIP") && !self.off;
                silent || self.off || self.skip
            }
            Some("RESET") => {
                self.off = false;
                false
            }
            Some("REPLCONF") if says(command.first, "ACK") => true,
            _ => silent,
        }
    }

    fn reply(&mut self, bytes: &[u8], talk: &mut Talk<'_>) -> Result<Step, Stop> {
        if !self.nest.is_top() {
            return self.nest.pass(bytes).map(Step::Take);
        }
        // A primary sends empty lines while it makes its data ready.
        if bytes.first() == Some(&b'\n') {
            return Ok(Step::Take(1));
        }
        let element = reply::element(bytes)?;
        let read = element.read.saturating_add(usize::try_from(element.bulk).unwrap_or(usize::MAX));
        if !self.is_pushed(&element, bytes, talk)? && self.answer(&element, bytes, talk)? {
            return Ok(Step::Leave);
        }
        if self.nest.enter(element.inside) { Ok(Step::Take(read)) } else { Err(Stop::Wrong) }
    }

    /// Whether the element is no reply to a command, or one of subscriptions, which is dealt with.
    fn is_pushed(&mut self, element: &Element<'_>, bytes: &[u8], talk: &mut Talk<'_>) -> Result<bool, Stop> {
        let next = self.order.next();
        let subscribes = matches!(next, Some((_, Kind::Subscription(..))));
        match element.kind {
            b'|' => {
                // RESP, "Attributes": the reply they belong to follows.
                if let Some((ticket, _)) = next {
                    talk.answer(ticket);
                }
                return Ok(true);
            }
            b'+' => return Ok(self.monitors && element.text.first().is_some_and(u8::is_ascii_digit)),
            b'>' => {}
            // The way of RESP2, which RESP3 has no more.
            b'*' if (3..=4).contains(&element.inside)
                && (self.subscribed || subscribes || next.is_none()) => {}
            _ => return Ok(false),
        }
        let word = reply::first_bulk(bytes, element.read)?.unwrap_or_default();
        if let Some(word) = SUBSCRIPTIONS.into_iter().find(|known| known.as_bytes() == word) {
            self.subscribed = true;
            self.acknowledge(word, talk);
            return Ok(true);
        }
        Ok(element.kind == b'>' || MESSAGES.contains(&word))
    }

    /// The first of its acknowledgements answers a command of subscriptions.
    fn acknowledge(&mut self, word: &str, talk: &mut Talk<'_>) {
        let Some((ticket, Kind::Subscription(expected, left))) = self.order.next() else { return };
        if *expected == word {
            *left = left.saturating_sub(1);
            let last = *left == 0;
            talk.close(ticket, Status::Ok);
            if last {
                self.order.answered(talk.time());
            }
        }
    }

    /// The next command is answered; true where nothing is followed from here on.
    fn answer(&mut self, element: &Element<'_>, bytes: &[u8], talk: &mut Talk<'_>) -> Result<bool, Stop> {
        let code = match element.kind {
            b'-' => Some(element.text),
            b'!' => {
                let end = element.read + (element.bulk as usize).min(reply::WORD);
                Some(bytes.get(element.read..end).ok_or(Stop::Need(end))?)
            }
            _ => None,
        };
        let Some((ticket, kind)) = self.order.answered(talk.time()) else { return Ok(false) };
        let status = code
            .map_or(Status::Ok, |code| Status::Error(reply::prefix(code).unwrap_or("ERR").to_owned().into()));
        let accepted = status == Status::Ok;
        talk.close(ticket, status);
        self.monitors |= accepted && kind == Kind::Monitor;
        Ok(accepted && kind == Kind::Replication)
    }
}
