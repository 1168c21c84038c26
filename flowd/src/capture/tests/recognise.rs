use std::io::{self, Read};

use super::{build::Bytes, build::Order, failure, read_all};

#[test]
fn other_formats_are_named_with_their_remedy() {
    let erf = [0, 0, 0, 0, 0x10, 0x32, 0x54, 0x65, 2, 4, 0, 0x58, 0, 0, 0, 0x40];
    let cases: &[(&[u8], &str)] = &[
        (b"\x1f\x8b\x08\x00rest of it", "compressed with gzip, try `gzip -dc FILE | flowd read -`"),
        (b"\x28\xb5\x2f\xfdrest of it", "compressed with zstd, try `zstd -dc FILE | flowd read -`"),
        (b"\xfd7zXZ\0", "compressed with xz, try `xz -dc FILE | flowd read -`"),
        (b"snoop\0\0\0", "a snoop capture, convert it with `editcap -F pcapng FILE NEW`"),
        (&erf, "perhaps an Endace ERF capture, convert it with `editcap -F pcapng FILE NEW`"),
        (b"{\"type\":\"flow\"}", "if Wireshark can read it, convert it with `editcap -F pcapng FILE NEW`"),
    ];
    for (bytes, hint) in cases {
        let (packets, message) = failure(bytes);
        assert_eq!(packets, 0);
        assert!(message.ends_with(hint), "{message}");
    }
    let message = failure(b"\x1f\x8b\x08\x00").1;
    assert!(
        message.starts_with("test.pcap: byte 0: neither pcap nor pcapng, it starts with 1f 8b 08 00: "),
        "{message}"
    );
}

#[test]
fn an_empty_source_is_truncated() {
    let message = failure(b"").1;
    assert_eq!(message, "test.pcap: byte 0: the file ends inside the file header: 0 of 4 bytes are there");
}

#[test]
fn unknown_versions_are_refused() {
    let pcap = Bytes::new(Order::Big).u32(0xA1B2_C3D4).u16(3).u16(0).raw(&[0; 16]);
    assert_eq!(failure(&pcap.bytes).1, "test.pcap: byte 0: pcap version 3.0 is not known, only 2.x");
    let body = Bytes::new(Order::Big).u32(0x1A2B_3C4D).u16(2).u16(0).i64(-1);
    let pcapng = Bytes::new(Order::Big).block(0x0A0D_0D0A, &body);
    assert_eq!(failure(&pcapng.bytes).1, "test.pcap: byte 0: pcapng version 2.0 is not known, only 1.x");
}

#[test]
fn a_source_that_fails_is_not_taken_for_its_end() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("disk on fire"))
        }
    }
    let file = Bytes::pcap(Order::Little, 0xA1B2_C3D4, 1).record(0, 0, 1, b"a");
    let (packets, error) = read_all(file.bytes[..].chain(Broken));
    assert_eq!(packets.len(), 1);
    assert_eq!(error.unwrap().to_string(), "test.pcap: byte 41: cannot read: disk on fire");
}
