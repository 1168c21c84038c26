//! What a connection of SMTP says.

use super::{
    body::Body,
    syntax::{Command, LINE, Reply, is_reply},
};
use crate::conversation::{
    Ask, Dialect, Input, Side, Status, Step, Talk, Ticket,
    lines::{line, text, text_line},
    order::InOrder,
};

/// What is to be known of a command that waits for its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    /// EHLO and HELO: a greeting may come behind them.
    Hello,
    Data,
    /// DATA that was answered by 354: the reply to the message follows.
    Message,
    /// What is spoken behind the reply is no SMTP, or the ends change their parts: STARTTLS, ATRN and TURN.
    Leaving,
}

/// A login under way (RFC 4954, section 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Login {
    #[default]
    No,
    /// AUTH was sent: what is no command is a step.
    Asked(Ticket),
    /// The server waits for a step.
    Step(Ticket),
}

/// A connection.
#[derive(Debug, Default)]
pub(super) struct Smtp {
    order: InOrder<Kind>,
    /// The message under way, and DATA's request.
    body: Option<(Body, Ticket)>,
    login: Login,
    /// The client speaks LMTP (RFC 2033), which nobody here follows.
    lmtp: bool,
}

impl Dialect for Smtp {
    fn read(&mut self, side: Side, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        match side {
            _ if self.lmtp => pass_lmtp(side, input.bytes),
            Side::Client => self.client(input, talk),
            Side::Server => self.server(input, talk),
        }
    }

    fn gap(&mut self, side: Side, talk: &mut Talk<'_>) {
        match side {
            Side::Client => {
                if let Some((body, _)) = &mut self.body {
                    body.lose();
                }
                self.order.lost_requests();
            }
            Side::Server => {
                if let Login::Step(auth) = self.login {
                    self.login = Login::Asked(auth);
                }
                self.order.lost_responses(talk);
            }
        }
    }

    fn resume(&mut self, side: Side, bytes: &[u8]) -> bool {
        match side {
            _ if self.lmtp => true,
            Side::Client => {
                let begins =
                    line(bytes).and_then(|(text, _)| Command::of(text)).is_some_and(|it| it.is_whole());
                // Its reply would tell that the message has ended; where the server is not heard, a command tells it.
                if begins && !matches!(self.order.next(), Some((_, Kind::Message))) {
                    self.body = None;
                }
                begins || self.body.is_some()
            }
            Side::Server => self.order.resumes(is_reply(bytes)),
        }
    }

    fn weight(&self) -> usize {
        self.order.weight()
    }
}

/// Passes over LMTP. Left as such it would be taken for SMTP again at its next MAIL. Only STARTTLS is looked for: what
/// follows is read as TLS, unless the server refuses.
fn pass_lmtp(side: Side, bytes: &[u8]) -> Step {
    match text_line(bytes, LINE) {
        Ok((text, _)) if side == Side::Client && text.eq_ignore_ascii_case(b"STARTTLS") => Step::Leave,
        Ok((_, read)) => Step::Take(read),
        Err(Step::Need(count)) => Step::Need(count),
        Err(_) => Step::Take(bytes.len()),
    }
}

impl Smtp {
    fn client(&mut self, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        if let Some((body, _)) = &mut self.body {
            let (step, ended) = body.pass(input.bytes);
            if ended {
                self.body = None;
            }
            return step;
        }
        // A handshake of TLS: what the server said to STARTTLS was not seen.
        if input.bytes.first() == Some(&0x16) {
            return Step::Leave;
        }
        let (text, read) = match text_line(input.bytes, LINE) {
            Ok(line) => line,
            Err(step) => return step,
        };
        let command = Command::of(text);
        if self.is_step(text, command) {
            return Step::Take(read);
        }
        self.login = Login::No;
        if command.is_some_and(|command| command.is_lmtp()) {
            self.lmtp = true;
            return Step::Take(read);
        }
        match command {
            Some(command) => {
                let bare = !input.bytes.get(..read).is_some_and(|line| line.ends_with(b"\r\n"));
                let octets = self.ask(&command, bare, talk);
                Step::Take(read.saturating_add(octets))
            }
            // It is answered as a wrong command.
            None if text.is_empty() => {
                let ticket = self.order.ask(Ask::default(), Kind::Plain, talk);
                talk.retract(ticket);
                Step::Take(read)
            }
            None => Step::Lost,
        }
    }

    /// Whether a line is a step of a login: anything that the server waits for, or else what is no command.
    fn is_step(&self, line: &[u8], command: Option<Command<'_>>) -> bool {
        match self.login {
            Login::No => false,
            Login::Step(_) => true,
            Login::Asked(_) => {
                command.is_none_or(|command| command.known.is_none())
                    && line.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=*".contains(byte))
            }
        }
    }

    /// Asks what the command says; gives the octets that follow it.
    fn ask(&mut self, command: &Command<'_>, bare: bool, talk: &mut Talk<'_>) -> usize {
        let operation = command.known.map_or_else(
            || text(command.word).unwrap_or_default().to_ascii_uppercase().into(),
            std::borrow::Cow::Borrowed,
        );
        let kind = match command.known {
            Some("EHLO" | "HELO") => Kind::Hello,
            Some("DATA") => Kind::Data,
            Some("STARTTLS" | "X-ANONYMOUSTLS" | "ATRN" | "TURN") => Kind::Leaving,
            _ => Kind::Plain,
        };
        let ticket = self.order.ask(Ask::new(operation), kind, talk);
        match command.known {
            // What follows is a message unless the server refuses it: a client may send both at once.
            Some("DATA") => self.body = Some((Body::new(bare), ticket)),
            Some("AUTH" | "X-EXPS") => self.login = Login::Asked(ticket),
            Some("BDAT") => return command.octets().unwrap_or_default(),
            _ => {}
        }
        0
    }

    fn server(&mut self, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        let (text, read) = match text_line(input.bytes, LINE) {
            Ok(line) => line,
            Err(step) => return step,
        };
        let Some(reply) = Reply::of(text) else { return Step::Lost };
        if self.reply(reply, talk) { Step::Leave } else { Step::Take(read) }
    }

    /// A line of a reply; true where nothing is followed from here on.
    fn reply(&mut self, reply: Reply, talk: &mut Talk<'_>) -> bool {
        let Some((ticket, kind)) = self.order.next() else {
            // Nobody knows whose reply it is. Only where the server waits for a step it is AUTH's in any case.
            match self.login {
                Login::Asked(auth) if !reply.more && reply.code == 334 => self.login = Login::Step(auth),
                Login::Step(_) if !reply.more && reply.code != 334 => self.login = Login::No,
                _ => {}
            }
            return false;
        };
        // The greeting, and the client did not wait for it.
        if *kind == Kind::Hello && reply.code == 220 {
            return false;
        }
        talk.answer(ticket);
        if reply.more {
            return false;
        }
        let was = *kind;
        match (was, reply.code) {
            (Kind::Data, 300..400) => {
                *kind = Kind::Message;
                self.order.passed(talk.time());
                return false;
            }
            (_, 334) => {
                self.login = Login::Step(ticket);
                self.order.passed(talk.time());
                return false;
            }
            _ => {}
        }
        let accepted = reply.code < 400;
        let status = if accepted { Status::Ok } else { Status::Error(reply.code.to_string().into()) };
        self.order.answered(talk.time());
        talk.close(ticket, status);
        // Commands that were sent with AUTH are answered before it, and end no login.
        if matches!(self.login, Login::Asked(auth) | Login::Step(auth) if auth == ticket) {
            self.login = Login::No;
        }
        // A message that was refused before its end goes on all the same.
        let goes_on = |body: &Body| was == Kind::Message && !accepted && !body.gap;
        if self.body.as_ref().is_some_and(|(body, data)| *data == ticket && !goes_on(body)) {
            self.body = None;
        }
        accepted && was == Kind::Leaving
    }
}
