use proptest::{collection::vec, prelude::*};

use super::kit::{ANSWER, CLIENT, FIRST, Packet, SERVER, Story, close, crypto, sealed};
use crate::{
    quic::QuicOptions,
    tls::tests::kit::{client_hello, modern},
};

/// A datagram that belongs to a handshake, sound or damaged, or of anything.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let hello = client_hello("a.example", 900);
    let frames = prop_oneof![
        Just(crypto(0, &hello)),
        (any::<usize>(), any::<usize>()).prop_map(move |(a, b)| {
            let (a, b) = (a % hello.len(), b % hello.len());
            crypto(a.min(b), &hello[a.min(b)..a.max(b)])
        }),
        Just(crypto(0, &modern())),
        Just(close(0x128)),
        vec(any::<u8>(), 1..60).prop_map(|bytes| [bytes, vec![0; 4]].concat()),
    ];
    let client = (frames.clone(), any::<bool>(), 0..3_u8).prop_map(|(frames, token, id)| {
        let ids = [&[id; 8][..], CLIENT];
        Packet { ids, origin: ids[0], token: if token { b"t" } else { b"" }, ..FIRST }.around(&frames)
    });
    let server =
        (frames, 0..3_u8).prop_map(|(frames, id)| Packet { origin: &[id; 8], ..ANSWER }.around(&frames));
    let sound = prop_oneof![client, server, Just(sealed(1, 2, [CLIENT, SERVER]))];
    let damaged = (sound.clone(), any::<usize>(), any::<u8>()).prop_map(|(mut bytes, at, value)| {
        let at = at % bytes.len();
        bytes[at] = value;
        bytes
    });
    let cut = (sound.clone(), any::<usize>()).prop_map(|(mut bytes, at)| {
        bytes.truncate(at % bytes.len());
        bytes
    });
    let several = vec(sound.clone(), 1..3).prop_map(|packets| packets.concat());
    let begun = vec(any::<u8>(), 0..60).prop_map(|bytes| [&[0xc0, 0, 0, 0, 1, 8][..], &bytes].concat());
    prop_oneof![4 => sound, 2 => several, 1 => damaged, 1 => cut, 1 => begun, 1 => vec(any::<u8>(), 0..60)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_may_come(steps in vec((payload(), any::<bool>(), 0..3_u16, 0..40_u8), 0..40)) {
        let mut story = Story::with(QuicOptions { max_handshakes: 2, ..QuicOptions::default() });
        let mut packets = 0;
        for (payload, client, port, what) in &steps {
            story.key.a_port = *port;
            match what {
                0 => drop(story.pause(11_000_000_000)),
                1 => story.slot += 1,
                _ => drop(story.send(*client, payload)),
            }
            packets += 3;
            prop_assert!(story.tracker.held() <= 2);
            prop_assert!(story.tracker.held_bytes() < 2 * (70 << 10));
        }
        let lines = story.finish();
        prop_assert!(lines.len() <= packets);
        for line in &lines {
            let text = serde_json::to_string(line).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!((&value["type"], &value["transport"]), (&"tls".into(), &"quic".into()));
            prop_assert!(line.ja4.as_ref().is_none_or(|ja4| ja4.len() == 36), "{:?}", line.ja4);
        }
    }
}
