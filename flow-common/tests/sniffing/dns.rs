//! Messages of DNS.

use super::*;

#[test]
fn datagrams_on_the_port_of_dns() {
    let ip = frames::V4::of(17);
    let feed = |world: &mut World, from: u16, to: u16, len: usize| {
        world.feed(&frames::ethernet(frames::IPV4, &ip.wrap(&frames::udp(from, to, &vec![1; len]))));
    };
    let mut watched = world(DNS_ONLY);
    for (from, to, len) in [(40_000, 53, 30), (53, 40_000, 1_400), (40_000, 53, 11), (5353, 5353, 30)] {
        feed(&mut watched, from, to, len);
    }
    let found: Vec<_> = watched.events.iter().map(|(event, bytes)| (what(event), bytes.len())).collect();
    assert_eq!(found, [(DNS, 30), (DNS, DNS_BYTES as usize)]);
    assert_eq!(watched.events[0].0.payload_len, 30);
    // More where more is asked for.
    watched.settings.head_bytes = 4096;
    feed(&mut watched, 53, 40_000, 1_400);
    assert_eq!(watched.events[2].1.len(), 1_400);
    let mut off = world(KNOWN.without(App::Dns));
    feed(&mut off, 40_000, 53, 30);
    assert!(off.events.is_empty());
}

#[test]
fn of_a_fragmented_message_the_first_fragment() {
    let whole = frames::udp(53, 40_000, &vec![1; 2_000]);
    let (first, rest) = whole.split_at(1_480);
    let mut world = world(DNS_ONLY);
    let head = frames::V4 { identification: 9, more: true, ..frames::V4::of(17) };
    world.feed(&frames::ethernet(frames::IPV4, &head.wrap(first)));
    let tail = frames::V4 { offset: 185, more: false, ..head };
    world.feed(&frames::ethernet(frames::IPV4, &tail.wrap(rest)));
    assert_eq!(world.events.len(), 1);
    assert_eq!(world.records().len(), 1);
}

#[test]
fn messages_over_tcp_each_with_a_window_of_its_own() {
    let mut talk = Talk::new(53, KNOWN);
    // Its length alone, the message, and the next one without an answer in between.
    talk.send(true, PSH, &[0, 40]);
    talk.send(true, PSH, &[1; 40]);
    talk.send(true, PSH, &[2; 50]);
    // A long answer in segments: what lies in the window.
    talk.send(false, flag::ACK, &[3; 1_000]);
    talk.send(false, flag::ACK, &[3; 1_000]);
    talk.send(false, PSH, &[3; 1_000]);
    talk.send(false, PSH, &[4; 60]);
    let begun = [2, 40, 50, 1_000].map(|len| (DNS, len));
    assert_eq!(talk.copied(), [&begun[..], &[(DNS_MORE, 232), (DNS, 60)]].concat());
    talk.raw(true, flag::FIN | flag::ACK, 0, &[]);
    assert_eq!(talk.copied().len(), 6, "the end of such a connection says nothing");
}

#[test]
fn a_datagram_says_it_too() {
    let ip = frames::V4::of(17);
    let mut answer = query()[2..].to_vec();
    answer[2] = 0x81;
    for (payload, app) in [(&query()[2..], Some(App::Dns)), (&answer, Some(App::Dns)), (&[9; 40], None)] {
        let mut world = world(DNS_ONLY);
        world.feed(&frames::ethernet(frames::IPV4, &ip.wrap(&frames::udp(40_000, 53, payload))));
        assert_eq!((world.events.len(), App::from_number(world.records()[0].app)), (1, app));
        // Later ones change nothing.
        world.feed(&frames::ethernet(frames::IPV4, &ip.wrap(&frames::udp(40_000, 53, &[9; 40]))));
        assert_eq!(App::from_number(world.records()[0].app), app);
    }
}
