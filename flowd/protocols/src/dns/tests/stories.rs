use super::kit::{MILLISECOND, SECOND, Story, answer, ends, framed, message, name, query, record};
use crate::dns::{DnsOptions, DnsOutcome};

const UDP: u8 = 17;
const TCP: u8 = 6;

#[test]
fn a_lookup_is_one_line() {
    let mut story = Story::new(UDP);
    story.client(&query(7, "Example.org")).pause(34 * MILLISECOND).server(&answer(7, "eXample.ORG"));
    let lines = story.finish();
    assert_eq!(ends(&lines), [("Example.org", DnsOutcome::Answered)]);
    let line = serde_json::to_value(&lines[0]).unwrap();
    assert_eq!(line["type"], "dns");
    assert_eq!(
        (&line["transport"], &line["qtype"], &line["rcode"]),
        (&"udp".into(), &"A".into(), &"NOERROR".into())
    );
    assert_eq!(line["answers"], serde_json::json!(["192.0.2.9"]));
    assert_eq!((&line["response_time_us"], &line["retries"]), (&34_000.0.into(), &0.into()));
    assert_eq!((&line["client"]["port"], &line["server"]["port"]), (&40_000.into(), &53.into()));
}

#[test]
fn a_repeated_query_is_one_exchange() {
    let mut story = Story::new(UDP);
    story
        .client(&query(7, "a"))
        .pause(2 * SECOND)
        .client(&query(7, "a"))
        .pause(4 * SECOND)
        .server(&answer(7, "a"));
    let lines = story.finish();
    assert_eq!(ends(&lines), [("a", DnsOutcome::Repeated), ("a", DnsOutcome::Answered)]);
    assert_eq!((lines[1].retries, lines[1].response_time), (1, Some(6 * SECOND)));
    assert_eq!((lines[0].head.time, lines[1].head.time), (3 * SECOND, SECOND));
}

/// A slow server answers every sending: one exchange, with its first answer; the others are counted.
#[test]
fn answers_to_retries_belong_to_the_exchange() {
    let mut story = Story::new(UDP);
    for _ in 0..3 {
        story.client(&query(7, "a")).pause(SECOND);
    }
    for _ in 0..3 {
        story.server(&answer(7, "a"));
    }
    // One more than was asked for.
    story.server(&answer(7, "a"));
    let repeated = story.tracker.losses().repeated_answer;
    let lines = story.finish();
    let expected = [DnsOutcome::Repeated, DnsOutcome::Repeated, DnsOutcome::Answered, DnsOutcome::NoQuery];
    assert_eq!(ends(&lines), expected.map(|outcome| ("a", outcome)));
    assert_eq!((lines[2].retries, lines[2].response_time, repeated), (2, Some(3 * SECOND), 2));

    // A new query with the same id is another exchange, whatever may still come of the one before.
    let mut story = Story::new(UDP);
    story.client(&query(7, "a")).client(&query(7, "a")).server(&answer(7, "a")).client(&query(7, "a"));
    story.server(&answer(7, "a")).pause(5 * SECOND);
    let lines = story.finish();
    let expected = [DnsOutcome::Repeated, DnsOutcome::Answered, DnsOutcome::Answered];
    assert_eq!(ends(&lines), expected.map(|outcome| ("a", outcome)));
}

#[test]
fn five_seconds_end_the_wait() {
    let mut story = Story::new(UDP);
    story.client(&query(7, "a")).pause(5 * SECOND - 1);
    assert!(story.out.is_empty());
    // Without a turn of the clock in between: the event's own time tells.
    story.time += 1;
    story.client(&query(7, "a")).pause(SECOND).server(&answer(7, "a")).server(&answer(7, "a"));
    let lines = story.finish();
    assert_eq!(
        ends(&lines),
        [("a", DnsOutcome::Unanswered), ("a", DnsOutcome::Answered), ("a", DnsOutcome::NoQuery)]
    );
    assert_eq!(lines[1].response_time, Some(SECOND));
    assert_eq!((lines[2].response_time, lines[2].rcode), (None, Some(0)));
}

#[test]
fn responses_find_their_query_by_id_and_question() {
    let mut story = Story::new(UDP);
    story.client(&query(1, "a")).client(&query(1, "b")).client(&query(2, "a"));
    story.server(&answer(2, "a")).server(&answer(1, "b")).server(&answer(1, "c"));
    // An error need not repeat the question.
    story.server(&message(1, 0x8181, &[], &[]));
    let lines = story.finish();
    assert_eq!(
        ends(&lines),
        [
            ("a", DnsOutcome::Answered),
            ("b", DnsOutcome::Answered),
            ("c", DnsOutcome::NoQuery),
            ("a", DnsOutcome::Answered)
        ]
    );
    assert_eq!(lines[3].rcode, Some(1));
}

#[test]
fn several_questions_are_several_lines() {
    let mut story = Story::new(UDP);
    let questions = [("a", 1), ("b", 28)];
    story.client(&message(9, 0, &questions, &[])).server(&message(9, 0x8000, &questions, &[]));
    let lines = story.finish();
    assert_eq!(ends(&lines), [("a", DnsOutcome::Answered), ("b", DnsOutcome::Answered)]);
    assert_eq!(lines[1].qtype, Some(28));
}

#[test]
fn names_are_escaped_and_bounded() {
    let mut odd = message(3, 0, &[], &[]);
    odd[5] = 2;
    odd.extend(b"\x05a.b\\\x07\x02\xff \x00\x00\x01\x00\x01");
    odd.extend(b"\x00\x00\x02\x00\x01");
    let mut story = Story::new(UDP);
    story.client(&odd);
    let lines = story.finish();
    assert_eq!(lines[0].query.as_deref(), Some("a\\.b\\\\\\007.\\255\\032"));
    assert_eq!(lines[1].query.as_deref(), Some("<Root>"));
    // A pointer to itself, and a name that is too long.
    for bytes in [b"\xc0\x0c".to_vec(), name(&vec!["x".repeat(60); 5].join("."))] {
        let mut bad = message(4, 0, &[], &[]);
        bad[5] = 1;
        bad.extend(bytes);
        bad.extend([0, 1, 0, 1]);
        let before = story.tracker.losses().malformed;
        story.client(&bad);
        assert_eq!(story.tracker.losses().malformed, before + 1);
    }
    assert!(story.finish().is_empty());
}

#[test]
fn answers_are_text() {
    let target = name("mail.example.org");
    let answers = [
        record(5, &target),
        record(28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]),
        record(15, &[&[0, 10], &target[..]].concat()),
        record(33, &[&[0, 1, 0, 2, 0, 80], &target[..]].concat()),
        record(16, b"\x03a\"b\x01c"),
        record(99, b"\x09short"),
        record(65_280, &[1, 2, 255]),
        record(1, &[1, 2, 3]),
    ];
    let mut story = Story::new(UDP);
    story.server(&message(3, 0x8380, &[("example.org", 255)], &answers));
    let lines = story.finish();
    assert_eq!(
        lines[0].answers,
        [
            "mail.example.org",
            "2001:db8::5",
            "10 mail.example.org",
            "1 2 80 mail.example.org",
            "\"a\\\"b\" \"c\"",
            "SPF \\# 6 0973686f7274",
            "TYPE65280 \\# 3 0102ff",
            "A \\# 3 010203"
        ]
    );
    assert_eq!((lines[0].truncated, lines[0].answer_count), (Some(true), Some(8)));
}

#[test]
fn what_is_cut_off_costs_no_more_than_itself() {
    let whole =
        message(3, 0x8180, &[("example.org", 1)], &[record(1, &[1, 2, 3, 4]), record(1, &[5, 6, 7, 8])]);
    for cut in 0..whole.len() {
        let mut story = Story::new(UDP);
        story.client(&query(3, "example.org")).server(&whole[..cut]);
        let lines = story.finish();
        let question_end = 12 + name("example.org").len() + 4;
        assert_eq!(lines[0].outcome == DnsOutcome::Answered, cut >= question_end, "{cut}");
        let answers = cut.saturating_sub(question_end) / 16;
        assert_eq!(lines[0].answers.len(), answers, "{cut}");
        assert_eq!(story.tracker.losses().malformed, u64::from(cut < question_end));
    }
}

/// A capture of 96 bytes a packet: the header still tells what belongs together, and how it went.
#[test]
fn what_a_capture_cut_within_the_question() {
    let long = "a-name-that-is-rather-long.and-has-many-labels.so-that-it-is-cut.example.org";
    let mut story = Story::new(UDP);
    let mut refused = message(9, 0x8183, &[(long, 1)], &[]);
    story.cut(true, &query(8, long), 54).cut(true, &query(9, long), 54).pause(20 * MILLISECOND);
    story
        .cut(false, &refused, 54)
        .cut(true, &query(8, long), 54)
        .pause(20 * MILLISECOND)
        .server(&answer(8, long));
    refused.truncate(54);
    // Whoever sends half a question is another matter.
    story.server(&refused);
    assert_eq!(story.tracker.losses().malformed, 1);
    let lines = story.finish();
    let gist: Vec<_> = lines.iter().map(|line| (line.query.as_deref(), line.rcode, line.outcome)).collect();
    assert_eq!(
        gist,
        [
            (None, Some(3), DnsOutcome::Answered),
            (None, None, DnsOutcome::Repeated),
            (None, Some(0), DnsOutcome::Answered),
        ]
    );
    assert_eq!(lines[0].response_time, Some(20 * MILLISECOND));
}

#[test]
fn extended_codes_are_put_together() {
    let mut bytes = message(3, 0x8187, &[("a", 1)], &[]);
    bytes[11] = 1;
    // The root, OPT, a payload size, the code's upper bits, version and flags, no data.
    bytes.extend([0, 0, 41, 0x10, 0, 1, 0, 0, 0, 0, 0]);
    let mut story = Story::new(UDP);
    story.server(&bytes);
    assert_eq!(story.finish()[0].rcode, Some(0x17));
}

#[test]
fn messages_over_tcp_in_any_pieces() {
    let (ask, tell) = (framed(&query(1, "a.example")), framed(&answer(1, "a.example")));
    let (more, told) = (framed(&query(2, "b.example")), framed(&answer(2, "b.example")));
    for cut in 1..ask.len() {
        let mut story = Story::new(TCP);
        // The second piece first, and the first one twice; two messages in one segment.
        let [client, _] = story.next;
        let behind = client.wrapping_add(cut as u32);
        story.event(true, client, &ask[..1]);
        story.event(true, behind, &ask[cut..]).event(true, client, &ask[..cut]).event(
            true,
            client,
            &ask[..cut],
        );
        story.next[0] = client.wrapping_add(ask.len() as u32);
        story.client(&more).server(&[&tell[..], &told[..]].concat());
        let lines = story.finish();
        assert_eq!(
            ends(&lines),
            [("a.example", DnsOutcome::Answered), ("b.example", DnsOutcome::Answered)],
            "{cut}"
        );
        assert_eq!(serde_json::to_value(&lines[0]).unwrap()["transport"], "tcp");
    }
}

#[test]
fn a_message_over_tcp_that_was_not_copied_to_its_end() {
    let long: Vec<_> = (0..100).map(|n| record(1, &[10, 0, 0, n])).collect();
    let long = framed(&message(1, 0x8180, &[("a", 1)], &long));
    let mut story = Story::new(TCP);
    story.client(&framed(&query(1, "a"))).client(&framed(&query(2, "b")));
    let start = story.next[1];
    story.event(false, start, &long[..1232]);
    // What follows it begins where it ends.
    story.event(false, start.wrapping_add(long.len() as u32), &framed(&answer(2, "b")));
    let lines = story.finish();
    assert_eq!(ends(&lines), [("a", DnsOutcome::Answered), ("b", DnsOutcome::Answered)]);
    assert_eq!((lines[0].answers.len(), lines[0].answer_count), (16, Some(100)));
}

#[test]
fn a_lost_piece_ends_with_its_message() {
    let mut story = Story::new(TCP);
    story.client(&framed(&query(1, "a"))[..10]);
    // Much was not copied.
    story.next[0] = story.next[0].wrapping_add(5_000);
    story.client(&framed(&query(2, "b")));
    assert_eq!(ends(&story.finish()), [("b", DnsOutcome::Unanswered)]);
}

#[test]
fn full_tables_give_up_the_oldest_and_count_it() {
    let mut story = Story::with(UDP, DnsOptions { max_pending: 2, ..DnsOptions::default() });
    for id in 0..5 {
        story.client(&query(id, "a"));
    }
    assert_eq!((story.tracker.held().0, story.tracker.losses().evicted), (2, 3));
    assert_eq!(story.finish().len(), 5);
    let mut story = Story::with(TCP, DnsOptions { max_connections: 2, ..DnsOptions::default() });
    for port in 0..5 {
        story.key.a_port = port;
        story.client(&[0]);
    }
    assert_eq!((story.tracker.held().1, story.tracker.losses().evicted), (2, 3));
}

#[test]
fn what_waits_is_bounded_in_sum() {
    const MOST: usize = 64 << 10;
    let options = || DnsOptions { max_bytes: MOST, max_connection_bytes: MOST, ..DnsOptions::default() };
    let mut story = Story::with(UDP, options());
    let name = ["x".repeat(60), "y".repeat(60), "z".repeat(60)].join(".");
    for id in 0..2_000 {
        story.client(&query(id, if id % 2 == 0 { "a" } else { &name }));
        assert!(story.tracker.held_bytes().0 < MOST + 1_024, "{:?}", story.tracker.held_bytes());
    }
    let (held, evicted) = (story.tracker.held().0 as u64, story.tracker.losses().evicted);
    assert!(evicted > 0 && held + evicted == 2_000, "{held} held, {evicted} evicted");
    // Halves of messages.
    let mut story = Story::with(TCP, options());
    for port in 0..1_000 {
        story.key.a_port = port;
        story.client(&[&[4, 0][..], &[0; 1_000]].concat());
        assert!(story.tracker.held_bytes().1 <= MOST, "{:?}", story.tracker.held_bytes());
    }
    assert!(story.tracker.losses().evicted > 900);
}
