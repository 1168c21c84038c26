//! Packets with a long header (RFC 9000 section 17.2), of which a datagram may hold several (section 12.2).

use super::{
    number::{counted, number},
    version::{Kind, Version},
};
use crate::cursor::Cursor;

/// Bytes of a connection id at most (RFC 9000 section 17.2).
const MAX_ID: usize = 20;

/// A connection id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::quic) struct ConnectionId {
    len: u8,
    bytes: [u8; MAX_ID],
}

impl ConnectionId {
    fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_ID];
        bytes.get_mut(..id.len())?.copy_from_slice(id);
        Some(Self { len: u8::try_from(id.len()).ok()?, bytes })
    }

    pub(in crate::quic) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// An Initial packet, as it was sent.
#[derive(Clone, Copy, Debug)]
pub(in crate::quic) struct Initial<'a> {
    pub(in crate::quic) version: Version,
    pub(in crate::quic) destination: ConnectionId,
    pub(in crate::quic) source: ConnectionId,
    pub(in crate::quic) token: &'a [u8],
    /// From its first byte to its last.
    pub(super) bytes: &'a [u8],
    /// Where in it the packet number begins.
    pub(super) number_at: usize,
}

/// The Initial packets of a datagram, in their order.
///
/// What is behind a packet without a length (RFC 9000 sections 17.2.5 and 17.3) belongs to it. Datagrams that the network
/// card or the sender's kernel handles as one are copied as one; the packets of the second follow those of the first.
pub(in crate::quic) fn initials(datagram: &[u8]) -> impl Iterator<Item = Initial<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        loop {
            let (packet, behind) = next(rest)?;
            rest = behind;
            if packet.is_some() {
                return packet;
            }
        }
    })
}

/// The next packet, where it is an Initial, and what is behind it; `None` where nothing can follow.
fn next(bytes: &[u8]) -> Option<(Option<Initial<'_>>, &[u8])> {
    const LONG: u8 = 0x80;
    let mut fields = Cursor::new(bytes);
    let first = fields.u8().filter(|first| first & LONG != 0)?;
    let version = Version::of(fields.be_u32()?)?;
    let mut id = || {
        let len = fields.u8()?;
        ConnectionId::new(fields.take(usize::from(len))?)
    };
    let (destination, source) = (id()?, id()?);
    let kind = version.kind(first);
    let token = match kind {
        Kind::Initial => counted(&mut fields)?,
        Kind::ZeroRtt | Kind::Handshake => &[],
        Kind::Retry => return None,
    };
    let len = usize::try_from(number(&mut fields)?).ok()?;
    let number_at = bytes.len() - fields.rest().len();
    let (bytes, behind) = bytes.split_at_checked(number_at.checked_add(len)?)?;
    let initial =
        (kind == Kind::Initial).then_some(Initial { version, destination, source, token, bytes, number_at });
    Some((initial, behind))
}
