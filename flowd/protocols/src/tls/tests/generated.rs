use flow_common::event::PayloadKind;
use proptest::{collection::vec, prelude::*};

use super::kit::{Story, client_hello, modern, record};
use crate::tls::TlsOptions;

/// Bytes of a hello, sound or damaged, or of anything.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let sound = prop_oneof![
        Just(record(22, &client_hello("a.example", 9))),
        Just(record(22, &modern())),
        Just(record(21, &[2, 40])),
    ];
    let damaged = (sound.clone(), any::<usize>(), any::<u8>()).prop_map(|(mut bytes, at, value)| {
        let at = at % bytes.len();
        bytes[at] = value;
        bytes
    });
    let cut = (sound.clone(), any::<usize>()).prop_map(|(mut bytes, at)| {
        bytes.truncate(at % bytes.len());
        bytes
    });
    prop_oneof![sound, damaged, cut, vec(any::<u8>(), 0..60)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_may_come(
        steps in vec((payload(), any::<bool>(), 0..3_u16, any::<i16>(), 0..40_u8), 0..60),
    ) {
        let mut story = Story::with(TlsOptions { max_connections: 2, ..TlsOptions::default() });
        let mut events = 0;
        for (payload, client, port, step, what) in &steps {
            story.key.a_port = *port;
            let side = usize::from(!client);
            if step % 4 == 0 {
                story.next[side] = story.next[side].wrapping_add_signed(i32::from(*step));
            }
            match what {
                0 => drop(story.pause(11_000_000_000)),
                1 => drop(story.end(*client, 4)),
                2 => story.slot += 1,
                3 => story.event(*client, PayloadKind::Continuation, 0, payload, 0),
                _ => drop(story.send(*client, payload)),
            }
            events += 1;
            prop_assert!(story.tracker.held() <= 2);
        }
        let lines = story.finish();
        prop_assert!(lines.len() <= events);
        for line in &lines {
            let text = serde_json::to_string(line).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&value["type"], "tls");
            prop_assert!(line.ja4.as_ref().is_none_or(|ja4| ja4.len() == 36), "{:?}", line.ja4);
            let name = value["sni"].as_str().unwrap_or_default();
            prop_assert!(name.bytes().all(|byte| (b'!'..=b'~').contains(&byte)), "{}", name);
        }
    }
}
