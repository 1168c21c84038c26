//! What a connection of NATS says.

use std::borrow::Cow;

use super::{
    errors,
    message::{LINE, Message, of_client, of_server, says},
};
use crate::{
    conversation::{
        Ask, Dialect, Input, Side, Status, Step, Talk,
        lines::{text, text_line, words},
        order::InOrder,
    },
    numbers::NOT_LISTED,
    options::Options,
    privacy::Statements,
};

/// The first byte of TLS, which begins behind INFO where the server says so.
const TLS: u8 = 0x16;

/// Bytes of a word that nobody knows, at most.
const WORD: usize = 32;

/// What answers a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Pong,
    /// `+OK` or `-ERR`, where the client is verbose.
    Verdict,
}

/// A connection.
#[derive(Debug, Default)]
pub(super) struct Nats {
    order: InOrder<Answer>,
    /// The client wants a verdict on each message. Taken for false until CONNECT or a verdict says so.
    verbose: bool,
    /// Errors are shown with all that they say.
    keeps: bool,
}

impl Dialect for Nats {
    fn read(&mut self, side: Side, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        let bytes = input.bytes;
        if bytes.first() == Some(&TLS) {
            return Step::Leave;
        }
        let (text, read) = match text_line(bytes, LINE) {
            Ok(line) => line,
            Err(step) => return step,
        };
        if text.is_empty() {
            return Step::Take(read);
        }
        match side {
            Side::Client => match of_client(bytes) {
                Some(message) => {
                    self.ask(&message, talk);
                    Step::Take(message.read + message.payload)
                }
                None => self.unknown(text, read, talk),
            },
            Side::Server => match of_server(bytes) {
                // The client's next bytes are a ClientHello: whoever reads TLS needs it.
                Some(message) if requires_tls(&message) => Step::Leave,
                Some(message) => {
                    self.answer(&message, talk);
                    Step::Take(message.read + message.payload)
                }
                None => Step::Lost,
            },
        }
    }

    fn configure(&mut self, options: &Options) {
        self.keeps = options.statements == Statements::Keep;
    }

    fn gap(&mut self, side: Side, talk: &mut Talk<'_>) {
        match side {
            Side::Client => self.order.lost_requests(),
            Side::Server => self.order.lost_responses(talk),
        }
    }

    fn resume(&mut self, side: Side, bytes: &[u8]) -> bool {
        match side {
            Side::Client => of_client(bytes).is_some() || bytes.first() == Some(&TLS),
            Side::Server => self.order.resumes(of_server(bytes).is_some()),
        }
    }

    fn weight(&self) -> usize {
        self.order.weight()
    }
}

/// Whether the server speaks TLS from here on.
fn requires_tls(message: &Message<'_>) -> bool {
    message.word == "INFO" && says(message.rest, "tls_required") == Some(true)
}

impl Nats {
    /// A connection that has said nothing yet.
    pub(super) fn new(statements: Statements) -> Self {
        Self { keeps: statements == Statements::Keep, ..Self::default() }
    }

    /// How an error is shown: some name the subject.
    fn shown(&self, text: &str) -> Cow<'static, str> {
        match errors::listed(text) {
            _ if self.keeps => text.to_owned().into(),
            Some(listed) => listed.into(),
            None => NOT_LISTED.into(),
        }
    }

    fn ask(&mut self, message: &Message<'_>, talk: &mut Talk<'_>) {
        match message.word {
            // It answers the server's PING.
            "PONG" => return,
            "PING" => {
                self.order.ask(Ask::new("PING"), Answer::Pong, talk);
                return;
            }
            // "CONNECT": servers are verbose unless it says otherwise.
            "CONNECT" => self.verbose = says(message.rest, "verbose").unwrap_or(true),
            _ => {}
        }
        self.verdict(message.word.into(), talk);
    }

    fn verdict(&mut self, operation: Cow<'static, str>, talk: &mut Talk<'_>) {
        if self.verbose {
            self.order.ask(Ask::new(operation), Answer::Verdict, talk);
        } else {
            talk.ask(Ask::one_way(operation));
        }
    }

    /// A line of the client with a word that nobody knows: the server will refuse it.
    fn unknown(&mut self, line: &[u8], read: usize, talk: &mut Talk<'_>) -> Step {
        let word = words(line).next().filter(|word| word.len() <= WORD).and_then(text);
        let word = word.filter(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
        let Some(word) = word else { return Step::Lost };
        let word = word.to_ascii_uppercase();
        // What is known and not well-formed, as a PUB without its length: nobody knows what follows.
        if super::message::OPERATIONS.contains(&&*word) {
            return Step::Lost;
        }
        self.verdict(word.into(), talk);
        Step::Take(read)
    }

    fn answer(&mut self, message: &Message<'_>, talk: &mut Talk<'_>) {
        let error = match message.word {
            "PONG" => {
                // A verdict that is missing here did not come.
                while let Some((ticket, answer)) = self.order.next() {
                    let pong = *answer == Answer::Pong;
                    self.order.answered(talk.time());
                    if pong {
                        talk.close(ticket, Status::Ok);
                        return;
                    }
                }
                return;
            }
            "+OK" => None,
            "-ERR" => Some(text(message.rest).unwrap_or_default().trim_matches('\'')),
            _ => return,
        };
        // Without a verdict that is waited for, an error is of the connection.
        if let Some((ticket, Answer::Verdict)) = self.order.next() {
            let status = error.map_or(Status::Ok, |error| Status::Error(self.shown(error)));
            talk.close(ticket, status);
            self.order.answered(talk.time());
        } else if error.is_none() && !self.order.waits() {
            self.verbose = true;
        }
    }
}
