use proptest::{collection::vec, prelude::*};

use super::kit::{Story, answer, framed, query};
use crate::dns::DnsOptions;

/// Bytes of a message, sound or damaged, or of anything.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let message = (0..3_u16, "[a-c]", any::<bool>(), any::<bool>()).prop_map(|(id, name, asks, stream)| {
        let message = if asks { query(id, &name) } else { answer(id, &name) };
        if stream { framed(&message) } else { message }
    });
    let damaged = (message.clone(), any::<usize>(), any::<u8>()).prop_map(|(mut message, at, value)| {
        let at = at % message.len();
        message[at] = value;
        message
    });
    prop_oneof![message, damaged, vec(any::<u8>(), 0..60)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_may_come(
        protocol in prop_oneof![Just(6_u8), Just(17)],
        steps in vec((payload(), any::<bool>(), 0..3_u16, any::<i16>(), 0..4_u32), 0..60),
    ) {
        let options = DnsOptions { max_pending: 4, max_connections: 2, ..DnsOptions::default() };
        let mut story = Story::with(protocol, options);
        let mut bytes = 0;
        for (payload, client, port, step, pause) in &steps {
            story.key.a_port = *port;
            let side = usize::from(!client);
            // Mostly in order.
            if step % 4 == 0 {
                story.next[side] = story.next[side].wrapping_add_signed(i32::from(*step));
            }
            story.send(*client, payload);
            story.pause(u64::from(*pause) * 2_000_000_000);
            bytes += payload.len();
            let (pending, connections) = story.tracker.held();
            prop_assert!(pending <= 4 && connections <= 2);
        }
        let lines = story.finish();
        prop_assert!(lines.len() * 5 <= bytes, "a question takes five bytes at least");
        for line in &lines {
            let text = serde_json::to_string(line).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&value["type"], "dns");
            let name = value["query"].as_str().unwrap_or_default();
            prop_assert!(name.bytes().all(|byte| (b'!'..=b'~').contains(&byte)), "{}", name);
        }
    }
}
