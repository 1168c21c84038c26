//! What a client says first: the manual's "Connection Phase".

use super::packet::{long, number};

/// Capabilities that change what is said behind the login.
pub(super) mod flag {
    pub(in crate::mysql) const COMPRESS: u32 = 1 << 5;
    pub(in crate::mysql) const PROTOCOL_41: u32 = 1 << 9;
    pub(in crate::mysql) const SSL: u32 = 1 << 11;
    pub(in crate::mysql) const ZSTD: u32 = 1 << 26;
    pub(in crate::mysql) const QUERY_ATTRIBUTES: u32 = 1 << 27;
}

/// Bytes of a login in front of the user's name.
const FIXED: usize = 32;

/// What a client's first packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// TLS follows.
    Tls { new: bool },
    /// With these capabilities.
    Plain(u32),
}

impl Login {
    /// Whether it is one of the form since 4.1, which hardly anything else looks like.
    pub(super) const fn is_new(self) -> bool {
        match self {
            Self::Tls { new } => new,
            Self::Plain(capabilities) => capabilities & flag::PROTOCOL_41 != 0,
        }
    }
}

/// What `payload` of `len` bytes, perhaps cut, says as a client's first packet.
pub(super) fn login(payload: &[u8], len: usize) -> Option<Login> {
    let low = number(payload, 0)?;
    if u32::from(low) & flag::PROTOCOL_41 == 0 {
        return old(payload, len, u32::from(low));
    }
    let capabilities = long(payload, 0)?;
    // Filled with zeros, but for four bytes of MariaDB's own capabilities.
    let filler = payload.get(9..28)?;
    if filler.iter().any(|byte| *byte != 0) || long(payload, 4)? == 0 {
        return None;
    }
    if len == FIXED {
        return (capabilities & flag::SSL != 0).then_some(Login::Tls { new: true });
    }
    let user = payload.get(FIXED..)?;
    (len > FIXED && is_name(user, payload.len() == len)).then_some(Login::Plain(capabilities))
}

/// The form from before 4.1: 2 bytes of capabilities, 3 of a length, and the user's name.
fn old(payload: &[u8], len: usize, capabilities: u32) -> Option<Login> {
    if len == 5 && capabilities & flag::SSL != 0 {
        return Some(Login::Tls { new: false });
    }
    let user = payload.get(5..)?;
    (len > 6 && capabilities & flag::SSL == 0 && is_name(user, payload.len() == len))
        .then_some(Login::Plain(capabilities))
}

/// Whether a text stands in front that ends with a zero byte.
fn is_name(bytes: &[u8], whole: bool) -> bool {
    let end = bytes.iter().position(|byte| *byte == 0);
    let name = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    (end.is_some() || !whole) && name.iter().all(|byte| *byte >= b' ' && *byte != 0x7f)
}
