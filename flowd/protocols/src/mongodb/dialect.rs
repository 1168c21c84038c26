//! A connection to a server.

use std::{borrow::Cow, collections::VecDeque};

use super::{
    compressed::{Compressed, HEAD},
    message::{Header, NoRequest, Op},
    recognise::begins,
    reply::{Read, Reply},
    request::{LOOKED_AT, Request},
};
use crate::conversation::{Ask, Dialect, Input, Side, Status, Step, Talk, Ticket};

/// Requests that wait at once.
const MOST_WAITING: usize = 1_024;

/// A compressed reply that is longer than this is a result: one that says of an error is a few hundred bytes.
const COMPRESSED: usize = 8 << 10;
/// The same of what is inside.
const INSIDE: usize = 64 << 10;

/// A request that waits for its reply.
#[derive(Debug)]
struct Waiting {
    id: i32,
    plain: bool,
    ticket: Ticket,
}

/// A reply that is under way.
#[derive(Debug)]
struct Body {
    reply: Reply,
    /// Bytes that are left of it.
    left: usize,
    ticket: Ticket,
}

/// What a client and a server said so far.
#[derive(Debug, Default)]
pub(super) struct Mongodb {
    waiting: VecDeque<Waiting>,
    body: Option<Body>,
}

impl Dialect for Mongodb {
    fn read(&mut self, side: Side, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        if side == Side::Server
            && let Some(body) = self.body.take()
        {
            return self.body(body, input.bytes, talk);
        }
        if input.bytes.len() < Header::LEN {
            return Step::Need(Header::LEN);
        }
        let Some(header) = Header::read(input.bytes) else { return Step::Lost };
        match side {
            Side::Client => self.request(&header, input, talk),
            Side::Server => self.reply(&header, input.bytes, talk),
        }
    }

    /// Ids go on telling what belongs together.
    fn gap(&mut self, side: Side, talk: &mut Talk<'_>) {
        if side == Side::Server
            && let Some(body) = self.body.take()
        {
            talk.abandon(body.ticket);
        }
    }

    fn resume(&mut self, side: Side, bytes: &[u8]) -> bool {
        begins(bytes, side).is_ok()
    }

    fn weight(&self) -> usize {
        self.waiting.capacity() * size_of::<Waiting>()
    }
}

impl Mongodb {
    fn request(&mut self, header: &Header, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        let there = input.bytes.len().min(header.whole);
        let body = input.bytes.get(Header::LEN..there).unwrap_or_default();
        let request = match Request::read(header, body) {
            Ok(request) => request,
            Err(NoRequest::Short) if there < header.whole.min(LOOKED_AT) && !input.cut => {
                return Step::Need(there + 1);
            }
            // Its name is further off, or not there.
            Err(NoRequest::Short) => Request::unnamed(header, body),
            Err(NoRequest::Wrong) => return Step::Lost,
        };
        let Request { name, one_way, plain } = request;
        let name =
            name.map_or(Cow::Borrowed("_OTHER"), |name| String::from_utf8_lossy(&name).into_owned().into());
        let ticket = talk.ask(Ask { one_way, ..Ask::new(name) });
        if !one_way {
            if self.waiting.len() >= MOST_WAITING
                && let Some(oldest) = self.waiting.pop_front()
            {
                talk.abandon(oldest.ticket);
            }
            self.waiting.push_back(Waiting { id: header.id, plain, ticket });
        }
        Step::Take(header.whole)
    }

    fn reply(&mut self, header: &Header, bytes: &[u8], talk: &mut Talk<'_>) -> Step {
        let at = self.waiting.iter().position(|waiting| waiting.id == header.answers);
        // To nobody that was seen, or one more of an exhaust cursor.
        let Some(at) = at else { return Step::Take(header.whole) };
        let compressed = header.op == Op::Compressed;
        let wanted = if header.whole <= COMPRESSED { header.whole } else { Header::LEN + HEAD };
        if compressed && bytes.len() < wanted {
            return Step::Need(wanted);
        }
        let Some(Waiting { plain, ticket, .. }) = self.waiting.remove(at) else { return Step::Lost };
        talk.answer(ticket);
        if compressed {
            let body = bytes.get(Header::LEN..header.whole.min(bytes.len())).unwrap_or_default();
            match said(body, header.whole, plain) {
                Some(status) => talk.close(ticket, status),
                None => talk.abandon(ticket),
            }
            return Step::Take(header.whole);
        }
        let Some(reply) = Reply::new(header.op, plain) else {
            talk.abandon(ticket);
            return Step::Take(header.whole);
        };
        self.body = Some(Body { reply, left: header.whole - Header::LEN, ticket });
        Step::Take(Header::LEN)
    }

    fn body(&mut self, mut body: Body, bytes: &[u8], talk: &mut Talk<'_>) -> Step {
        let mut at = 0;
        loop {
            let left = body.left - at;
            match body.reply.read(bytes.get(at..bytes.len().min(body.left)).unwrap_or_default()) {
                Read::Past(len) if len < left => at += len,
                Read::Short if bytes.len() < body.left => {
                    let step = if at > 0 { Step::Take(at) } else { Step::Need(bytes.len() + 1) };
                    body.left = left;
                    self.body = Some(body);
                    return step;
                }
                Read::Told(status) => {
                    talk.close(body.ticket, status);
                    return Step::Take(body.left);
                }
                Read::Past(_) | Read::Short | Read::Wrong => {
                    talk.abandon(body.ticket);
                    return Step::Take(body.left);
                }
            }
            if at > bytes.len() {
                body.left -= at;
                self.body = Some(body);
                return Step::Take(at);
            }
        }
    }
}

/// What a compressed reply of so many bytes says; `None` where that cannot be told.
fn said(body: &[u8], whole: usize, plain: bool) -> Option<Status> {
    let compressed = Compressed::read(body).ok()?;
    if whole > COMPRESSED || !compressed.fits(INSIDE) {
        return Some(Status::Ok);
    }
    let inside = compressed.inside(INSIDE)?;
    let mut reply = Reply::new(compressed.op, plain)?;
    let mut rest = inside.as_slice();
    loop {
        match reply.read(rest) {
            Read::Past(len) => rest = rest.get(len.max(1)..)?,
            Read::Told(status) => return Some(status),
            Read::Short | Read::Wrong => return None,
        }
    }
}
