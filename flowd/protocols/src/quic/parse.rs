//! From datagrams to the TLS messages in their Initial packets.

mod crypto;
mod frame;
mod keys;
mod number;
mod packet;
mod version;

pub(super) use crypto::CryptoStream;
pub(super) use frame::{Frame, frames};
pub(super) use keys::Keys;
pub(super) use packet::{ConnectionId, Initial, initials};
pub(super) use version::Version;
