//! Frames that Initial packets may hold (RFC 9000 sections 12.4 and 19).

use super::number::{counted, number};
use crate::cursor::Cursor;

/// A frame that says something of the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::quic) enum Frame<'a> {
    /// Bytes of TLS messages and where they belong.
    Crypto { offset: u64, bytes: &'a [u8] },
    /// The sender gives the connection up for this reason.
    Close { error: u64 },
}

/// Frames of a packet's payload, as far as they can be read.
pub(in crate::quic) fn frames(payload: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    let mut bytes = Cursor::new(payload);
    std::iter::from_fn(move || {
        while !bytes.rest().is_empty() {
            if let Some(frame) = next(&mut bytes)? {
                return Some(frame);
            }
        }
        None
    })
}

/// Reads one frame: `None` where it cannot be read, `Some(None)` where it says nothing of the handshake.
fn next<'a>(bytes: &mut Cursor<'a>) -> Option<Option<Frame<'a>>> {
    const PADDING: u64 = 0x00;
    const PING: u64 = 0x01;
    const ACK: u64 = 0x02;
    const ACK_ECN: u64 = 0x03;
    const CRYPTO: u64 = 0x06;
    const CLOSE: u64 = 0x1c;
    match number(bytes)? {
        PADDING | PING => {}
        kind @ (ACK | ACK_ECN) => {
            // Largest acknowledged, delay, number of ranges behind the first, first range.
            number(bytes)?;
            number(bytes)?;
            let ranges = number(bytes)?;
            number(bytes)?;
            for _ in 0..ranges {
                number(bytes)?;
                number(bytes)?;
            }
            if kind == ACK_ECN {
                for _ in 0..3 {
                    number(bytes)?;
                }
            }
        }
        CRYPTO => {
            let offset = number(bytes)?;
            return Some(Some(Frame::Crypto { offset, bytes: counted(bytes)? }));
        }
        CLOSE => return Some(Some(Frame::Close { error: number(bytes)? })),
        _ => return None,
    }
    Some(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_passed_over() {
        let payload = [
            &[0, 0, 1][..],
            // Two ranges, with counts of ECN.
            &[3, 9, 0x40, 0x25, 1, 2, 3, 4, 5, 6, 7],
            &[6, 0x41, 0, 2, b'a', b'b'],
            &[0, 0],
            &[0x1c, 0x41, 0x78, 6, 0],
        ]
        .concat();
        let read: Vec<_> = frames(&payload).collect();
        assert_eq!(read, [Frame::Crypto { offset: 256, bytes: b"ab" }, Frame::Close { error: 0x178 }]);
        // A frame that has no place here ends it, and so does one that is cut.
        assert_eq!(frames(&[8, 6, 0, 1, b'a']).next(), None);
        assert_eq!(frames(&[6, 0, 2, b'a']).next(), None);
        assert_eq!(frames(&[2, 9, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).next(), None);
    }
}
