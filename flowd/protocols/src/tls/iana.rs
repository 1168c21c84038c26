//! Names of versions and cipher suites, QUIC's versions among them.

/// Versions by number, as lines and labels show them (RFC 8446 section 4.2.1 and its predecessors).
pub const VERSIONS: [(u16, &str); 5] =
    [(0x0304, "1.3"), (0x0303, "1.2"), (0x0302, "1.1"), (0x0301, "1.0"), (0x0300, "ssl3")];

/// The name of a version, where it has one.
#[must_use]
pub fn version(number: u16) -> Option<&'static str> {
    // Drafts of 1.3 had numbers of their own until it was done (draft-ietf-tls-tls13-28 section 4.2.1).
    let number = if number >> 8 == 0x7f { 0x0304 } else { number };
    VERSIONS.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// The name of a version of QUIC (IANA "QUIC Versions"), or its number in hexadecimal where it has none.
pub(super) fn quic_version(number: u32) -> String {
    match number {
        1 => "1".to_owned(),
        0x6b33_43cf => "2".to_owned(),
        // Drafts of the first version (draft-ietf-quic-transport-34 section 15).
        0xff00_0000..=0xff00_00ff => format!("draft-{:02}", number & 0xff),
        _ => format!("0x{number:08x}"),
    }
}

/// Suites in common use (IANA "TLS Cipher Suites").
const CIPHERS: [(u16, &str); 24] = [
    (0x1301, "TLS_AES_128_GCM_SHA256"),
    (0x1302, "TLS_AES_256_GCM_SHA384"),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256"),
    (0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    (0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    (0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    (0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
    (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
];

/// A suite's name, or its number in hexadecimal where it is a rare one.
pub(super) fn cipher(number: u16) -> String {
    let found = CIPHERS.iter().find(|(known, _)| *known == number);
    found.map_or_else(|| format!("0x{number:04x}"), |(_, name)| (*name).to_owned())
}
