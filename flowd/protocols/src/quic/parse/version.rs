//! Versions whose Initial keys are public: their salts, and what else of them differs.

/// A version of QUIC that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::quic) struct Version {
    number: u32,
    salt: &'static [u8; 20],
}

/// RFC 9001 section 5.2, the same since draft-ietf-quic-tls-33.
const SALT_1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
    0xbb, 0x7f, 0x0a,
];
/// RFC 9369 section 3.3.1.
const SALT_2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
    0xbd, 0x2e, 0xd9,
];
/// draft-ietf-quic-tls-29 to 32, section 5.2.
const SALT_DRAFT_29: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43,
    0x90, 0xa8, 0x99,
];
/// draft-ietf-quic-tls-23 to 28, section 5.2.
const SALT_DRAFT_23: [u8; 20] = [
    0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe,
    0xf9, 0xf5, 0x02,
];
/// draft-ietf-quic-tls-21 and 22, section 5.2; earlier headers were laid out differently than that of 22.
const SALT_DRAFT_22: [u8; 20] = [
    0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a,
    0x02, 0x64, 0x4a,
];
/// RFC 9369 section 3.1.
const VERSION_2: u32 = 0x6b33_43cf;

/// What a packet with a long header is. The numbers are those of the first version (RFC 9000 section 17.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
}

impl Version {
    /// The version of a number, where its keys are public.
    pub(in crate::quic) const fn of(number: u32) -> Option<Self> {
        let salt = match number {
            1 | 0xff00_0021..=0xff00_0022 => &SALT_1,
            VERSION_2 => &SALT_2,
            0xff00_001d..=0xff00_0020 => &SALT_DRAFT_29,
            0xff00_0017..=0xff00_001c => &SALT_DRAFT_23,
            0xff00_0016 => &SALT_DRAFT_22,
            _ => return None,
        };
        Some(Self { number, salt })
    }

    pub(in crate::quic) const fn number(self) -> u32 {
        self.number
    }

    pub(super) const fn salt(self) -> &'static [u8; 20] {
        self.salt
    }

    /// Labels from which key, initial vector and header's key follow (RFC 9001 section 5.1, RFC 9369 section 3.3.2).
    pub(super) const fn labels(self) -> [&'static [u8]; 3] {
        if self.number == VERSION_2 {
            [b"quicv2 key", b"quicv2 iv", b"quicv2 hp"]
        } else {
            [b"quic key", b"quic iv", b"quic hp"]
        }
    }

    /// What the packet with this first byte is (RFC 9000 section 17.2, RFC 9369 section 3.2).
    pub(super) const fn kind(self, first: u8) -> Kind {
        let ahead = if self.number == VERSION_2 { 1 } else { 0 };
        match (first >> 4).wrapping_sub(ahead) & 3 {
            0 => Kind::Initial,
            1 => Kind::ZeroRtt,
            2 => Kind::Handshake,
            _ => Kind::Retry,
        }
    }
}
