//! A conversation that passes two watched interfaces.

use flow_common::{
    app::App,
    event::{PayloadEvent, PayloadKind},
    key::Sender,
    wire::tcp::flag,
};

use super::{Conversations, Copies, Entry};
use crate::{conversation::kit, options::Options, protocol::Follow, record::Found, redis::REGISTERED};

fn redis(options: &Options) -> Conversations {
    let Follow::Dialect(candidate) = REGISTERED.follow else { panic!("no dialect") };
    let entry = Entry { app: App::Redis, candidate, operations: REGISTERED.numbers.operations(), options };
    Conversations::new([entry].into_iter())
}

/// A segment, or the end of a side.
fn event(sender: Sender, seq: u32, ack: u32, text: &str) -> PayloadEvent {
    let kind = if text.is_empty() { PayloadKind::End } else { PayloadKind::Message };
    PayloadEvent {
        key: kit::head().key,
        time: u64::from(seq),
        slot: 1,
        seq,
        payload_len: text.len() as u32,
        copied: text.len() as u16,
        kind: kind as u8,
        sender: PayloadEvent::numbered(sender, 0),
        ack,
        tcp_flags: (flag::ACK | if text.is_empty() { flag::FIN } else { 0 }) as u8,
        app: 0,
        retransmits: 0,
        own_last: 0,
        peer_last: 0,
    }
}

#[test]
fn what_is_followed_elsewhere_tells_nothing_and_lacks_nothing() {
    const PING: &str = "*1\r\n$4\r\nPING\r\n";
    const PONG: &str = "+PONG\r\n";
    let options = kit::options();
    let mut conversations = redis(&options);
    let mut found = Found::new();
    let mut take = |conversations: &mut Conversations, sender, seq, ack, text: &str| {
        let taken = conversations.event(&event(sender, seq, ack, text), text.as_bytes(), &mut found);
        assert!(taken, "{text}");
        found.drain(..).count()
    };
    let (client, server) = (Sender::A, Sender::B);
    let mut told = 0;
    told += take(&mut conversations, client, 100, 900, PING);
    told += take(&mut conversations, server, 900, 114, PONG);
    assert_eq!(told, 1);
    let decisions: Vec<_> =
        conversations.decisions().map(|decision| (decision.copies, decision.app)).collect();
    assert_eq!(decisions, [(Copies::All, Some(App::Redis))]);
    conversations.leave(&kit::head().key);
    // What was copied before the packet path knew of it; more was not.
    let mut told = 0;
    told += take(&mut conversations, client, 114, 907, PING);
    told += take(&mut conversations, client, 500, 2_000, "");
    told += take(&mut conversations, server, 2_000, 501, "");
    assert_eq!((told, conversations.decisions().count()), (0, 0));
    let losses: u64 = conversations.losses().flat_map(|(_, losses)| losses).map(|(_, count)| count).sum();
    assert_eq!(losses, 0);
}
