//! What the server sends.

use super::{
    command::begins_with_end,
    dialect::{Form, Mysql},
    packet::{Head, Kind, NO_BACKSLASH_ESCAPES, kind},
    reply::{Heard, Stage},
};
use crate::conversation::{Status, Talk};

impl Mysql {
    /// Whether a packet with this number cannot answer a login that was just asked: the numbers of both sides' packets
    /// follow each other until it has ended.
    pub(super) fn is_no_answer(&self, head: Head) -> bool {
        let asked = self.pending.front();
        asked.is_some_and(|asked| {
            asked.is_login() && !asked.begun && !self.holey && head.number != asked.number
        })
    }

    pub(super) fn server(&mut self, head: Head, payload: &[u8], talk: &mut Talk<'_>) {
        let kind = kind(payload, head.len);
        let Some(asked) = self.pending.front() else { return };
        if asked.begun
            && head.number != self.next
            && self.pending.second().is_some_and(|second| second.number == head.number)
        {
            // The end of the answer was not understood.
            talk.abandon(asked.ticket);
            self.pending.pop();
        }
        let Some(asked) = self.pending.front_mut() else { return };
        if !asked.begun {
            // Of an answer before, as the end behind the definitions of a statement.
            let stray = matches!(kind, Kind::Eof(_)) && !begins_with_end(asked.command)
                || head.number != asked.number;
            if stray {
                if self.holey {
                    talk.abandon(asked.ticket);
                    self.pending.pop();
                }
                return;
            }
            asked.begun = true;
            self.holey = false;
            talk.answer(asked.ticket);
        }
        let heard = asked.stage.hear(asked.reply, kind, payload);
        if heard == Heard::Done
            && let Some(status) = kind.status()
        {
            self.escapes = status & NO_BACKSLASH_ESCAPES == 0;
        }
        match heard {
            Heard::GoesOn => {}
            Heard::File => self.file = true,
            Heard::Prepared(number) => {
                let done = asked.stage == Stage::Definitions(0);
                if let Some(meaning) = asked.prepares.take() {
                    self.prepared.insert(number, meaning);
                }
                if done {
                    self.done(Status::Ok, talk);
                }
            }
            Heard::Done => self.done(Status::Ok, talk),
            Heard::Failed(number) => self.done(Status::Error(number.to_string().into()), talk),
        }
    }

    /// The answer in front has ended.
    fn done(&mut self, status: Status, talk: &mut Talk<'_>) {
        let Some(asked) = self.pending.pop() else { return };
        let ok = status == Status::Ok;
        talk.close(asked.ticket, status);
        // What was asked before this was asked ahead.
        self.pipelines |= !self.holey && !self.pending.is_empty();
        self.holey = false;
        self.file = false;
        if ok && asked.is_login() && self.compresses() {
            self.form = Form::Compressed(Box::default());
        }
    }

    /// Nobody knows any more which request the server answers.
    pub(super) fn lose_count(&mut self, talk: &mut Talk<'_>) {
        talk.give_up();
        self.pending.clear();
        self.doubt = true;
    }
}
