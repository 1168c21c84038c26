//! What dialects have to endure: bytes that are altered, cut, missing, twice there, or of nobody.

use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use super::{
    dialect::{Candidate, Dialect, Recognition, Side},
    dialogue::{Dialogue, Records},
    kit,
    stream::{Segment, Told},
};

/// Something that happens to a part of a conversation.
#[derive(Clone, Debug)]
enum Mischief {
    Nothing,
    /// A byte is another one.
    Altered(prop::sample::Index, u8),
    /// The copy is shorter than the segment.
    Cut(prop::sample::Index),
    /// Nobody saw it.
    Missing,
    /// The rest of it was not sent.
    Ended(prop::sample::Index),
    /// These bytes were sent in its place.
    Random(Vec<u8>),
}

fn mischief() -> impl Strategy<Value = Mischief> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => Just(Mischief::Nothing),
        4 => (index(), any::<u8>()).prop_map(|(at, byte)| Mischief::Altered(at, byte)),
        1 => index().prop_map(Mischief::Cut),
        1 => Just(Mischief::Missing),
        1 => index().prop_map(Mischief::Ended),
        1 => vec(any::<u8>(), 1..80).prop_map(Mischief::Random),
    ]
}

/// Has the protocol read `parts` in any order with anything done to them. Panics are its own; asserts that it never holds
/// more than `most` bytes, and that it refuses what goes on from what it refused.
pub(crate) fn endures(
    candidate: &Candidate,
    start: impl Fn() -> Box<dyn Dialect>,
    parts: &[(Side, &[u8])],
    most: usize,
) {
    let steps = vec((any::<prop::sample::Index>(), any::<bool>(), mischief()), 1..60);
    TestRunner::default()
        .run(&steps, |steps| {
            let mut dialogue = Dialogue::new(start());
            let (head, mut records) = (kit::head(), Records::new());
            dialogue.begin(Side::Client, 0);
            dialogue.begin(Side::Server, 0);
            let mut next = [0_u32; 2];
            let (mut said, mut refused) = ([Vec::new(), Vec::new()], [false; 2]);
            for (time, (part, in_order, mischief)) in steps.into_iter().enumerate() {
                let index = if in_order { time % parts.len() } else { part.index(parts.len()) };
                let (side, bytes) = parts[index];
                let mut bytes = bytes.to_vec();
                let mut len = bytes.len();
                match mischief {
                    Mischief::Nothing => {}
                    Mischief::Altered(at, byte) => {
                        let at = at.index(len);
                        bytes[at] = byte;
                    }
                    Mischief::Cut(at) => bytes.truncate(at.index(len)),
                    Mischief::Missing => bytes.clear(),
                    Mischief::Ended(at) => {
                        len = at.index(len);
                        bytes.truncate(len);
                    }
                    Mischief::Random(random) => {
                        len = random.len();
                        bytes = random;
                    }
                }
                let own = usize::from(side == Side::Server);
                let (seq, ack) = (next[own], next[1 - own]);
                next[own] = seq.wrapping_add(len as u32);
                said[own].extend_from_slice(&bytes);
                said[own].truncate(4 << 10);
                for (refused, [client, server]) in refused.iter_mut().zip([[0, 1], [1, 0]]) {
                    let refuses = (candidate.recognise)(&said[client], &said[server]) == Recognition::No;
                    prop_assert!(refuses || !*refused, "refused before: {:?}", said);
                    *refused = refuses;
                }
                let segment = Segment { seq, bytes: &bytes, len: len as u32, time: time as u64 };
                if dialogue.take(side, segment, Some(ack), &head, &mut records) == Told::Left {
                    break;
                }
                prop_assert!(dialogue.weight() <= most, "{} bytes", dialogue.weight());
            }
            dialogue.end(false, &head, &mut records);
            prop_assert!(dialogue.closed().0.all(|closed| !closed.open.ask.operation.is_empty()));
            Ok(())
        })
        .unwrap();
}
