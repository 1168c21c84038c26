//! Datagrams of QUIC: each is a fate, a packet number, a length in two bytes, and bytes. They are the datagram, or
//! frames, which go around protected by the keys that everybody knows (RFC 9001 section 5.2).

use flow_common::{
    app::App,
    event::{PayloadEvent, PayloadKind},
    key::{Endpoint, FlowKey, Scope, TunnelKind},
};
use flowd_protocols::quic::{QuicOptions, QuicTracker};
use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey, quic as protection},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
};

use super::{
    line,
    segments::{Segment, segments},
};

const SERVER: u8 = 1;
/// Bits of the connection.
const CONNECTION: u8 = 0b110;
const SEALED: u8 = 1 << 3;
const VERSION_2: u8 = 1 << 4;
const PAUSE: u8 = 1 << 5;
const OTHER_ID: u8 = 1 << 6;
const TOKEN: u8 = 1 << 7;

/// Datagrams.
pub(crate) fn quic(input: &[u8]) {
    let room = 64 << 10;
    let options = QuicOptions { max_handshakes: 2, max_bytes: room, ..QuicOptions::default() };
    let (mut tracker, mut now, mut bytes, mut told) = (QuicTracker::new(options), 1_u64, 0, 0);
    let mut sink = |handshake| {
        line(&handshake);
        told += 1;
    };
    for datagram in segments(input) {
        now += if datagram.is(PAUSE) { 11_000_000_000 } else { 1_000_000 };
        let sealed = if datagram.is(SEALED) { seal(&datagram) } else { None };
        let payload = sealed.as_deref().unwrap_or(datagram.bytes);
        bytes += payload.len();
        tracker.event(&event(&datagram, payload, now), payload, &mut sink);
        if datagram.is(PAUSE) {
            tracker.expire(now, &mut |_| None, &mut sink);
        }
        assert!(tracker.held() <= 2);
        assert!(tracker.oldest().is_none_or(|oldest| oldest <= now));
    }
    tracker.finish(&mut sink);
    assert_eq!((tracker.held(), tracker.oldest()), (0, None));
    assert!(told * 20 <= bytes, "a packet takes twenty bytes at least");
}

fn event(datagram: &Segment<'_>, payload: &[u8], now: u64) -> PayloadEvent {
    let scope =
        Scope { interface: 1, vlans: 0, protocol: 17, ipv6: false, tunnel: TunnelKind::None, tunnel_id: 0 };
    let port = 40_000 + u16::from(datagram.fate & CONNECTION);
    let (key, client) = FlowKey::new(Endpoint::v4(1, port), Endpoint::v4(2, 443), &scope, None);
    PayloadEvent {
        key,
        time: now,
        slot: 1,
        seq: 0,
        payload_len: payload.len() as u32,
        copied: payload.len() as u16,
        kind: PayloadKind::Message as u8,
        sender: if datagram.is(SERVER) { client.other() } else { client } as u8,
        ack: 0,
        tcp_flags: 0,
        app: App::Quic as u8,
        retransmits: 0,
        own_last: 0,
        peer_last: 0,
    }
}

/// RFC 9001 section 5.2, RFC 9369 section 3.3.1.
const SALTS: [[u8; 20]; 2] = [
    [
        0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
        0xbb, 0x7f, 0x0a,
    ],
    [
        0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
        0xbd, 0x2e, 0xd9,
    ],
];

/// An Initial packet around the bytes of a datagram.
fn seal(datagram: &Segment<'_>) -> Option<Vec<u8>> {
    let second = datagram.is(VERSION_2);
    let origin = if datagram.is(OTHER_ID) { [8; 8] } else { [3; 8] };
    let (salt, labels): (_, [&[u8]; 3]) = if second {
        (SALTS[1], [b"quicv2 key", b"quicv2 iv", b"quicv2 hp"])
    } else {
        (SALTS[0], [b"quic key", b"quic iv", b"quic hp"])
    };
    let secret = Salt::new(HKDF_SHA256, &salt).extract(&origin);
    let side: &[u8] = if datagram.is(SERVER) { b"server in" } else { b"client in" };
    let secret = Prk::new_less_safe(HKDF_SHA256, &expand::<32>(&secret, side)?);
    let [key, mut vector, mask] = [
        expand::<16>(&secret, labels[0])?.to_vec(),
        expand::<12>(&secret, labels[1])?.to_vec(),
        expand::<16>(&secret, labels[2])?.to_vec(),
    ];
    let [to, from]: [&[u8]; 2] = if datagram.is(SERVER) { [b"", &[7; 5]] } else { [&origin, b""] };
    let token: &[u8] = if datagram.is(TOKEN) { b"t" } else { b"" };
    // A sample needs four bytes behind the packet number's two and the tag.
    let mut frames = datagram.bytes.to_vec();
    frames.resize(frames.len().max(4), 0);
    let version = if second { [0x6b, 0x33, 0x43, 0xcf] } else { [0, 0, 0, 1] };
    let mut packet = vec![if second { 0xd1 } else { 0xc1 }];
    packet.extend(version);
    for id in [to, from] {
        packet.push(id.len() as u8);
        packet.extend(id);
    }
    packet.push(token.len() as u8);
    packet.extend(token);
    packet.extend((0x4000 | (frames.len() as u16 + 18)).to_be_bytes());
    let number_at = packet.len();
    packet.extend([0, datagram.step]);
    *vector.last_mut()? ^= datagram.step;
    let nonce = Nonce::try_assume_unique_for_key(&vector).ok()?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
    key.seal_in_place_append_tag(nonce, Aad::from(&packet), &mut frames).ok()?;
    packet.extend(frames);
    let sample = packet.get(number_at + 4..number_at + 20)?;
    let mask =
        protection::HeaderProtectionKey::new(&protection::AES_128, &mask).ok()?.new_mask(sample).ok()?;
    *packet.first_mut()? ^= mask[0] & 0x0f;
    packet
        .get_mut(number_at..number_at + 2)?
        .iter_mut()
        .zip(&mask[1..])
        .for_each(|(byte, mask)| *byte ^= mask);
    Some(packet)
}

/// A number of bytes for [`ring`].
struct Len(usize);

impl KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label without a context (RFC 8446 section 7.1).
fn expand<const N: usize>(secret: &Prk, label: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let label = [b"tls13 ", label].concat();
    let info: [&[u8]; 4] = [&[0, N as u8], &[label.len() as u8], &label, &[0]];
    secret.expand(&info, Len(N)).ok()?.fill(&mut bytes).ok()?;
    Some(bytes)
}
