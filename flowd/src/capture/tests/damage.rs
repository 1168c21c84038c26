use proptest::prelude::*;

use super::{
    super::CaptureError,
    Trickle,
    build::{Bytes, Order, ethernet},
    failure, read_all,
};

fn small_pcap() -> Vec<u8> {
    let file = Bytes::pcap(Order::Little, 0xA1B2_C3D4, 1);
    file.record(1, 2, 60, b"first").record(3, 4, 0, b"").record(5, 6, 9, b"the third").bytes
}

fn small_pcapng() -> Vec<u8> {
    ethernet(Order::Little)
        .enhanced(0, 1, 60, b"first")
        .block(5, &Bytes::new(Order::Little).u32(0))
        .simple(6, b"second")
        .section(Order::Big)
        .interface(113, 64, &[(2, b"any"), (9, &[9]), (1, b"why")])
        .obsolete(0, 3, 3, b"3rd")
        .bytes
}

/// Ends of the blocks of a pcapng file without packets, at which it may end cleanly too.
fn block_ends(file: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let (mut at, mut big) = (0, false);
    while let Some(head) = file.get(at..at + 12) {
        if head[0] == 0x0A {
            big = head[8] == 0x1A;
        }
        let length = [head[4], head[5], head[6], head[7]];
        at += if big { u32::from_be_bytes(length) } else { u32::from_le_bytes(length) } as usize;
        ends.push(at);
    }
    ends
}

#[test]
fn cut_anywhere_all_complete_packets_come_first() {
    for (file, clean) in [(small_pcap(), vec![24]), (small_pcapng(), block_ends(&small_pcapng()))] {
        let (whole, error) = read_all(&file[..]);
        assert!(error.is_none());
        assert_eq!(whole.len(), 3);
        for cut in 0..file.len() {
            let (packets, error) = read_all(&file[..cut]);
            let complete = whole.iter().filter(|packet| packet.end <= cut as u64).count();
            assert_eq!(packets, whole[..complete], "cut at {cut}");
            let at_boundary = clean.contains(&cut) || whole.iter().any(|packet| packet.end == cut as u64);
            match error {
                None => assert!(at_boundary, "no error when cut at {cut}"),
                Some(CaptureError::Truncated { offset, wanted, present, .. }) => {
                    assert!(!at_boundary, "an error when cut at {cut}");
                    assert_eq!(offset + present, cut as u64);
                    assert!(present < wanted);
                }
                Some(other) => panic!("cut at {cut}: {other}"),
            }
        }
    }
}

#[test]
fn truncation_names_file_offset_and_what_is_missing() {
    let file = small_pcap();
    let (packets, message) = failure(&file[..file.len() - 4]);
    assert_eq!(packets, 2);
    assert_eq!(message, "test.pcap: byte 61: the file ends inside a packet: 21 of 25 bytes are there");
}

#[test]
fn contradictions_are_told() {
    let order = Order::Big;
    let sound = ethernet(order).enhanced(0, 0, 1, b"a");
    let at = sound.bytes.len();
    let word = || Bytes::new(order);
    let interface =
        |options: &Bytes| sound.clone().block(1, &word().u16(1).u16(0).u32(0).raw(&options.bytes));
    let packet = word().u32(0).u32(0).u32(0).u32(9).u32(9).raw(b"too few");
    let cases = [
        (sound.clone().u32(6).u32(33).u32(0), "a block of type 0x6 claims a length of 33 bytes"),
        (sound.clone().u32(6).u32(8).u32(0), "a block of type 0x6 claims a length of 8 bytes"),
        (
            sound.clone().u32(6).u32(17 << 20).u32(0),
            "a packet block claims a length of 17825792 bytes, more than 16777216",
        ),
        (
            sound.clone().u32(1).u32(17 << 20).u32(0),
            "an interface description claims a length of 17825792 bytes, more than 16777216",
        ),
        (sound.clone().u32(6).u32(16).u32(0).u32(16), "a packet block of 16 bytes is too short"),
        (sound.clone().u32(3).u32(12).u32(12), "a packet block of 12 bytes is too short"),
        (
            sound.clone().u32(6).u32(16).u32(0).u32(20),
            "the block's length is 16 bytes before its body and 20 after it",
        ),
        (
            sound.clone().u32(9).u32(16).u32(0).u32(20),
            "the block's length is 16 bytes before its body and 20 after it",
        ),
        (sound.clone().u32(1).u32(16).u32(0).u32(16), "the interface description is too short"),
        (sound.clone().block(6, &packet), "a packet of 9 captured bytes is in a block of 40 bytes"),
        (
            sound.clone().u32(0x0A0D_0D0A).u32(28).u32(5),
            "the section header's byte-order magic is [00, 00, 00, 05]",
        ),
        (
            sound.clone().u32(0x0A0D_0D0A).u32(24).u32(0x1A2B_3C4D),
            "a section header of 24 bytes is too short",
        ),
        (interface(&word().u16(9).u16(8).u32(0)), "option 9 of the interface is longer than its block"),
        (interface(&word().u16(9).u16(0)), "option 9 of the interface has a length of 0"),
        (interface(&word().u16(14).u16(4).u32(0)), "option 14 of the interface has a length of 4"),
    ];
    for (file, problem) in cases {
        let (packets, message) = failure(&file.bytes);
        assert_eq!(packets, 1, "{problem}");
        assert_eq!(message, format!("test.pcap: byte {at}: {problem}"));
    }
}

#[test]
fn interfaces_are_bounded() {
    let mut file = Bytes::new(Order::Little).section(Order::Little);
    for _ in 0..65_537 {
        file = file.interface(1, 0, &[]);
    }
    assert!(failure(&file.bytes).1.ends_with("the file describes more than 65536 interfaces"));
}

proptest! {
    /// Every packet takes bytes of the file, so an end within the file's length in packets is an end.
    #[test]
    fn mutated_files_neither_panic_nor_run_on(
        which in 0..3_usize,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        lengths in prop::collection::vec((any::<prop::sample::Index>(), any::<u32>()), 0..3),
        cut in any::<prop::sample::Index>(),
        step in 1..200_usize,
    ) {
        let mut file = match which {
            0 => small_pcap(),
            1 => small_pcapng(),
            _ => [small_pcapng(), small_pcapng()].concat(),
        };
        for (place, value) in &edits {
            let at = place.index(file.len());
            file[at] = *value;
        }
        for (place, value) in &lengths {
            let at = place.index(file.len() / 4) * 4;
            file[at..at + 4].copy_from_slice(&(value % 64 * 4).to_le_bytes());
        }
        if which == 2 {
            file.truncate(cut.index(file.len()));
        }
        let (packets, error) = read_all(&file[..]);
        prop_assert!(packets.len() <= file.len() / 16);
        prop_assert!(packets.iter().all(|p| p.original_len as usize >= p.data.len()));
        prop_assert!(packets.iter().all(|p| p.end <= file.len() as u64));
        let (again, same) = read_all(Trickle::new(&file, step));
        prop_assert_eq!(packets, again);
        prop_assert_eq!(error.map(|e| e.to_string()), same.map(|e| e.to_string()));
    }

    #[test]
    fn noise_behind_a_header_neither_panics_nor_runs_on(
        header in 0..4_usize,
        noise in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let start = match header {
            0 => Vec::new(),
            1 => Bytes::pcap(Order::Big, 0xA1B2_C3D4, 1).bytes,
            2 => Bytes::pcap(Order::Little, 0xA1B2_CD34, 1).bytes,
            _ => ethernet(Order::Little).bytes,
        };
        let (packets, _) = read_all(&[start, noise].concat()[..]);
        prop_assert!(packets.len() <= 30);
    }
}
