//! Whether bytes are AMQP's.

use super::{
    frame::{Frame, Kind, NoFrame, protocol_header},
    method::Method,
};
use crate::{
    conversation::{Recognition, Side},
    cursor::Cursor,
};

/// What one side sent: frames in a row that all may be AMQP's.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// There are methods in frames that end as they should.
    methods: bool,
    /// The first frame is whole, or says what it is.
    first: bool,
    any: bool,
}

impl Frames {
    /// Whether a frame may be taken to begin here.
    pub(super) const fn begins_well(&self) -> bool {
        self.any && self.first
    }
}

/// Frames that are looked at.
const MOST: usize = 64;

/// What `side` sent, as frames; `None` where it is not AMQP.
pub(super) fn frames(bytes: &[u8], side: Side) -> Option<Frames> {
    let mut frames = Frames::default();
    let mut rest = bytes;
    for at in 0..MOST {
        let frame = match Frame::read(rest) {
            Ok(frame) => frame,
            Err(NoFrame::Short) => break,
            Err(NoFrame::Wrong) => return None,
        };
        let payload = frame.payload(rest);
        let whole = rest.len() >= frame.whole();
        let said = says(&frame, payload, side, whole)?;
        frames.any = true;
        frames.methods |= said && whole;
        if at == 0 {
            frames.first = whole || frame.kind == Kind::Method && payload.len() >= 4;
        }
        let Some(behind) = rest.get(frame.whole()..) else { break };
        rest = behind;
    }
    Some(frames)
}

/// Whether the frame is a method; `None` where it is none that this side sends.
fn says(frame: &Frame, payload: &[u8], side: Side, whole: bool) -> Option<bool> {
    match frame.kind {
        Kind::Method if payload.len() >= 4 => Method::read(payload, side).map(|_| true),
        // Section 4.2.6.1: the weight is 0; only messages of the basic class have content.
        Kind::Header if payload.len() >= 4 => {
            let mut cursor = Cursor::new(payload);
            (cursor.be_u16() == Some(60) && cursor.be_u16() == Some(0)).then_some(false)
        }
        Kind::Method | Kind::Header if whole => None,
        _ => Some(false),
    }
}

/// Whether the bytes are AMQP's. Acknowledgements alone have no direction: they are in either order.
pub(super) fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    let answered = match protocol_header(server) {
        // Section 2.2.4: with its own header a server refuses a client's.
        Ok(()) | Err(NoFrame::Short) if !server.is_empty() => Some(Frames::default()),
        _ => frames(server, Side::Server),
    };
    let Some(answered) = answered else { return Recognition::No };
    match protocol_header(client) {
        Ok(()) => return Recognition::Yes,
        Err(NoFrame::Short) if !client.is_empty() => return Recognition::Maybe,
        _ => {}
    }
    let Some(asked) = frames(client, Side::Client) else { return Recognition::No };
    if asked.methods || answered.methods { Recognition::Yes } else { Recognition::Maybe }
}
