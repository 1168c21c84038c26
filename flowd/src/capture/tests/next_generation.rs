use super::{
    super::Capture,
    Packet, Trickle,
    build::{Bytes, Order, ethernet},
    failure, packet, packets, read_all,
};

const BOTH: [Order; 2] = [Order::Little, Order::Big];

#[test]
fn all_three_packet_blocks_in_both_orders() {
    for order in BOTH {
        let file = ethernet(order).enhanced(0, 5_000_006, 1_500, b"abcde").simple(3, b"xyz").obsolete(
            0,
            0x1_0000_0000,
            4,
            b"old!",
        );
        let expected = [
            Packet { original_len: 1_500, ..packet(5_000_006_000, b"abcde") },
            packet(5_000_006_000, b"xyz"), // has no time of its own
            packet(0x1_0000_0000 * 1_000, b"old!"),
        ];
        assert_eq!(packets(&file.bytes), expected, "{order:?}");
    }
}

#[test]
fn interfaces_have_their_own_link_and_clock() {
    for order in BOTH {
        let offset = Bytes::new(order).i64(-100).bytes;
        let file = Bytes::new(order)
            .section(order)
            .interface(1, 0, &[(2, b"eth0"), (9, &[9])])
            .interface(101, 0, &[(1, b"comment"), (9, &[0x80 | 10]), (2_988, b"custom")])
            .interface(113, 0, &[(14, &offset), (2, b"any\0")])
            .interface(1, 0, &[(13, &[4])])
            .interface(1, 0, &[(13, &[32]), (2, b"")]);
        let file = (0..5).fold(file, |file, id| file.enhanced(id, 1_024_000_000, 1, b"p"));
        let expected = [
            (0, 1, 1_024_000_000, 0),
            (1, 101, 1_000_000_000_000_000, 0),
            (2, 113, 924_000_000_000, 0),
            (3, 1, 1_024_000_000_000, 4),
            (4, 1, 1_024_000_000_000, 4),
        ];
        let expected = expected.map(|(interface, link, time, fcs_len)| Packet {
            interface,
            link,
            fcs_len,
            ..packet(time, b"p")
        });
        assert_eq!(packets(&file.bytes), expected, "{order:?}");

        let mut capture = Capture::open(&file.bytes[..], "x".to_owned()).unwrap();
        while capture.next_packet().unwrap().is_some() {}
        let names: Vec<_> = (0..6).map(|id| capture.interface_name(id)).collect();
        assert_eq!(names, [Some("eth0"), None, Some("any"), None, None, None]);
    }
}

#[test]
fn sections_reset_interfaces_and_may_change_the_order() {
    let file = Bytes::new(Order::Little)
        .section(Order::Little)
        .interface(1, 0, &[(2, b"a")])
        .interface(1, 0, &[(2, b"b")])
        .enhanced(1, 1, 1, b"1")
        .section(Order::Big)
        .interface(113, 0, &[(2, b"c"), (9, &[9])])
        .enhanced(0, 2, 1, b"2")
        .section(Order::Little);
    let expected = [
        Packet { interface: 1, ..packet(1_000, b"1") },
        Packet { interface: 2, link: 113, ..packet(2, b"2") },
    ];
    assert_eq!(packets(&file.bytes), expected);
    let offset = file.bytes.len();
    let (packets, message) = failure(&file.enhanced(0, 0, 1, b"3").bytes);
    assert_eq!(packets, 2);
    let expected = "a packet names interface 0, which is not described before it";
    assert_eq!(message, format!("test.pcap: byte {offset}: {expected}"));
}

#[test]
fn simple_packets_are_cut_to_the_snapshot_length() {
    let file = Bytes::new(Order::Little).section(Order::Little).interface(1, 6, &[]).simple(100, b"abcdef");
    assert_eq!(packets(&file.bytes), [Packet { original_len: 100, ..packet(0, b"abcdef") }]);
    let (count, message) = failure(&ethernet(Order::Little).simple(100, b"abcdef").bytes);
    assert_eq!(count, 0);
    assert!(message.ends_with("a packet of 100 captured bytes is in a block of 24 bytes"), "{message}");
}

#[test]
fn blocks_without_packets_are_skipped_even_when_huge() {
    let order = Order::Big;
    let huge = Bytes::new(order).raw(&vec![0xAA; 20 << 20]);
    let statistics = Bytes::new(order).u32(0).u32(0).u32(0);
    let file = ethernet(order)
        .block(4, &Bytes::new(order).u32(0))
        .block(0x0BAD, &huge)
        .enhanced(0, 0, 1, b"a")
        .block(5, &statistics)
        .block(0x4000_0BAD, &Bytes::new(order));
    assert_eq!(packets(&file.bytes), [packet(0, b"a")]);
}

#[test]
fn original_length_is_never_below_the_captured() {
    assert_eq!(packets(&ethernet(Order::Big).enhanced(0, 0, 1, b"abc").bytes), [packet(0, b"abc")]);
}

#[test]
fn times_beyond_the_range_stop_at_its_ends() {
    let order = Order::Little;
    let [past, future] = [i64::MIN, i64::MAX].map(|offset| Bytes::new(order).i64(offset).bytes);
    let file = Bytes::new(order)
        .section(order)
        .interface(1, 0, &[(9, &[0])])
        .interface(1, 0, &[(14, &past)])
        .interface(1, 0, &[(14, &future)])
        .enhanced(0, u64::MAX, 0, b"")
        .enhanced(1, 5, 0, b"")
        .enhanced(2, 5, 0, b"");
    let times: Vec<u64> = packets(&file.bytes).iter().map(|packet| packet.time).collect();
    assert_eq!(times, [u64::MAX, 0, u64::MAX]);
}

#[test]
fn names_that_are_long_or_not_utf8_are_made_to_fit() {
    let order = Order::Little;
    let file = Bytes::new(order).section(order).interface(1, 0, &[(2, &[b'x'; 4_000])]).interface(
        1,
        0,
        &[(2, b"a\xFF")],
    );
    let mut capture = Capture::open(&file.bytes[..], "x".to_owned()).unwrap();
    assert!(capture.next_packet().unwrap().is_none());
    assert_eq!(capture.interface_name(0).unwrap().len(), 255);
    assert_eq!(capture.interface_name(1), Some("a\u{FFFD}"));
}

#[test]
fn a_pipe_gives_the_same_as_a_file() {
    let file = ethernet(Order::Big).block(9, &Bytes::new(Order::Big).raw(&[0; 999]));
    let file = (0..40_u32).fold(file, |file, i| file.enhanced(0, i.into(), i, &vec![i as u8; i as usize]));
    let whole = read_all(&file.bytes[..]).0;
    assert_eq!(whole.len(), 40);
    for step in [1, 3, 11, 100] {
        let (packets, error) = read_all(Trickle::new(&file.bytes, step));
        assert!(error.is_none() && packets == whole, "{step}");
    }
}
