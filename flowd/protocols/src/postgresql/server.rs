//! What the server sends.

use super::{
    dialect::Postgresql,
    messages::{error, head, text},
    pending::{Item, abandon},
};
use crate::conversation::{Ask, Input, Side, Status, Step, Talk, Ticket};

/// Bytes in front of a body.
const HEAD: usize = 5;

/// Bytes of an ErrorResponse that are looked at: severity and SQLSTATE come first.
const FIELDS: usize = 128;

/// The same of a ParameterStatus: as many as the one that matters has.
const PARAMETER: usize = STRINGS.len() + "\0off\0".len();

/// Servers tell its value at the login, and each that it has later.
const STRINGS: &str = "standard_conforming_strings";

impl Postgresql {
    pub(super) fn server(&mut self, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        let bytes = input.bytes;
        if self.encryption {
            // An 'E' is an ErrorResponse of a server that knows no encryption.
            match bytes.first() {
                Some(b'S' | b'G') => return Step::Leave,
                Some(b'N') => {
                    self.encryption = false;
                    return Step::Take(1);
                }
                _ => {}
            }
        }
        if bytes.len() < HEAD {
            return Step::Need(HEAD);
        }
        let Some((kind, len)) = head(Side::Server, bytes) else { return Step::Lost };
        let body = match kind {
            b'E' => FIELDS,
            b'S' => PARAMETER,
            _ => 0,
        };
        let need = len.min(HEAD + body);
        if bytes.len() < need && !input.cut {
            return Step::Need(need);
        }
        self.see(kind);
        // No more than needed, however much there is: what it says must not depend on where segments end.
        self.said(kind, bytes.get(HEAD..need.min(bytes.len())).unwrap_or_default(), talk);
        match kind {
            b'Z' => (self.idle, self.holey, self.blind) = (Some(talk.time()), false, false),
            // They may come at any time.
            b'A' | b'N' | b'S' => {}
            _ => self.idle = None,
        }
        Step::Take(len)
    }

    /// A message that stands at the beginning of an answer.
    const fn see(&mut self, kind: u8) {
        if matches!(kind, b'1' | b'2' | b'3' | b'T' | b'G' | b'H' | b'W' | b'I' | b'E' | b'R') {
            self.blind = false;
        }
    }

    fn said(&mut self, kind: u8, body: &[u8], talk: &mut Talk<'_>) {
        // The end of a COPY is answered with the rest of it.
        while self.pending.pop_if(|item| matches!(item, Item::CopyEnd)) {}
        match kind {
            b'R' => {
                if let Some(Item::Login(ticket)) = self.pending.front() {
                    talk.answer(*ticket);
                }
            }
            b'1' => _ = self.pending.pop_if(|item| matches!(item, Item::Parse(..))),
            b'2' => _ = self.pending.pop_if(|item| matches!(item, Item::Bind)),
            b'3' => _ = self.pending.pop_if(|item| matches!(item, Item::Close)),
            b'n' => _ = self.pending.pop_if(|item| matches!(item, Item::Describe)),
            b'T' if self.pending.pop_if(|item| matches!(item, Item::Describe)) => {}
            b'T' | b'D' | b'd' => _ = self.answered(talk),
            b'G' | b'H' | b'W' => {
                self.answered(talk);
                if kind == b'G' && matches!(self.pending.front(), Some(Item::Execute(_))) {
                    self.pending.ignore_syncs();
                }
                if kind == b'W'
                    && let Some(ticket) = self.begun
                {
                    // Replication goes on for as long as the connection.
                    talk.close(ticket, Status::Ok);
                }
            }
            b'C' | b'I' | b's' => {
                self.answered(talk);
                self.pending.done(talk);
                self.ended = true;
            }
            b'E' => {
                self.failed(body, talk);
                self.ended = true;
            }
            b'Z' => self.ready(talk),
            b'S' => {
                let (name, rest) = text(body);
                if name == STRINGS.as_bytes() {
                    self.escapes = text(rest).0 == b"off";
                }
            }
            _ => {}
        }
    }

    /// The answer of the request in front begins, or goes on.
    fn answered(&mut self, talk: &mut Talk<'_>) -> Option<Ticket> {
        let ticket = self.pending.reach()?;
        if self.blind && self.begun != Some(ticket) {
            // Its first byte is among what is missing.
            talk.abandon(ticket);
        }
        talk.answer(ticket);
        self.begun = Some(ticket);
        Some(ticket)
    }

    fn failed(&mut self, body: &[u8], talk: &mut Talk<'_>) {
        let (code, fatal) = error(body);
        match self.pending.front() {
            // Nobody asked, as where the server is shut down.
            None => {}
            Some(Item::Login(ticket)) => {
                talk.close(*ticket, Status::Error(code.into()));
                self.pending.pop();
            }
            Some(Item::Query(ticket)) if fatal => {
                talk.close(*ticket, Status::Error(code.into()));
                self.pending.pop();
            }
            Some(Item::Query(ticket)) => talk.fail(*ticket, code),
            Some(Item::Call) => {}
            Some(item) => {
                let parse = match item {
                    Item::Parse(meaning, time) => Some((meaning.as_ref().clone(), *time)),
                    _ => None,
                };
                if !self.pending.fail_unit(&code, talk)
                    && let Some((meaning, time)) = parse
                {
                    // It would have been executed later.
                    let ask = Ask {
                        operation: meaning.operation,
                        statement: meaning.statement,
                        time: Some(time),
                        one_way: false,
                    };
                    let ticket = talk.ask(ask);
                    talk.close(ticket, Status::Error(code.clone().into()));
                }
                self.skipping = Some(code);
            }
        }
    }

    /// ReadyForQuery: the unit in front is done.
    fn ready(&mut self, talk: &mut Talk<'_>) {
        let skipping = self.skipping.take();
        if self.pending.units() == 0 {
            self.owed = self.owed.saturating_sub(1);
        }
        while let Some(item) = self.pending.pop() {
            match (&item, &skipping) {
                (Item::Execute(ticket) | Item::Query(ticket), Some(code)) => {
                    talk.close(*ticket, Status::Error(code.clone().into()));
                }
                // Its error may be among what is missing.
                (Item::Query(_), _) if self.holey && !self.ended => abandon(&item, talk),
                (Item::Login(ticket) | Item::Query(ticket) | Item::Done(ticket), _) => {
                    talk.close(*ticket, Status::Ok);
                }
                _ => abandon(&item, talk),
            }
            let end = matches!(item, Item::Sync | Item::Login(_));
            if end || skipping.is_none() && matches!(item, Item::Query(_) | Item::Call) {
                break;
            }
        }
        self.begun = None;
        // What it asked before this was asked ahead.
        self.pipelines |= !self.holey && self.pending.units() + self.owed > 0;
    }
}
