//! Whether bytes are MQTT's.

use super::packet::{Header, Kind, NoHeader, connect_level, filters_fit, is_text, publish_head};
use crate::{
    conversation::{Recognition, Side},
    cursor::Cursor,
};

/// What one side sent: packets in a row that all may be MQTT's.
#[derive(Debug, Default)]
pub(super) struct Packets {
    /// Of those that are whole: what they are, and their identifier, where they have one.
    whole: Vec<(Kind, Option<u16>)>,
    /// One that is longer than the bytes, and whose beginning was looked at.
    begun: Option<Kind>,
    /// The last one ends where the bytes end.
    ends_well: bool,
    /// Bytes of topics.
    topics: usize,
}

impl Packets {
    /// Whether these hardly begin anywhere but at a packet: one is whole and nothing but another's beginning follows,
    /// or the first is long and has a topic.
    pub(super) fn is_sound(&self) -> bool {
        match self.whole.first() {
            Some(_) => self.ends_well || self.begun.is_some(),
            None => self.begun == Some(Kind::Publish) && self.topics > 0,
        }
    }

    fn has(&self, kind: Kind, id: Option<u16>) -> bool {
        self.whole.contains(&(kind, id))
    }
}

/// Packets that are looked at.
const MOST: usize = 64;

/// What `side` sent, as packets; `None` where it is not MQTT.
pub(super) fn packets(bytes: &[u8], side: Side) -> Option<Packets> {
    let mut packets = Packets::default();
    let mut rest = bytes;
    while !rest.is_empty() && packets.whole.len() < MOST {
        let header = match Header::read(rest, side) {
            Ok(header) => header,
            Err(NoHeader::Short) => return Some(packets),
            Err(NoHeader::Wrong) => return None,
        };
        let body = rest.get(header.len..header.whole().min(rest.len())).unwrap_or_default();
        let id = fits(&header, rest, body, &mut packets.topics)?;
        let Some(behind) = rest.get(header.whole()..) else {
            packets.begun = (!body.is_empty()).then_some(header.kind);
            return Some(packets);
        };
        packets.whole.push((header.kind, id));
        rest = behind;
    }
    packets.ends_well = rest.is_empty();
    Some(packets)
}

/// The packet identifier, where there is any; `None` where the packet's inside does not fit.
fn fits(header: &Header, bytes: &[u8], body: &[u8], topics: &mut usize) -> Option<Option<u16>> {
    let whole = body.len() == header.body;
    let id = |bytes: &[u8]| match Cursor::new(bytes).be_u16() {
        Some(0) => None,
        id => Some(id),
    };
    match header.kind {
        Kind::Connect => match connect_level(body) {
            Err(NoHeader::Wrong) => None,
            Err(NoHeader::Short) if whole => None,
            _ => Some(None),
        },
        Kind::Connack => {
            // Section 3.2.2.1: seven bits of the flags are reserved.
            body.first().is_none_or(|flags| *flags <= 1).then_some(None)
        }
        Kind::Publish => {
            let Some(end) = publish_head(header, bytes) else { return Some(None) };
            if end > header.whole() {
                return None;
            }
            let with_id = if header.qos() > 0 { 2 } else { 0 };
            let topic = bytes.get(header.len + 2..(end - with_id).min(bytes.len())).unwrap_or_default();
            // Section 3.3.2.1: no wildcards.
            if !is_text(topic) || topic.iter().any(|byte| b"#+".contains(byte)) {
                return None;
            }
            *topics += topic.len();
            if with_id == 0 { Some(None) } else { id(bytes.get(end - 2..).unwrap_or_default()) }
        }
        Kind::Subscribe | Kind::Unsubscribe => {
            let payload = body.get(2..).unwrap_or_default();
            let options = header.kind == Kind::Subscribe;
            let five = super::packet::behind_properties(payload);
            let fits = !whole
                || filters_fit(payload, options)
                || five.is_some_and(|payload| filters_fit(payload, options));
            if fits { id(body) } else { None }
        }
        Kind::Suback | Kind::Unsuback | Kind::Puback | Kind::Pubrec | Kind::Pubrel | Kind::Pubcomp => {
            id(body)
        }
        Kind::Pingreq | Kind::Pingresp | Kind::Disconnect | Kind::Auth => Some(None),
    }
}

/// What answers a request, and a message of either side.
const ANSWERS: [(Kind, Kind); 2] = [(Kind::Subscribe, Kind::Suback), (Kind::Unsubscribe, Kind::Unsuback)];
const RECEIPTS: [(Kind, Kind); 2] = [(Kind::Publish, Kind::Puback), (Kind::Publish, Kind::Pubrec)];

/// Whether the bytes are MQTT's. Messages alone, and their receipts, have no direction: they are in either order.
pub(super) fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    let (Some(asked), Some(answered)) = (packets(client, Side::Client), packets(server, Side::Server)) else {
        return Recognition::No;
    };
    let sure = connects(client)
        || is_sure(&asked)
        || answers(&asked, &answered)
        || [(&asked, &answered), (&answered, &asked)]
            .iter()
            .any(|(one, other)| are_messages(one) || pair(one, other, &RECEIPTS));
    if sure { Recognition::Yes } else { Recognition::Maybe }
}

/// Whether a CONNECT stands there, as far as its flags.
fn connects(client: &[u8]) -> bool {
    Header::read(client, Side::Client).is_ok_and(|header| {
        header.kind == Kind::Connect
            && client.get(header.len..).is_some_and(|body| connect_level(body).is_ok())
    })
}

/// Whether a client's bytes are beyond doubt without a CONNECT.
fn is_sure(asked: &Packets) -> bool {
    let [first, .., last] = asked.whole.as_slice() else {
        // A list of filters that ends where the packet does.
        return asked.ends_well
            && matches!(asked.whole.as_slice(), [(Kind::Subscribe | Kind::Unsubscribe, Some(_))]);
    };
    // Messages, and behind them what only a client sends.
    asked.ends_well
        && asked.topics > 0
        && first.0 == Kind::Publish
        && matches!(last.0, Kind::Disconnect | Kind::Pingreq | Kind::Subscribe | Kind::Unsubscribe)
}

/// Whether a side sent nothing but messages, several in a row.
fn are_messages(packets: &Packets) -> bool {
    let messages = packets.whole.iter().filter(|(kind, _)| *kind == Kind::Publish).count();
    packets.ends_well && messages >= 3 && messages == packets.whole.len() && packets.topics >= 3 * messages
}

/// Whether a server answers a client.
fn answers(asked: &Packets, answered: &Packets) -> bool {
    // Four bytes are little: all others must be packets as well.
    let pings = asked.ends_well
        && answered.ends_well
        && asked.has(Kind::Pingreq, None)
        && answered.has(Kind::Pingresp, None);
    pings || pair(asked, answered, &ANSWERS)
}

/// Whether `other` answers a packet of `one`, by its identifier.
fn pair(one: &Packets, other: &Packets, answers: &[(Kind, Kind)]) -> bool {
    one.whole.iter().any(|(kind, id)| {
        id.is_some() && answers.iter().any(|(asks, answer)| asks == kind && other.has(*answer, *id))
    })
}
