//! JA4, a fingerprint of TLS clients: how the ClientHello is made up, without what changes from one connection
//! to the next. Format by FoxIO (<https://github.com/FoxIO-LLC/ja4>, technical_details/JA4.md).

use std::fmt::Write as _;

use ring::digest::SHA256;

use super::hello::{ClientHello, extension};

/// What carried the ClientHello, as the first letter of the fingerprint says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Tcp,
    Quic,
}

/// The fingerprint of a complete ClientHello.
pub(crate) fn ja4(hello: &ClientHello, carrier: Carrier) -> String {
    let carrier = match carrier {
        Carrier::Tcp => 't',
        Carrier::Quic => 'q',
    };
    let version = match hello.version() {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    };
    let name = if hello.extensions.contains(&extension::SERVER_NAME) { 'd' } else { 'i' };
    let mut ciphers = hello.ciphers.clone();
    ciphers.sort_unstable();
    let mut extensions = hello.extensions.clone();
    extensions.retain(|number| ![extension::SERVER_NAME, extension::ALPN].contains(number));
    extensions.sort_unstable();
    let mut list = hex(&extensions);
    if !list.is_empty() && !hello.signatures.is_empty() {
        list = format!("{list}_{}", hex(&hello.signatures));
    }
    format!(
        "{carrier}{version}{name}{:02}{:02}{}_{}_{}",
        hello.ciphers.len().min(99),
        hello.extensions.len().min(99),
        ends(&hello.first_protocol),
        digest(&hex(&ciphers)),
        digest(&list)
    )
}

/// FirstMessage and last character of the first protocol; of its hexadecimal form where one of them is no letter or digit.
fn ends(protocol: &[u8]) -> String {
    let (Some(first), Some(last)) = (protocol.first(), protocol.last()) else { return "00".to_owned() };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [*first, *last].map(char::from).iter().collect();
    }
    format!("{:x}{:x}", first >> 4, last & 0xf)
}

fn hex(numbers: &[u16]) -> String {
    numbers.iter().map(|number| format!("{number:04x}")).collect::<Vec<_>>().join(",")
}

/// The first six bytes of SHA-256; zeros for nothing.
fn digest(list: &str) -> String {
    if list.is_empty() {
        return "0".repeat(12);
    }
    let mut text = String::new();
    for byte in ring::digest::digest(&SHA256, list.as_bytes()).as_ref().iter().take(6) {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_format() {
        let mut hello = ClientHello {
            legacy_version: 0x0303,
            versions: vec![0x0303, 0x0304],
            ciphers: vec![
                0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
                0x009c, 0x009d, 0x002f, 0x0035,
            ],
            extensions: vec![
                0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012,
                0x002b, 0xff01, 0x000b, 0x000a, 0x0015,
            ],
            signatures: vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
            first_protocol: b"h2".to_vec(),
            ..ClientHello::default()
        };
        assert_eq!(ja4(&hello, Carrier::Tcp), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        hello.signatures.clear();
        assert_eq!(ja4(&hello, Carrier::Tcp), "t13d1516h2_8daaf6152771_6d807ffa2a79");
        assert_eq!(ja4(&hello, Carrier::Quic), "q13d1516h2_8daaf6152771_6d807ffa2a79");
        assert_eq!(ja4(&ClientHello::default(), Carrier::Tcp), "t00i000000_000000000000_000000000000");
    }

    #[test]
    fn protocols_by_their_ends() {
        for (protocol, expected) in [
            (&b"http/1.1"[..], "h1"),
            (b"h", "hh"),
            (b"", "00"),
            (b"\xab", "ab"),
            (b"\x30\xab", "3b"),
            (b"\x61\x20", "60"),
            (b"\x30\xab\xcd\x31", "01"),
        ] {
            assert_eq!(ends(protocol), expected, "{protocol:?}");
        }
    }
}
