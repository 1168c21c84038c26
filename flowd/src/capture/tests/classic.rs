use super::{
    super::{Capture, MAX_RECORD},
    Packet, Trickle,
    build::{Bytes, Order},
    packet, packets, read_all,
};

const BOTH: [Order; 2] = [Order::Little, Order::Big];

#[test]
fn both_units_in_both_orders() {
    for order in BOTH {
        for (magic, tick) in [(0xA1B2_C3D4, 1_000), (0xA1B2_3C4D, 1)] {
            let file = Bytes::pcap(order, magic, 1).record(5, 6, 4, b"abcd").record(7, 999_999, 0, b"");
            let expected =
                [packet(5_000_000_000 + 6 * tick, b"abcd"), packet(7_000_000_000 + 999_999 * tick, b"")];
            assert_eq!(packets(&file.bytes), expected, "{order:?} {magic:#x}");
        }
    }
}

#[test]
fn modified_records_have_eight_bytes_more() {
    for order in BOTH {
        let mut file = Bytes::pcap(order, 0xA1B2_CD34, 1);
        for data in [b"abc", b"def"] {
            file = file.u32(1).u32(2).u32(3).u32(3).u32(0xDEAD).u16(0x0800).raw(&[4, 0]).raw(data);
        }
        assert_eq!(packets(&file.bytes), [packet(1_000_002_000, b"abc"), packet(1_000_002_000, b"def")]);
    }
}

#[test]
fn length_on_the_wire_is_kept_and_never_below_the_captured() {
    let file =
        Bytes::pcap(Order::Little, 0xA1B2_C3D4, 1).record(0, 0, 1_500, b"abcd").record(0, 0, 2, b"abcd");
    let lengths: Vec<u32> = packets(&file.bytes).iter().map(|p| p.original_len).collect();
    assert_eq!(lengths, [1_500, 4]);
}

#[test]
fn old_versions_may_swap_the_lengths() {
    let mut file = Bytes::pcap(Order::Big, 0xA1B2_C3D4, 1).u32(0).u32(0).u32(60).u32(4).raw(b"abcd");
    file.bytes[7] = 2; // minor version
    let expected = Packet { original_len: 60, ..packet(0, b"abcd") };
    assert_eq!(packets(&file.record(0, 0, 4, b"abcd").bytes), [expected, packet(0, b"abcd")]);
}

#[test]
fn link_type_is_the_lower_half_of_its_field() {
    for (field, link, fcs_len) in
        [(0x4400_0001, 1, 8), (0x2400_0071, 113, 4), (0xF3FF_0114, 276, 0), (101, 101, 0)]
    {
        let file = Bytes::pcap(Order::Little, 0xA1B2_C3D4, field).record(0, 0, 1, b"a");
        assert_eq!(packets(&file.bytes), [Packet { link, fcs_len, ..packet(0, b"a") }], "{field:#x}");
    }
}

#[test]
fn times_do_not_overflow() {
    let file = Bytes::pcap(Order::Little, 0xA1B2_C3D4, 1).record(u32::MAX, u32::MAX, 0, b"");
    let time = u64::from(u32::MAX) * 1_000_000_000 + u64::from(u32::MAX) * 1_000;
    assert_eq!(packets(&file.bytes), [packet(time, b"")]);
}

#[test]
fn a_file_without_records_is_sound() {
    assert_eq!(packets(&Bytes::pcap(Order::Little, 0xA1B2_C3D4, 1).bytes), []);
}

#[test]
fn offset_is_behind_the_record_and_there_are_no_names() {
    let file = Bytes::pcap(Order::Little, 0xA1B2_C3D4, 1).record(0, 0, 4, b"abcd").record(0, 0, 1, b"x");
    let mut capture = Capture::open(&file.bytes[..], "x".to_owned()).unwrap();
    let mut offsets = vec![capture.offset()];
    while capture.next_packet().unwrap().is_some() {
        offsets.push(capture.offset());
    }
    assert_eq!(offsets, [24, 24 + 20, 24 + 20 + 17]);
    assert_eq!(capture.interface_name(0), None);
}

#[test]
fn records_up_to_the_limit_grow_the_buffer() {
    let large: Vec<u8> = (0..MAX_RECORD).map(|i| i as u8).collect();
    let file = Bytes::pcap(Order::Little, 0xA1B2_C3D4, 1)
        .record(1, 0, 1, b"a")
        .record(2, 0, MAX_RECORD as u32, &large)
        .record(3, 0, 1, b"b");
    let expected = [packet(1_000_000_000, b"a"), packet(2_000_000_000, &large), packet(3_000_000_000, b"b")];
    assert!(packets(&file.bytes) == expected);
    let (first, error) = read_all(&file.raw(&[0; 8]).u32(MAX_RECORD as u32 + 1).u32(0).bytes[..]);
    assert_eq!(first.len(), 3);
    let message = error.unwrap().to_string();
    let offset = 24 + 3 * 16 + MAX_RECORD + 2;
    let expected =
        format!("test.pcap: byte {offset}: the record claims 16777217 captured bytes, more than 16777216");
    assert_eq!(message, expected);
}

#[test]
fn a_pipe_gives_the_same_as_a_file() {
    let mut file = Bytes::pcap(Order::Big, 0xA1B2_3C4D, 1);
    for i in 0..50_u32 {
        file = file.record(i, i, i, &vec![i as u8; i as usize]);
    }
    let whole = read_all(&file.bytes[..]).0;
    assert_eq!(whole.len(), 50);
    for step in [1, 2, 7, 100] {
        let (packets, error) = read_all(Trickle::new(&file.bytes, step));
        assert!(error.is_none() && packets == whole, "{step}");
    }
}

#[test]
fn records_across_the_buffers_edge_are_whole() {
    // Sizes that walk over the edge of the buffer in steps of one byte.
    let mut file = Bytes::pcap(Order::Little, 0xA1B2_C3D4, 1);
    let data: Vec<u8> = (0..2_000_u32).map(|i| (i * 7) as u8).collect();
    for i in 0..2_000 {
        file = file.record(i, 0, 2_000, &data[..1_000 + (i as usize * 13) % 1_000]);
    }
    let packets = packets(&file.bytes);
    assert_eq!(packets.len(), 2_000);
    for (i, packet) in packets.iter().enumerate() {
        assert_eq!(packet.data, data[..1_000 + (i * 13) % 1_000]);
    }
}
