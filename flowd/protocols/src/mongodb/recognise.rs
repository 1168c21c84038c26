//! Whether bytes are MongoDB's.

use super::{
    compressed::Compressed,
    message::{Header, NoRequest, Op},
    reply::{Read, Reply},
    request::Request,
};
use crate::conversation::{Recognition, Side};

/// Bytes of a collection's name among which its point is.
const NAME: usize = 256;

/// Whether a message of `side` begins with `bytes`, beyond doubt; `Short` where more bytes tell.
pub(super) fn begins(bytes: &[u8], side: Side) -> Result<(), NoRequest> {
    if bytes.len() < Header::LEN {
        // The high bytes of the length, and of the code.
        let may_be = bytes.get(3).is_none_or(|high| *high <= 4)
            && bytes.get(13).is_none_or(|high| *high == 7 || *high == 0);
        return Err(if may_be { NoRequest::Short } else { NoRequest::Wrong });
    }
    let header = Header::read(bytes).ok_or(NoRequest::Wrong)?;
    let body = bytes.get(Header::LEN..bytes.len().min(header.whole)).unwrap_or_default();
    match side {
        Side::Client => begins_request(&header, body),
        Side::Server => begins_reply(&header, body),
    }
}

fn begins_request(header: &Header, body: &[u8]) -> Result<(), NoRequest> {
    if header.answers != 0 {
        return Err(NoRequest::Wrong);
    }
    match header.op {
        Op::Msg | Op::Query | Op::Compressed => Request::read(header, body).map(|_| ()),
        // Four bytes of zeros, and a collection's name; or of the number of cursors.
        Op::Insert | Op::Update | Op::Delete | Op::GetMore | Op::KillCursors => {
            let Some((zero, rest)) = body.split_first_chunk::<4>() else { return Err(NoRequest::Short) };
            if *zero != [0; 4] {
                return Err(NoRequest::Wrong);
            }
            if header.op == Op::KillCursors { Ok(()) } else { named(rest) }
        }
        Op::Reply => Err(NoRequest::Wrong),
    }
}

/// Whether a collection's name stands at the front: the database's in front of a point.
fn named(bytes: &[u8]) -> Result<(), NoRequest> {
    let end = bytes.iter().position(|byte| *byte == 0);
    let name = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    let point = name.iter().take(NAME).any(|byte| *byte == b'.');
    match point {
        _ if name.iter().any(u8::is_ascii_control) => Err(NoRequest::Wrong),
        true => Ok(()),
        // The point may be still to come.
        false if end.is_none() && name.len() < NAME => Err(NoRequest::Short),
        false => Err(NoRequest::Wrong),
    }
}

fn begins_reply(header: &Header, body: &[u8]) -> Result<(), NoRequest> {
    if header.op == Op::Compressed {
        return Compressed::read(body).map(|_| ());
    }
    let mut reply = Reply::new(header.op, false).ok_or(NoRequest::Wrong)?;
    let mut at = 0;
    // Flags, section, document, and a name.
    for _ in 0..4 {
        match reply.read(body.get(at..).unwrap_or_default()) {
            Read::Past(len) if at + len <= header.whole - Header::LEN => at += len,
            Read::Told(_) => return Ok(()),
            Read::Short => return Err(NoRequest::Short),
            Read::Past(_) | Read::Wrong => return Err(NoRequest::Wrong),
        }
        if at > body.len() {
            break;
        }
    }
    Ok(())
}

/// Whether the bytes are MongoDB's.
pub(super) fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    let (asked, answered) = (begins(client, Side::Client), begins(server, Side::Server));
    match (asked, answered) {
        (Err(NoRequest::Wrong), _) | (_, Err(NoRequest::Wrong)) => Recognition::No,
        (Ok(()), _) => Recognition::Yes,
        // Replies are told from requests by what they answer; those of before OP_MSG have little that others lack.
        (_, Ok(()))
            if Header::read(server).is_some_and(|header| header.answers != 0 && header.op != Op::Reply) =>
        {
            Recognition::Yes
        }
        _ => Recognition::Maybe,
    }
}
