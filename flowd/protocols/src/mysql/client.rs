//! What the client sends.

use std::sync::Arc;

use super::{
    command::{Reply, number_of, reply, statement},
    dialect::{Form, Mysql},
    login::{Login, flag, login},
    packet::{Head, long},
    pending::Asked,
    reply::Stage,
    words::{EXECUTE, LOGIN, OPERATIONS, QUERY, command},
};
use crate::{
    conversation::{
        Ask, Status, Step, Talk,
        sql::{self, Flavour, Meaning},
    },
    privacy::Statements,
};

/// Nanoseconds after which nothing that was asked before is answered any more, where that cannot be counted.
const QUIET: u64 = 1_000_000_000;

impl Mysql {
    pub(super) fn client(
        &mut self,
        head: Head,
        payload: &[u8],
        time: u64,
        talk: &mut Talk<'_>,
    ) -> Option<Step> {
        match head.number {
            // A file ends with an empty packet.
            _ if self.file => self.file = head.len > 0,
            0 => return self.command(payload, head.len, time, talk),
            1 if let Some(login) = login(payload, head.len) => {
                let Login::Plain(capabilities) = login else { return Some(Step::Leave) };
                self.capabilities = Some(capabilities);
                self.form = Form::Plain;
                self.forget_prepared();
                let meaning = Meaning { operation: LOGIN.into(), statement: None };
                self.ask(&meaning, (0, Reply::Login, 2), None, time, talk);
            }
            _ if self.pending.is_login() => {}
            _ => {
                let asked = self.pending.back_mut();
                self.file = head.len > 0 && asked.is_some_and(|asked| asked.command == number_of::QUERY);
            }
        }
        None
    }

    fn command(&mut self, payload: &[u8], len: usize, time: u64, talk: &mut Talk<'_>) -> Option<Step> {
        let (number, body) = payload.split_first()?;
        let Some(reply) = reply(*number) else { return Some(Step::Lost) };
        self.before(talk);
        let mut meaning = Meaning { operation: command(*number).into(), statement: None };
        let mut prepares = None;
        match *number {
            number_of::QUERY => {
                let attributes = self.capabilities.map(|flags| flags & flag::QUERY_ATTRIBUTES != 0);
                meaning = self.understood(statement(body, attributes), talk);
                if meaning.operation == sql::EMPTY && payload.len() < len {
                    meaning.operation = QUERY.into();
                }
            }
            number_of::PREPARE => {
                let of = Arc::new(self.understood(body, talk));
                meaning.statement.clone_from(&of.statement);
                self.last = Some(Arc::clone(&of));
                prepares = Some(of);
            }
            number_of::EXECUTE | number_of::BULK_EXECUTE => {
                let known = match long(body, 0) {
                    Some(u32::MAX) => self.last.as_ref(),
                    Some(number) => self.prepared.get(&number),
                    None => None,
                };
                let unknown = || Meaning { operation: EXECUTE.into(), statement: None };
                meaning = known.map_or_else(unknown, |known| known.as_ref().clone());
            }
            number_of::CLOSE => {
                if let Some(number) = long(body, 0) {
                    self.prepared.remove(&number);
                }
            }
            number_of::CHANGE_USER | number_of::RESET_CONNECTION => self.forget_prepared(),
            _ => {}
        }
        self.ask(&meaning, (*number, reply, 1), prepares, time, talk);
        None
    }

    /// The client asks for something new.
    fn before(&mut self, talk: &mut Talk<'_>) {
        while let Some(asked) = self.pending.front()
            && (self.holey || !self.pipelines && asked.begun && asked.stage.may_be_over())
        {
            // It would not ask before the end of the answer, which is among what is missing.
            if asked.stage.may_be_over() {
                talk.close(asked.ticket, Status::Ok);
            } else {
                talk.abandon(asked.ticket);
            }
            self.pending.pop();
        }
        if talk.time().saturating_sub(self.heard) > QUIET {
            self.doubt = false;
        }
    }

    fn ask(
        &mut self,
        meaning: &Meaning,
        (command, reply, number): (u8, Reply, u8),
        prepares: Option<Arc<Meaning>>,
        time: u64,
        talk: &mut Talk<'_>,
    ) {
        let Meaning { operation, statement } = meaning.clone();
        let statement = statement.filter(|_| talk.open() < sql::WAITING);
        let one_way = reply == Reply::Nothing;
        let ticket = talk.ask(Ask { operation, statement, time: Some(time), one_way });
        if one_way {
            return;
        }
        let asked = Asked { ticket, command, reply, number, begun: false, stage: Stage::default(), prepares };
        if self.doubt {
            talk.abandon(ticket);
        } else if !self.pending.push(asked) {
            self.lose_count(talk);
        }
    }

    fn understood(&self, statement: &[u8], talk: &Talk<'_>) -> Meaning {
        let statements = if talk.open() < sql::WAITING { self.statements } else { Statements::Drop };
        let flavour = Flavour::Mysql { escapes: self.escapes };
        Meaning {
            operation: sql::operation(statement, flavour, OPERATIONS),
            statement: sql::shown(statement, flavour, statements),
        }
    }

    fn forget_prepared(&mut self) {
        self.prepared.clear();
        self.last = None;
    }
}
