//! Methods, as far as pairing asks (AMQP 0-9-1 section 1.2 and its XML, RabbitMQ's extensions).

use crate::{conversation::Side, cursor::Cursor};

/// Who sends a method.
#[derive(Clone, Copy, Debug)]
enum By {
    Client,
    Server,
    Both,
}

/// What a client's method asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asks {
    /// Nothing: it answers, or is sent by servers.
    Nothing,
    /// Not for an answer.
    OneWay,
    /// For one of these methods of its class.
    For(&'static [u16]),
    /// The same, unless its `no-wait` is set: behind so many bytes and short strings, this bit.
    Unless { answers: &'static [u16], bytes: usize, strings: usize, bit: u8 },
}

/// A method.
#[derive(Clone, Copy, Debug)]
pub(super) struct Method {
    class: u16,
    id: u16,
    pub(super) name: &'static str,
    by: By,
    asks: Asks,
}

const fn method(class: u16, id: u16, name: &'static str, by: By, asks: Asks) -> Method {
    Method { class, id, name, by, asks }
}

const fn unless(answers: &'static [u16], bytes: usize, strings: usize, bit: u8) -> Asks {
    Asks::Unless { answers, bytes, strings, bit }
}

/// All of them.
const METHODS: &[Method] = {
    use Asks::{For, Nothing, OneWay};
    use By::{Both, Client, Server};
    &[
        method(10, 10, "connection.start", Server, Nothing),
        method(10, 11, "connection.start-ok", Client, For(&[20, 30])),
        method(10, 20, "connection.secure", Server, Nothing),
        method(10, 21, "connection.secure-ok", Client, Nothing),
        method(10, 30, "connection.tune", Server, Nothing),
        method(10, 31, "connection.tune-ok", Client, Nothing),
        method(10, 40, "connection.open", Client, For(&[41])),
        method(10, 41, "connection.open-ok", Server, Nothing),
        method(10, 50, "connection.close", Both, For(&[51])),
        method(10, 51, "connection.close-ok", Both, Nothing),
        method(10, 60, "connection.blocked", Server, Nothing),
        method(10, 61, "connection.unblocked", Server, Nothing),
        method(10, 70, "connection.update-secret", Client, For(&[71])),
        method(10, 71, "connection.update-secret-ok", Server, Nothing),
        method(20, 10, "channel.open", Client, For(&[11])),
        method(20, 11, "channel.open-ok", Server, Nothing),
        method(20, 20, "channel.flow", Both, For(&[21])),
        method(20, 21, "channel.flow-ok", Both, Nothing),
        method(20, 40, "channel.close", Both, For(&[41])),
        method(20, 41, "channel.close-ok", Both, Nothing),
        method(30, 10, "access.request", Client, For(&[11])),
        method(30, 11, "access.request-ok", Server, Nothing),
        method(40, 10, "exchange.declare", Client, unless(&[11], 2, 2, 4)),
        method(40, 11, "exchange.declare-ok", Server, Nothing),
        method(40, 20, "exchange.delete", Client, unless(&[21], 2, 1, 1)),
        method(40, 21, "exchange.delete-ok", Server, Nothing),
        method(40, 30, "exchange.bind", Client, unless(&[31], 2, 3, 0)),
        method(40, 31, "exchange.bind-ok", Server, Nothing),
        method(40, 40, "exchange.unbind", Client, unless(&[51], 2, 3, 0)),
        method(40, 51, "exchange.unbind-ok", Server, Nothing),
        method(50, 10, "queue.declare", Client, unless(&[11], 2, 1, 4)),
        method(50, 11, "queue.declare-ok", Server, Nothing),
        method(50, 20, "queue.bind", Client, unless(&[21], 2, 3, 0)),
        method(50, 21, "queue.bind-ok", Server, Nothing),
        method(50, 30, "queue.purge", Client, unless(&[31], 2, 1, 0)),
        method(50, 31, "queue.purge-ok", Server, Nothing),
        method(50, 40, "queue.delete", Client, unless(&[41], 2, 1, 2)),
        method(50, 41, "queue.delete-ok", Server, Nothing),
        method(50, 50, "queue.unbind", Client, For(&[51])),
        method(50, 51, "queue.unbind-ok", Server, Nothing),
        method(60, 10, "basic.qos", Client, For(&[11])),
        method(60, 11, "basic.qos-ok", Server, Nothing),
        method(60, 20, "basic.consume", Client, unless(&[21], 2, 2, 3)),
        method(60, 21, "basic.consume-ok", Server, Nothing),
        // A server says so of a queue that is gone (consumer cancel notification).
        method(60, 30, "basic.cancel", Both, unless(&[31], 0, 1, 0)),
        method(60, 31, "basic.cancel-ok", Both, Nothing),
        method(60, 40, "basic.publish", Client, OneWay),
        method(60, 50, "basic.return", Server, Nothing),
        method(60, 60, "basic.deliver", Server, Nothing),
        method(60, 70, "basic.get", Client, For(&[71, 72])),
        method(60, 71, "basic.get-ok", Server, Nothing),
        method(60, 72, "basic.get-empty", Server, Nothing),
        method(60, 80, "basic.ack", Both, OneWay),
        method(60, 90, "basic.reject", Client, OneWay),
        method(60, 100, "basic.recover-async", Client, OneWay),
        method(60, 110, "basic.recover", Client, For(&[111])),
        method(60, 111, "basic.recover-ok", Server, Nothing),
        method(60, 120, "basic.nack", Both, OneWay),
        method(85, 10, "confirm.select", Client, unless(&[11], 0, 0, 0)),
        method(85, 11, "confirm.select-ok", Server, Nothing),
        method(90, 10, "tx.select", Client, For(&[11])),
        method(90, 11, "tx.select-ok", Server, Nothing),
        method(90, 20, "tx.commit", Client, For(&[21])),
        method(90, 21, "tx.commit-ok", Server, Nothing),
        method(90, 30, "tx.rollback", Client, For(&[31])),
        method(90, 31, "tx.rollback-ok", Server, Nothing),
    ]
};

/// A class and a method's number in it.
pub(super) type Id = (u16, u16);

pub(super) mod id {
    use super::Id;

    pub(in crate::amqp) const CONNECTION_CLOSE: Id = (10, 50);
    pub(in crate::amqp) const CHANNEL_OPEN: Id = (20, 10);
    pub(in crate::amqp) const CHANNEL_CLOSE: Id = (20, 40);
    pub(in crate::amqp) const CHANNEL_CLOSE_OK: Id = (20, 41);
    pub(in crate::amqp) const PUBLISH: Id = (60, 40);
    pub(in crate::amqp) const ACK: Id = (60, 80);
    pub(in crate::amqp) const NACK: Id = (60, 120);
    pub(in crate::amqp) const CONFIRM_SELECT: Id = (85, 10);
}

impl Method {
    /// The method that `side` sends as the payload of a method frame; `None` where there is none.
    pub(super) fn read(payload: &[u8], side: Side) -> Option<&'static Self> {
        let mut cursor = Cursor::new(payload);
        let id = (cursor.be_u16()?, cursor.be_u16()?);
        METHODS.iter().find(|method| method.id() == id && method.is_of(side))
    }

    pub(super) const fn id(&self) -> Id {
        (self.class, self.id)
    }

    fn is_of(&self, side: Side) -> bool {
        match self.by {
            By::Both => true,
            By::Client => side == Side::Client,
            By::Server => side == Side::Server,
        }
    }

    /// What it asks for with this payload. What cannot be seen of it is taken for not set.
    pub(super) fn asks(&self, payload: &[u8]) -> Asks {
        match self.asks {
            Asks::Unless { answers, bytes, strings, bit } => {
                let set = no_wait(payload, bytes, strings).is_some_and(|bits| bits >> bit & 1 == 1);
                if set { Asks::OneWay } else { Asks::For(answers) }
            }
            asks => asks,
        }
    }

    /// Whether its arguments say what it asks for, or why something is closed.
    pub(super) fn is_read_whole(&self) -> bool {
        let read = [id::CONNECTION_CLOSE, id::CHANNEL_CLOSE, id::ACK, id::NACK];
        matches!(self.asks, Asks::Unless { .. }) || read.contains(&self.id())
    }
}

fn no_wait(payload: &[u8], bytes: usize, strings: usize) -> Option<u8> {
    let mut cursor = Cursor::new(payload);
    cursor.take(4 + bytes)?;
    for _ in 0..strings {
        let len = cursor.u8()?;
        cursor.take(len.into())?;
    }
    cursor.u8()
}

/// Why a server closes a channel or the connection: code, and the method that failed (section 1.4.2.5).
pub(super) fn reason(payload: &[u8]) -> Option<(u16, Option<Id>)> {
    let mut cursor = Cursor::new(payload);
    cursor.take(4)?;
    let code = cursor.be_u16()?;
    let failed = cursor.u8().and_then(|len| {
        cursor.take(len.into())?;
        Some((cursor.be_u16()?, cursor.be_u16()?))
    });
    Some((code, failed))
}

/// The tag of a `basic.ack` or `basic.nack`, and whether all before it are meant as well.
pub(super) fn tag(payload: &[u8]) -> Option<(u64, bool)> {
    let mut cursor = Cursor::new(payload);
    cursor.take(4)?;
    let (high, low) = (cursor.be_u32()?, cursor.be_u32()?);
    let bits = cursor.u8()?;
    Some((u64::from(high) << 32 | u64::from(low), bits & 1 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_a_client_asks_is_in_the_list() {
        let asked = METHODS.iter().filter(|method| method.is_of(Side::Client));
        let mut names: Vec<_> =
            asked.filter(|method| !matches!(method.asks, Asks::Nothing)).map(|method| method.name).collect();
        names.sort_unstable();
        assert_eq!(names, super::super::words::OPERATIONS);
    }
}
