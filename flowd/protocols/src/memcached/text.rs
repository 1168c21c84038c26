//! A connection of the text protocol.

use std::borrow::Cow;

use super::{
    command::{self, Answer, LINE},
    words::OPERATIONS,
};
use crate::conversation::{
    Ask, Status, Step, Talk,
    lines::{begins_with_one, line, number, text_line, words},
    order::InOrder,
};

/// Errors of the server, as the first word of a line.
const ERRORS: [&str; 3] = ["ERROR", "CLIENT_ERROR", "SERVER_ERROR"];

/// What is left of a connection.
#[derive(Debug, Default)]
pub(super) struct Text {
    order: InOrder<Answer>,
}

/// What a line of the server is to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// The last of its response.
    Last,
    /// More follow.
    More,
    /// Of a later command: this one is quiet and was not answered.
    Later,
    /// Of none.
    None,
}

impl Text {
    pub(super) fn command(&mut self, bytes: &[u8], talk: &mut Talk<'_>) -> Step {
        if let Some(read) = empty(bytes) {
            return Step::Take(read);
        }
        if let Err(step) = text_line(bytes, LINE) {
            return step;
        }
        let Some(command) = command::parse(bytes) else { return Step::Lost };
        let operation = OPERATIONS.iter().find(|word| **word == command.word);
        let operation = operation.map_or_else(|| Cow::from(command.word.to_owned()), |word| Cow::from(*word));
        if command.answer == Answer::None {
            talk.ask(Ask::one_way(operation));
        } else {
            self.order.ask(Ask::new(operation), command.answer, talk);
        }
        Step::Take(command.read.saturating_add(usize::try_from(command.data).unwrap_or(usize::MAX)))
    }

    pub(super) fn response(&mut self, bytes: &[u8], talk: &mut Talk<'_>) -> Step {
        let (text, read) = match text_line(bytes, LINE) {
            Ok(line) => line,
            Err(step) => return step,
        };
        let said: Vec<&[u8]> = words(text).take(4).collect();
        let first = said.first().copied().unwrap_or_default();
        let size = match first {
            b"VALUE" => said.get(3),
            b"VA" => said.get(1),
            _ => None,
        };
        let data = size.and_then(|size| number(size)).map_or(0, |size| size.saturating_add(2));
        let taken = Step::Take(read.saturating_add(usize::try_from(data).unwrap_or(usize::MAX)));
        let error = ERRORS.into_iter().find(|error| error.as_bytes() == first);
        loop {
            let Some((ticket, &mut answer)) = self.order.next() else { return taken };
            let quiet = matches!(answer, Answer::Meta { quiet: true, .. });
            // An error does not say whose it is: the quiet command's, or that of one behind it.
            if error.is_some() && quiet && !self.order.is_alone() {
                self.order.lost_responses(talk);
                return taken;
            }
            match fit(answer, first, text) {
                Fit::More => {
                    talk.answer(ticket);
                    return taken;
                }
                Fit::Later => {
                    talk.close_one_way(ticket);
                    self.order.answered(talk.time());
                }
                Fit::None => return Step::Lost,
                Fit::Last => {
                    talk.close(ticket, error.map_or(Status::Ok, |error| Status::Error(error.into())));
                    let watches = answer == Answer::Watch && error.is_none();
                    self.order.answered(talk.time());
                    return if watches { Step::Leave } else { taken };
                }
            }
        }
    }

    pub(super) fn lost_requests(&mut self) {
        self.order.lost_requests();
    }

    pub(super) fn lost_responses(&mut self, talk: &mut Talk<'_>) {
        self.order.lost_responses(talk);
    }

    /// Whether a response may begin here.
    pub(super) fn resumes(&mut self, bytes: &[u8]) -> bool {
        self.order.resumes(line(bytes).is_some_and(|(text, _)| is_response(text)))
    }

    /// Quiet commands that were not answered until now will not be any more.
    pub(super) fn finish(&mut self, talk: &mut Talk<'_>) {
        while let Some((ticket, Answer::Meta { quiet: true, .. })) = self.order.next() {
            talk.close_one_way(ticket);
            self.order.answered(0);
        }
    }

    pub(super) fn weight(&self) -> usize {
        self.order.weight()
    }
}

/// The bytes of an empty line.
fn empty(bytes: &[u8]) -> Option<usize> {
    line(bytes).filter(|(text, _)| text.is_empty()).map(|(_, read)| read)
}

/// What a line is to a command that is answered so.
fn fit(answer: Answer, first: &[u8], text: &[u8]) -> Fit {
    if ERRORS.iter().any(|error| error.as_bytes() == first) {
        return Fit::Last;
    }
    match answer {
        Answer::Values => match first {
            b"VALUE" => Fit::More,
            b"END" => Fit::Last,
            _ => Fit::None,
        },
        Answer::Lines => match first {
            b"END" | b"RESET" | b"OK" | b"BUSY" | b"BADCLASS" => Fit::Last,
            _ => Fit::More,
        },
        Answer::Meta { verb, quiet, opaque } => {
            // "doc/protocol.txt", "Meta commands": what quiet mode leaves out.
            let silent = match verb {
                b'g' => b"EN" == first,
                b's' | b'a' => [&b"HD"[..], b"NF"].contains(&first) && !(verb == b's' && first == b"NF"),
                b'd' => [&b"HD"[..], b"NF"].contains(&first),
                _ => false,
            };
            let other = (first == b"MN") != (verb == b'n') || !is_meta(first);
            let echoed = words(text).skip(1).find(|flag| flag.first() == Some(&b'O'));
            let of_another = opaque != 0 && echoed.is_some_and(|flag| command::token(flag) != opaque);
            match quiet {
                true if silent || other || of_another => Fit::Later,
                false if other => Fit::None,
                _ => Fit::Last,
            }
        }
        Answer::Line | Answer::Watch | Answer::None if is_response(text) && !is_meta(first) => Fit::Last,
        Answer::Line | Answer::Watch | Answer::None => Fit::None,
    }
}

/// Codes that meta commands are answered with.
const META: [&str; 8] = ["HD", "VA", "EN", "NF", "NS", "EX", "ME", "MN"];

fn is_meta(first: &[u8]) -> bool {
    META.iter().any(|code| code.as_bytes() == first)
}

/// Words of responses, beside errors and the codes of meta commands.
const WORDS: [&str; 17] = [
    "STORED",
    "NOT_STORED",
    "EXISTS",
    "NOT_FOUND",
    "DELETED",
    "TOUCHED",
    "OK",
    "END",
    "VALUE",
    "VERSION",
    "STAT",
    "RESET",
    "BUSY",
    "BADCLASS",
    "NOSPARE",
    "NOTFULL",
    "UNSAFE",
];

/// Whether a response may begin with these bytes.
pub(super) fn may_respond(bytes: &[u8]) -> bool {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_number = digits > 0 && bytes.get(digits).is_none_or(|byte| b" \t\r\n".contains(byte));
    is_number || [&WORDS[..], &ERRORS, &META].into_iter().any(|list| begins_with_one(bytes, list))
}

/// Whether a server begins a response with such a line.
pub(super) fn is_response(text: &[u8]) -> bool {
    let first = words(text).next().unwrap_or_default();
    let is = |word: &&str| word.as_bytes() == first;
    WORDS.iter().any(&is) || ERRORS.iter().any(is) || is_meta(first) || number(first).is_some()
}
