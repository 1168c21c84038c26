//! What the client sends.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use super::{
    dialect::Postgresql,
    messages::{CANCEL, GSS, LONGEST_LOGIN, SSL, head, text},
    pending::Item,
    words::{OPERATIONS, QUERY, STARTUP},
};
use crate::{
    conversation::{
        Input, Side, Step, Talk,
        sql::{self, Flavour, Meaning},
    },
    privacy::Statements,
};

/// Bytes in front of a body.
const HEAD: usize = 5;

/// Bytes of names that are looked at; the server's own have 63 at most.
const NAMES: usize = 256;

/// Bytes of a statement that are looked at for its first word alone.
const WORD: usize = 1 << 10;

/// The first byte of a TLS handshake (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;

impl Postgresql {
    pub(super) fn client(&mut self, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        match input.bytes.first() {
            Some(0) => return self.login(input, talk),
            Some(&TLS_HANDSHAKE) if self.encryption => return Step::Leave,
            _ => {}
        }
        let bytes = input.bytes;
        if bytes.len() < HEAD {
            return Step::Need(HEAD);
        }
        let Some((kind, len)) = head(Side::Client, bytes) else { return Step::Lost };
        let need = len.min(HEAD + self.looked_at(kind));
        if bytes.len() < need && !input.cut {
            return Step::Need(need);
        }
        self.encryption = false;
        // No more than needed, however much there is: what it says must not depend on where segments end.
        let body = bytes.get(HEAD..need.min(bytes.len())).unwrap_or_default();
        match kind {
            b'Q' => {
                self.before(true, talk);
                let meaning = self.understood(text(body).0, body.len() + HEAD < len);
                self.ask(&meaning, None, Item::Query, talk);
            }
            b'F' => {
                self.before(true, talk);
                self.push(Item::Call, talk);
            }
            b'P' | b'B' | b'E' | b'D' | b'C' | b'S' => {
                self.before(matches!(kind, b'P' | b'B'), talk);
                self.extended(kind, body, body.len() + HEAD < len, talk);
            }
            b'c' | b'f' => self.push(Item::CopyEnd, talk),
            _ => {}
        }
        Step::Take(len)
    }

    /// Bytes of a body that say what is asked for.
    const fn looked_at(&self, kind: u8) -> usize {
        let statement = if matches!(self.statements, Statements::Drop) { WORD } else { sql::MOST };
        match kind {
            b'Q' => statement,
            b'P' => NAMES + statement,
            b'B' | b'E' | b'C' => NAMES,
            _ => 0,
        }
    }

    /// The extended protocol: the manual's "Extended Query".
    fn extended(&mut self, kind: u8, body: &[u8], cut: bool, talk: &mut Talk<'_>) {
        match kind {
            b'P' => {
                let (statement, rest) = name(body);
                let meaning = Arc::new(self.understood(text(rest).0, cut));
                if let Some(statement) = statement {
                    self.named.insert(statement, Arc::clone(&meaning));
                }
                self.push(Item::Parse(meaning, talk.time()), talk);
            }
            b'B' => {
                let (portal, rest) = name(body);
                let meaning = Self::meaning(&self.named, name(rest).0);
                self.bound = portal.map(|portal| (portal, talk.time()));
                if let Some(portal) = portal {
                    self.portals.insert(portal, meaning);
                }
                self.push(Item::Bind, talk);
            }
            b'E' => {
                let portal = name(body).0;
                let meaning = Self::meaning(&self.portals, portal);
                // The Bind in front belongs to it; an Execute of the same portal once more stands alone.
                let bound = self.bound.take().filter(|(bound, _)| Some(*bound) == portal);
                self.ask(&meaning, bound.map(|(_, time)| time), Item::Execute, talk);
            }
            b'D' => self.push(Item::Describe, talk),
            b'C' => {
                if let Some((kind, rest)) = body.split_first()
                    && let Some(name) = name(rest).0
                {
                    let names = if *kind == b'S' { &mut self.named } else { &mut self.portals };
                    names.remove(&name);
                }
                self.push(Item::Close, talk);
            }
            _ => {
                self.bound = None;
                self.push(Item::Sync, talk);
            }
        }
    }

    fn understood(&self, statement: &[u8], cut: bool) -> Meaning {
        let statements = if self.pending.len() < sql::WAITING { self.statements } else { Statements::Drop };
        let flavour = Flavour::Postgresql { escapes: self.escapes };
        let mut operation = sql::operation(statement, flavour, OPERATIONS);
        if cut && operation == sql::EMPTY {
            operation = QUERY.into();
        }
        Meaning { operation, statement: sql::shown(statement, flavour, statements) }
    }

    /// Messages without a type: the login, and what stands in front of it.
    fn login(&mut self, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        let Some((len, rest)) = input.bytes.split_first_chunk() else { return Step::Need(8) };
        let Some(code) = rest.first_chunk() else { return Step::Need(8) };
        let len = u32::from_be_bytes(*len) as usize;
        if !(8..=LONGEST_LOGIN).contains(&len) {
            return Step::Lost;
        }
        match u32::from_be_bytes(*code) {
            SSL | GSS => self.encryption = true,
            CANCEL => {}
            code if code >> 16 == 3 => {
                self.encryption = false;
                self.named.clear();
                self.portals.clear();
                let meaning = Meaning { operation: STARTUP.into(), statement: None };
                self.before(true, talk);
                self.ask(&meaning, None, Item::Login, talk);
            }
            _ => return Step::Lost,
        }
        Step::Take(len)
    }
}

/// The hash of the name at the front of a body, and what is behind it; nothing where its end was not seen.
fn name(body: &[u8]) -> (Option<u64>, &[u8]) {
    let (name, rest) = text(body);
    let seen = name.len() < body.len();
    let hash = || {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        hasher.finish()
    };
    (seen.then(hash), rest)
}
