//! Names of types and response codes (IANA "Domain Name System (DNS) Parameters").

/// Query types with a name, and that name: what labels may say. All else is `other` there.
pub const TYPES: [(u16, &str); 26] = [
    (1, "A"),
    (2, "NS"),
    (5, "CNAME"),
    (6, "SOA"),
    (12, "PTR"),
    (13, "HINFO"),
    (15, "MX"),
    (16, "TXT"),
    (28, "AAAA"),
    (29, "LOC"),
    (33, "SRV"),
    (35, "NAPTR"),
    (39, "DNAME"),
    (43, "DS"),
    (44, "SSHFP"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (52, "TLSA"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (99, "SPF"),
    (251, "IXFR"),
    (252, "AXFR"),
    (255, "ANY"),
    (257, "CAA"),
];

/// Response codes with a name.
pub const CODES: [(u16, &str); 14] = [
    (0, "NOERROR"),
    (1, "FORMERR"),
    (2, "SERVFAIL"),
    (3, "NXDOMAIN"),
    (4, "NOTIMP"),
    (5, "REFUSED"),
    (6, "YXDOMAIN"),
    (7, "YXRRSET"),
    (8, "NXRRSET"),
    (9, "NOTAUTH"),
    (10, "NOTZONE"),
    (16, "BADVERS"),
    (22, "BADTRUNC"),
    (23, "BADCOOKIE"),
];

/// The name of `number` in a table of them.
#[must_use]
pub fn known(table: &[(u16, &'static str)], number: u16) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// A type as lines show it; one without a name as `TYPE` and its number (RFC 3597 section 5).
pub(super) fn kind(number: u16) -> String {
    known(&TYPES, number).map_or_else(|| format!("TYPE{number}"), str::to_owned)
}

/// A response code as lines show it.
pub(super) fn code(number: u16) -> String {
    known(&CODES, number).map_or_else(|| format!("RCODE{number}"), str::to_owned)
}
