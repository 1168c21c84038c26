//! The ClientHello in the shape of SSL 2.0, by which clients that also speak later versions offered those (RFC 5246
//! section E.2). The server answers with a ServerHello of today's shape.

use super::{bytes::Bytes, hello::CLIENT_HELLO};

/// Bytes of a random value; the old challenge may be shorter.
const RANDOM: usize = 32;

/// Whether these bytes begin so: a record's length with the highest bit set, the kind of message, the major version.
pub(in crate::tls) fn is_old_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80..=0xff, _, CLIENT_HELLO, 3, ..])
}

/// The body that the hello would have in today's shape: version, random value, session, cipher suites, compression;
/// `None` where the message is cut.
pub(super) fn body(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Bytes(bytes);
    bytes.take(3)?;
    let version = bytes.u16()?;
    let [ciphers, session, challenge] = [bytes.u16()?, bytes.u16()?, bytes.u16()?].map(usize::from);
    let (ciphers, session) = (bytes.take(ciphers)?, bytes.take(session)?);
    let challenge = bytes.take(challenge)?;
    // Those whose first byte is not 0 are SSL 2.0's own.
    let ciphers: Vec<u8> =
        ciphers.chunks_exact(3).filter_map(|spec| spec.strip_prefix(&[0])).flatten().copied().collect();
    let mut body = version.to_be_bytes().to_vec();
    body.extend(std::iter::repeat_n(0, RANDOM.saturating_sub(challenge.len())));
    body.extend(challenge.iter().take(RANDOM));
    body.push(u8::try_from(session.len()).ok()?);
    body.extend(session);
    body.extend(u16::try_from(ciphers.len()).ok()?.to_be_bytes());
    body.extend(ciphers);
    body.extend([1, 0]);
    Some(body)
}
