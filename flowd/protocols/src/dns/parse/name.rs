//! Domain names in messages (RFC 1035 sections 3.1 and 4.1.4).

use crate::escape::escape;

/// Octets of a name, length octets included (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 255;

/// The name at `at` as text without a dot at its end (the root is `.`), and where what follows it begins.
/// `None` where the message ends before the name does, or what stands there is no name.
pub(super) fn read(message: &[u8], at: usize) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut octets = 0;
    let (mut here, mut limit) = (at, at);
    let mut end = None;
    loop {
        let len = usize::from(*message.get(here)?);
        match len >> 6 {
            0 if len == 0 => break,
            0 => {
                let label = message.get(here + 1..here + 1 + len)?;
                octets += len + 1;
                if octets >= MAX_NAME {
                    return None;
                }
                if !text.is_empty() {
                    text.push('.');
                }
                escape(&mut text, label, b".");
                here += len + 1;
            }
            3 => {
                let target = (len & 0x3f) << 8 | usize::from(*message.get(here + 1)?);
                end.get_or_insert(here + 2);
                // A pointer leads to an earlier name: each jump goes further back, so that there is an end.
                if target >= limit {
                    return None;
                }
                (here, limit) = (target, target);
            }
            _ => return None,
        }
    }
    if text.is_empty() {
        text.push('.');
    }
    Some((text, end.unwrap_or(here + 1)))
}

/// Where what follows the name at `at` begins.
pub(super) fn skip(message: &[u8], at: usize) -> Option<usize> {
    let mut here = at;
    loop {
        let len = usize::from(*message.get(here)?);
        match len >> 6 {
            0 if len == 0 => return Some(here + 1),
            0 => here += len + 1,
            3 => return message.get(here + 1).map(|_| here + 2),
            _ => return None,
        }
    }
}
