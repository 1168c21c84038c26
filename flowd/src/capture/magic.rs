//! Recognises a file by its first bytes.

use std::io::Read;

use super::{CaptureError, fields::Order, window::Window};

/// What the first four bytes promise.
pub(super) enum Format {
    Pcap(Flavour),
    Pcapng,
}

/// The variants of classic pcap, told apart by the magic number alone (draft-ietf-opsawg-pcap, section 4).
#[derive(Clone, Copy)]
pub(super) struct Flavour {
    pub(super) order: Order,
    /// Nanoseconds of one unit of the fraction of a second.
    pub(super) tick: u64,
    /// Bytes of a record's header.
    pub(super) header: usize,
}

/// The type of a pcapng Section Header Block: a palindrome, the same in both byte orders.
const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const MICROSECONDS: u32 = 0xA1B2_C3D4;
const NANOSECONDS: u32 = 0xA1B2_3C4D;
/// Alexey Kuznetsov's patched libpcap of the 2.2 kernels: records carry 8 bytes more (interface index,
/// protocol, packet type).
const MODIFIED: u32 = 0xA1B2_CD34;

/// Other formats that people have, and what to do with them.
const OTHERS: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "compressed with gzip, try `gzip -dc FILE | flowd read -`"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd, try `zstd -dc FILE | flowd read -`"),
    (b"\xfd7zXZ", "compressed with xz, try `xz -dc FILE | flowd read -`"),
    (b"\x04\x22\x4d\x18", "compressed with lz4, try `lz4 -dc FILE | flowd read -`"),
    (b"BZh", "compressed with bzip2, try `bzip2 -dc FILE | flowd read -`"),
    (b"PK\x03\x04", "a zip archive, try `unzip -p FILE | flowd read -`"),
    (b"snoop\0", "a snoop capture, convert it with `editcap -F pcapng FILE NEW`"),
    (b"GMBU", "a Network Monitor capture, convert it with `editcap -F pcapng FILE NEW`"),
    (b"RTSS", "a Network Monitor capture, convert it with `editcap -F pcapng FILE NEW`"),
    (b"XCP\0", "a NetXRay capture, convert it with `editcap -F pcapng FILE NEW`"),
    (b"TRSNIFF data", "a Sniffer capture, convert it with `editcap -F pcapng FILE NEW`"),
    (b"\x1c\x00\x01\xac", "an IXIA lcap capture, convert it with `editcap -F pcapng FILE NEW`"),
    (b"\xac\x01\x00\x1c", "an IXIA lcap capture, convert it with `editcap -F pcapng FILE NEW`"),
];

/// Bytes that are looked at where the magic number is unknown: an ERF header.
const PEEK: usize = 16;

/// Finds out what the source is, consuming nothing.
pub(super) fn recognise<R: Read>(window: &mut Window<R>) -> Result<Format, CaptureError> {
    let Some(&magic) = window.fill(4)?.first_chunk::<4>() else {
        return Err(window.truncated(0, "the file header", 4));
    };
    let little = u32::from_le_bytes(magic);
    if little == SECTION_HEADER {
        return Ok(Format::Pcapng);
    }
    for (order, magic) in [(Order::Little, little), (Order::Big, little.swap_bytes())] {
        let (tick, header) = match magic {
            MICROSECONDS => (1_000, 16),
            NANOSECONDS => (1, 16),
            MODIFIED => (1_000, 24),
            _ => continue,
        };
        return Ok(Format::Pcap(Flavour { order, tick, header }));
    }
    let hint = hint(window.fill(PEEK)?);
    let [a, b, c, d] = magic;
    Err(window.not_a_capture(format!("{a:02x} {b:02x} {c:02x} {d:02x}"), hint.to_owned()))
}

fn hint(head: &[u8]) -> &'static str {
    if let Some((_, hint)) = OTHERS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return hint;
    }
    if looks_like_erf(head) {
        return "perhaps an Endace ERF capture, convert it with `editcap -F pcapng FILE NEW`";
    }
    "if Wireshark can read it, convert it with `editcap -F pcapng FILE NEW`"
}

/// ERF has no magic number: a record starts with a fixed-point time (seconds in bytes 4 to 7, little-endian),
/// a type below 64 and, big-endian, a record length that covers its own 16 bytes of header.
fn looks_like_erf(head: &[u8]) -> bool {
    let Some(&[_, _, _, _, s0, s1, s2, s3, kind, _, l0, l1, ..]) = head.first_chunk::<PEEK>() else {
        return false;
    };
    const YEAR_1990: u32 = 631_152_000;
    u32::from_le_bytes([s0, s1, s2, s3]) >= YEAR_1990
        && (1..64).contains(&(kind & 0x7F))
        && usize::from(u16::from_be_bytes([l0, l1])) >= PEEK
}
