//! Whether both sides speak PostgreSQL's protocol.

use super::{
    fit::{Fit, fit},
    messages::{CANCEL, GSS, LONGEST_LOGIN, SSL, head},
};
use crate::conversation::{Recognition, Side};

/// So much of one long message is enough, and a longer one is not believed in.
const MUCH: usize = 256;
const LONG: usize = 16 << 20;

pub(super) fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    use Recognition::{Maybe, No, Yes};
    match (side(Side::Client, client), side(Side::Server, server)) {
        (No, _) | (_, No) => No,
        (Yes, _) | (_, Yes) => Yes,
        (Maybe, Maybe) if whole(Side::Client, client) && whole(Side::Server, server) => Yes,
        (Maybe, Maybe) => Maybe,
    }
}

/// What one side's bytes say alone.
fn side(side: Side, bytes: &[u8]) -> Recognition {
    if side == Side::Client && bytes.first() == Some(&0) {
        return login(bytes);
    }
    let (mut rest, mut count, mut telling) = (bytes, 0, 0);
    while let Some(kind) = rest.first() {
        match fit(side, rest) {
            Fit::No => return Recognition::No,
            Fit::Open => {
                let much = rest.len() >= MUCH && is_enough(side, *kind, rest.len());
                if head(side, rest).is_some_and(|(_, len)| len > LONG) {
                    return Recognition::No;
                }
                let told = much || telling > 0 && count > 1;
                return if told { Recognition::Yes } else { Recognition::Maybe };
            }
            Fit::Whole(len) => {
                count += 1;
                telling += usize::from(tells(side, *kind));
                if is_enough(side, *kind, len) {
                    return Recognition::Yes;
                }
                rest = rest.get(len..).unwrap_or_default();
            }
        }
    }
    if telling > 0 && count > 1 { Recognition::Yes } else { Recognition::Maybe }
}

/// Messages with an inner form that their length has to fit to.
const fn tells(side: Side, kind: u8) -> bool {
    match side {
        Side::Client => matches!(kind, b'Q' | b'P' | b'B' | b'E' | b'D' | b'C'),
        Side::Server => matches!(kind, b'R' | b'S' | b'Z' | b'T' | b'D' | b'C' | b'E' | b'N' | b't'),
    }
}

/// Messages that are enough alone.
const fn is_enough(side: Side, kind: u8, len: usize) -> bool {
    match side {
        Side::Client => matches!(kind, b'Q' | b'P' | b'B') && len > 10,
        Side::Server => matches!(kind, b'E' | b'N' | b'T') && len > 30 || kind == b'D' && len >= MUCH,
    }
}

/// Whether a whole message of `side` stands at the front.
fn whole(side: Side, bytes: &[u8]) -> bool {
    matches!(fit(side, bytes), Fit::Whole(_))
}

/// What a client says first: no type, but a length, and a version or what it asks for in front of the login.
fn login(bytes: &[u8]) -> Recognition {
    let Some((len, rest)) = bytes.split_first_chunk() else { return Recognition::Maybe };
    let len = u32::from_be_bytes(*len) as usize;
    if !(8..=LONGEST_LOGIN).contains(&len) {
        return Recognition::No;
    }
    let Some((code, names)) = rest.split_first_chunk() else { return Recognition::Maybe };
    match (u32::from_be_bytes(*code), len) {
        (SSL | GSS, 8) => Recognition::Yes,
        // The key has 4 bytes, more from version 3.2 on.
        (CANCEL, 16..) => Recognition::Yes,
        // Version 3 of whatever minor number.
        (0x0003_0000..=0x0003_ffff, 9..) => parameters(names, len - 8),
        _ => Recognition::No,
    }
}

/// Names and values, among them the user's.
fn parameters(bytes: &[u8], len: usize) -> Recognition {
    let (bytes, whole) = bytes.get(..len).map_or((bytes, false), |bytes| (bytes, true));
    if !bytes.iter().all(|byte| matches!(byte, 0 | b' '..)) {
        return Recognition::No;
    }
    if bytes.starts_with(b"user\0") || bytes.windows(6).any(|window| window == b"\0user\0") {
        return Recognition::Yes;
    }
    if whole { Recognition::No } else { Recognition::Maybe }
}

/// Whether messages of `side` stand at the beginning of a segment.
pub(super) fn resumes(side: Side, bytes: &[u8]) -> bool {
    if side == Side::Client && bytes.first() == Some(&0) {
        return login(bytes) == Recognition::Yes;
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        match fit(side, rest) {
            Fit::No => return false,
            Fit::Open => return rest.len() >= 5 || rest.len() < bytes.len(),
            Fit::Whole(len) => rest = rest.get(len..).unwrap_or_default(),
        }
    }
    true
}
