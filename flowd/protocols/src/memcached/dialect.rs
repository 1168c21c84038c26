//! What a connection of memcached says.

use super::{
    binary::{self, Binary, REQUEST, RESPONSE},
    command::{self, LINE},
    text::Text,
};
use crate::conversation::{Dialect, Input, Side, Step, Talk, lines::line};

/// A connection: of the text protocol until a message of the binary one comes.
#[derive(Debug)]
pub(super) enum Memcached {
    Text(Text),
    Binary(Binary),
}

impl Default for Memcached {
    fn default() -> Self {
        Self::Text(Text::default())
    }
}

impl Dialect for Memcached {
    fn read(&mut self, side: Side, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        let bytes = input.bytes;
        if let (Self::Text(_), Some(&REQUEST | &RESPONSE)) = (&*self, bytes.first())
            && talk.open() == 0
        {
            *self = Self::Binary(Binary::default());
        }
        match (self, side) {
            (Self::Text(text), Side::Client) => text.command(bytes, talk),
            (Self::Text(text), Side::Server) => text.response(bytes, talk),
            (Self::Binary(binary), Side::Client) => binary.request(bytes, talk),
            (Self::Binary(binary), Side::Server) => binary.response(bytes, talk),
        }
    }

    fn gap(&mut self, side: Side, talk: &mut Talk<'_>) {
        match (self, side) {
            (Self::Text(text), Side::Client) => text.lost_requests(),
            (Self::Text(text), Side::Server) => text.lost_responses(talk),
            (Self::Binary(binary), Side::Client) => binary.lost_requests(),
            (Self::Binary(binary), Side::Server) => binary.lost_responses(talk),
        }
    }

    fn resume(&mut self, side: Side, bytes: &[u8]) -> bool {
        match (self, side) {
            (_, Side::Client) if bytes.first() == Some(&REQUEST) => {
                binary::header(bytes).is_some_and(binary::is_request)
            }
            (Self::Text(_), Side::Client) => {
                line(bytes).is_some_and(|(text, _)| text.len() < LINE)
                    && command::parse(bytes).is_some_and(|command| command.known)
            }
            (Self::Text(text), Side::Server) => text.resumes(bytes),
            (Self::Binary(binary), Side::Server) => binary.resumes(bytes),
            (Self::Binary(_), Side::Client) => false,
        }
    }

    fn finish(&mut self, _reset: bool, talk: &mut Talk<'_>) {
        match self {
            Self::Text(text) => text.finish(talk),
            Self::Binary(binary) => binary.finish(talk),
        }
    }

    fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.weight(),
            Self::Binary(binary) => binary.weight(),
        }
    }
}
