//! One conversation, packet by packet.

use std::sync::Arc;

use super::{
    command::{Reply, number_of},
    compressed::{Frames, Packets},
    login::flag,
    packet::{HEAD, LONGEST, head},
    pending::Pending,
    recognise,
    reply::Stage,
};
use crate::{
    conversation::{
        Dialect, Input, Side, Step, Talk,
        sql::{self, Meaning, Prepared},
    },
    privacy::Statements,
    protocol::Options,
};

/// Bytes of a statement that are looked at for its first word alone, and of other commands.
const WORD: usize = 1 << 10;
const OTHER: usize = 128;

/// Bytes of the server's packets that are looked at.
const ANSWER: usize = 24;

/// How packets are sent.
#[derive(Debug)]
pub(super) enum Form {
    /// Not known: begun in the middle.
    Any,
    Plain,
    Compressed(Box<Frames>),
}

/// MySQL on one connection.
///
/// The server answers in order, and the packets of an answer are numbered on from its request. Most clients wait for the
/// end of an answer; only those that do not can be mispaired where something is missing.
#[derive(Debug)]
pub(super) struct Mysql {
    pub(super) statements: Statements,
    pub(super) form: Form,
    /// What the login says, where it was seen.
    pub(super) capabilities: Option<u32>,
    /// Whether a backslash escapes in strings, as the server's last status says.
    pub(super) escapes: bool,
    pub(super) prepared: Prepared<u32>,
    /// The last that was prepared: its number may be -1 in MariaDB.
    pub(super) last: Option<Arc<Meaning>>,
    pub(super) pending: Pending,
    /// The client sends a file.
    pub(super) file: bool,
    /// By client and server: the payload goes on in the next packet.
    pub(super) goes_on: [bool; 2],
    /// Of the server's next packet.
    pub(super) next: u8,
    /// When the server last said anything.
    pub(super) heard: u64,
    /// The client was seen to ask before it was answered.
    pub(super) pipelines: bool,
    /// Requests may have been missed: which the server answers is not known.
    pub(super) doubt: bool,
    /// Something of the server is missing since it last began an answer.
    pub(super) holey: bool,
}

impl Mysql {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            statements: options.statements,
            form: Form::Any,
            capabilities: None,
            escapes: true,
            prepared: Prepared::default(),
            last: None,
            pending: Pending::default(),
            file: false,
            goes_on: [false; 2],
            next: 0,
            heard: 0,
            pipelines: false,
            doubt: false,
            holey: false,
        }
    }

    /// Whether what follows the login is compressed.
    pub(super) fn compresses(&self) -> bool {
        self.capabilities.is_some_and(|flags| flags & (flag::COMPRESS | flag::ZSTD) != 0)
    }

    /// Decides how packets are sent, where it can be told from what `side` says.
    fn decide(&mut self, side: Side, input: Input<'_>) -> Option<Step> {
        let unknown = match self.form {
            Form::Any => true,
            // A greeting does not tell.
            Form::Plain => side == Side::Client && self.capabilities.is_none(),
            Form::Compressed(_) => return None,
        };
        let head = head(input.bytes)?;
        let compressed = if unknown {
            match recognise::form(side, head.len, input) {
                Ok(compressed) => compressed,
                Err(need) => return Some(Step::Need(need)),
            }
        } else {
            // A command: the login has ended, if unseen.
            side == Side::Client && head.number == 0 && self.compresses()
        };
        self.form = if compressed { Form::Compressed(Box::default()) } else { Form::Plain };
        None
    }
}

impl Packets for Mysql {
    fn packet(&mut self, side: Side, input: Input<'_>, time: u64, talk: &mut Talk<'_>) -> Step {
        let Some(head) = head(input.bytes) else { return Step::Need(HEAD) };
        let first = input.bytes.get(HEAD);
        if first.is_none() && head.len > 0 && !input.cut {
            return Step::Need(HEAD + 1);
        }
        let looked_at = match (side, first) {
            (Side::Server, _) => ANSWER,
            (Side::Client, Some(&(number_of::QUERY | number_of::PREPARE))) if head.number == 0 => {
                if matches!(self.statements, Statements::Drop) { WORD } else { sql::MOST }
            }
            (Side::Client, _) => OTHER,
        };
        let need = HEAD + head.len.min(looked_at);
        if input.bytes.len() < need && !input.cut {
            return Step::Need(need);
        }
        // No more than that, however much there is: what it says must not depend on where segments end.
        let end = input.bytes.len().min(need);
        let payload = input.bytes.get(HEAD..end).unwrap_or_default();
        let [client, server] = &mut self.goes_on;
        let goes_on = if side == Side::Client { client } else { server };
        let more = std::mem::replace(goes_on, head.len == LONGEST);
        match side {
            Side::Client if more => self.asked_up_to(head.number),
            Side::Client => {
                if let Some(step) = self.client(head, payload, time, talk) {
                    return step;
                }
            }
            Side::Server => {
                if !more && self.is_no_answer(head) {
                    return Step::Lost;
                }
                self.heard = talk.time();
                if !more {
                    self.server(head, payload, talk);
                }
                self.next = head.number.wrapping_add(1);
            }
        }
        Step::Take(HEAD + head.len)
    }

    fn asked_up_to(&mut self, number: u8) {
        if let Some(asked) = self.pending.back_mut().filter(|asked| !asked.begun) {
            asked.number = number.wrapping_add(1);
        }
    }

    fn missing(&mut self, side: Side, talk: &mut Talk<'_>) {
        match side {
            Side::Client => {
                [self.file, self.goes_on[0]] = [false; 2];
                self.doubt |= self.pipelines;
            }
            Side::Server => {
                self.goes_on[1] = false;
                if self.pipelines {
                    return self.lose_count(talk);
                }
                self.pending.skip_missing(talk);
                if let Some(asked) = self.pending.front_mut()
                    && asked.begun
                    && asked.reply == Reply::Results
                {
                    asked.stage = Stage::Somewhere;
                }
                self.holey = true;
            }
        }
    }
}

impl Dialect for Mysql {
    fn read(&mut self, side: Side, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        if let Some(step) = self.decide(side, input) {
            return step;
        }
        if let Form::Compressed(frames) = &mut self.form {
            // The frames come back unless the conversation leaves.
            let mut frames = std::mem::take(frames);
            let step = frames.read(side, input, self, talk);
            self.form = Form::Compressed(frames);
            return step;
        }
        self.packet(side, input, talk.time(), talk)
    }

    fn configure(&mut self, options: &Options) {
        if options.statements != self.statements {
            self.statements = options.statements;
            self.prepared.hide_texts();
            if let Some(last) = &mut self.last {
                Arc::make_mut(last).statement = None;
            }
        }
    }

    fn gap(&mut self, side: Side, talk: &mut Talk<'_>) {
        if let Form::Compressed(frames) = &mut self.form {
            frames.lose(side);
        }
        self.missing(side, talk);
    }

    fn resume(&mut self, side: Side, bytes: &[u8]) -> bool {
        match self.form {
            Form::Compressed(_) => recognise::is_compressed(side, bytes),
            Form::Plain if self.capabilities.is_some() && !self.compresses() => {
                recognise::resumes(side, bytes)
            }
            _ => recognise::resumes(side, bytes) || recognise::is_compressed(side, bytes),
        }
    }

    fn weight(&self) -> usize {
        let frames = if let Form::Compressed(frames) = &self.form { frames.weight() } else { 0 };
        frames + self.prepared.weight() + self.pending.weight()
    }
}
