//! Control packets (MQTT 5.0 and 3.1.1, section 2).

use crate::{conversation::Side, cursor::Cursor};

/// What kind of control packet it is (section 2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Connack,
    Publish,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Pingreq,
    Pingresp,
    Disconnect,
    Auth,
}

impl Kind {
    const ALL: [Self; 15] = [
        Self::Connect,
        Self::Connack,
        Self::Publish,
        Self::Puback,
        Self::Pubrec,
        Self::Pubrel,
        Self::Pubcomp,
        Self::Subscribe,
        Self::Suback,
        Self::Unsubscribe,
        Self::Unsuback,
        Self::Pingreq,
        Self::Pingresp,
        Self::Disconnect,
        Self::Auth,
    ];

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// Whether `side` sends such packets.
    const fn is_of(self, side: Side) -> bool {
        match self {
            Self::Connect | Self::Subscribe | Self::Unsubscribe | Self::Pingreq => {
                matches!(side, Side::Client)
            }
            Self::Connack | Self::Suback | Self::Unsuback | Self::Pingresp => matches!(side, Side::Server),
            _ => true,
        }
    }

    /// Lengths of what follows the fixed header: the least and the most.
    const fn lengths(self) -> (usize, usize) {
        match self {
            Self::Connect => (10, Header::MOST_BODY),
            Self::Publish => (2, Header::MOST_BODY),
            Self::Subscribe => (6, Header::MOST_BODY),
            Self::Unsubscribe => (5, Header::MOST_BODY),
            Self::Suback => (3, Header::MOST_BODY),
            Self::Pingreq | Self::Pingresp => (0, 0),
            Self::Disconnect | Self::Auth => (0, PROPERTIES),
            _ => (2, PROPERTIES),
        }
    }
}

/// A return code and the properties of MQTT 5 are not longer than this in packets that hold little else: a reason string
/// and a server reference have 64 KiB each, user properties have no bound.
const PROPERTIES: usize = 1 << 20;

/// Why there is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHeader {
    /// It is longer than the bytes.
    Short,
    /// These are not MQTT's.
    Wrong,
}

/// A fixed header (section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    flags: u8,
    /// Bytes of the header itself.
    pub(super) len: usize,
    /// Bytes behind it.
    pub(super) body: usize,
}

impl Header {
    /// Most bytes of it, and behind it.
    pub(super) const MOST: usize = 5;
    const MOST_BODY: usize = 268_435_455;

    /// The header at the front of what `side` sent.
    pub(super) fn read(bytes: &[u8], side: Side) -> Result<Self, NoHeader> {
        let (first, rest) = bytes.split_first().ok_or(NoHeader::Short)?;
        let kind = Kind::from_number(first >> 4).ok_or(NoHeader::Wrong)?;
        let flags = first & 0x0f;
        // The flags of others are fixed (section 2.1.3); MQTT 3.1 also repeats with DUP.
        let well = match kind {
            Kind::Publish => flags & 0b0110 != 0b0110,
            Kind::Pubrel | Kind::Subscribe | Kind::Unsubscribe => flags & 0b0111 == 0b0010,
            _ => flags == 0,
        };
        if !well || !kind.is_of(side) {
            return Err(NoHeader::Wrong);
        }
        let (body, digits) = variable_int(rest)?;
        let (least, most) = kind.lengths();
        if body < least || body > most {
            return Err(NoHeader::Wrong);
        }
        Ok(Self { kind, flags, len: 1 + digits, body })
    }

    /// Bytes of the whole packet.
    pub(super) const fn whole(&self) -> usize {
        self.len + self.body
    }

    /// QoS of a PUBLISH.
    pub(super) const fn qos(&self) -> u8 {
        self.flags >> 1 & 0b11
    }
}

/// A variable byte integer (section 1.5.5), and its length.
fn variable_int(bytes: &[u8]) -> Result<(usize, usize), NoHeader> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(Header::MOST - 1).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            // Written with as few bytes as there can be.
            return if *byte == 0 && at > 0 { Err(NoHeader::Wrong) } else { Ok((value, at + 1)) };
        }
    }
    Err(if bytes.len() < Header::MOST - 1 { NoHeader::Short } else { NoHeader::Wrong })
}

/// Bytes from the front of a PUBLISH up to its packet identifier, or its end where it has none; `None` where the bytes
/// end before the topic's length.
pub(super) fn publish_head(header: &Header, bytes: &[u8]) -> Option<usize> {
    let topic = Cursor::new(bytes.get(header.len..)?).be_u16()?;
    Some(header.len + 2 + usize::from(topic) + if header.qos() > 0 { 2 } else { 0 })
}

/// The version that a CONNECT's variable header names (section 3.1.2), or `Wrong` where it is none; `Short` as long as
/// it may become one.
pub(super) fn connect_level(body: &[u8]) -> Result<u8, NoHeader> {
    // 3.1 has another name, and bridges set the level's highest bit.
    for (name, levels) in [(b"\0\x04MQTT".as_slice(), [4, 5]), (b"\0\x06MQIsdp", [3, 3])] {
        let Some(rest) = body.strip_prefix(name) else {
            if name.starts_with(body) {
                return Err(NoHeader::Short);
            }
            continue;
        };
        let [level, flags, ..] = rest else { return Err(NoHeader::Short) };
        let level = level & 0x7f;
        // Bit 0 of the flags is reserved, and no will has QoS 3 (section 3.1.2.3).
        let well = levels.contains(&level) && flags & 1 == 0 && flags & 0x18 != 0x18;
        return if well { Ok(level) } else { Err(NoHeader::Wrong) };
    }
    Err(NoHeader::Wrong)
}

/// The topic filters of a SUBSCRIBE or UNSUBSCRIBE, without its packet identifier: whether they fit from here to the
/// end. `options`: a byte follows each.
pub(super) fn filters_fit(payload: &[u8], options: bool) -> bool {
    let mut rest = Cursor::new(payload);
    while !rest.rest().is_empty() {
        let fits = rest.be_u16_string().is_some_and(|filter| !filter.is_empty() && is_text(filter))
            && (!options || rest.u8().is_some_and(|options| options & 0b11 != 0b11 && options & 0xc0 == 0));
        if !fits {
            return false;
        }
    }
    !payload.is_empty()
}

/// Whether these are characters of a topic (section 1.5.4), perhaps cut at the end.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.chars().any(char::is_control)
}

/// What stands behind the properties of MQTT 5 (section 2.2.2).
pub(super) fn behind_properties(bytes: &[u8]) -> Option<&[u8]> {
    let (len, digits) = variable_int(bytes).ok()?;
    bytes.get(digits + len..)
}
