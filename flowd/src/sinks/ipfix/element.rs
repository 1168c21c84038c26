//! Information elements: number, length on the wire, and where the value comes from. Numbers and meanings are IANA's.

use std::net::IpAddr;

use super::one_way::OneWay;

/// The length of a field whose value begins with its own length (RFC 7011 section 7).
pub(super) const VARIABLE: u16 = 0xffff;

/// One field of a template.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) id: u16,
    /// Octets, or [`VARIABLE`].
    pub(super) length: u16,
    pub(super) write: fn(&OneWay<'_>, &mut Vec<u8>),
}

macro_rules! elements {
    ($($(#[$meta:meta])* $name:ident = $id:literal, $length:expr, |$way:ident| $value:expr;)*) => {
        $($(#[$meta])* pub(super) const $name: Element = Element {
            id: $id,
            length: $length,
            write: |$way, out| out.extend_from_slice(&$value.to_be_bytes()),
        };)*
    };
}

elements! {
    OCTET_DELTA_COUNT = 1, 8, |way| way.traffic.ip_bytes;
    PACKET_DELTA_COUNT = 2, 8, |way| way.traffic.packets;
    PROTOCOL_IDENTIFIER = 4, 1, |way| way.flow.protocol;
    IP_CLASS_OF_SERVICE = 5, 1, |way| way.class_of_service();
    /// One octet (RFC 7011 section 6.2 allows it): collectors read two as 0.
    TCP_CONTROL_BITS_SHORT = 6, 1, |way| way.tcp_flags() as u8;
    TCP_CONTROL_BITS = 6, 2, |way| way.tcp_flags();
    SOURCE_TRANSPORT_PORT = 7, 2, |way| way.source.port;
    INGRESS_INTERFACE = 10, 4, |way| way.interface(false);
    DESTINATION_TRANSPORT_PORT = 11, 2, |way| way.destination.port;
    EGRESS_INTERFACE = 14, 4, |way| way.interface(true);
    ICMP_TYPE_CODE_IPV4 = 32, 2, |way| way.icmp_type_code();
    VLAN_ID = 58, 2, |way| way.vlan(0);
    IP_VERSION = 60, 1, |way| way.flow.ip_version;
    FLOW_DIRECTION = 61, 1, |way| u8::from(way.egress);
    FLOW_END_REASON = 136, 1, |way| way.end_reason();
    ICMP_TYPE_CODE_IPV6 = 139, 2, |way| way.icmp_type_code();
    FLOW_START_MILLISECONDS = 152, 8, |way| way.start() / 1_000_000;
    FLOW_END_MILLISECONDS = 153, 8, |way| way.end() / 1_000_000;
    FLOW_START_NANOSECONDS = 156, 8, |way| ntp(way.start());
    FLOW_END_NANOSECONDS = 157, 8, |way| ntp(way.end());
    DOT1Q_VLAN_ID = 243, 2, |way| way.vlan(0);
    DOT1Q_CUSTOMER_VLAN_ID = 245, 2, |way| way.vlan(1);
    LAYER2_OCTET_DELTA_COUNT = 352, 8, |way| way.traffic.frame_bytes;
}

pub(super) const SOURCE_IPV4_ADDRESS: Element =
    Element { id: 8, length: 4, write: |way, out| address(way.source.address, out) };
pub(super) const DESTINATION_IPV4_ADDRESS: Element =
    Element { id: 12, length: 4, write: |way, out| address(way.destination.address, out) };
pub(super) const SOURCE_IPV6_ADDRESS: Element =
    Element { id: 27, length: 16, write: |way, out| address(way.source.address, out) };
pub(super) const DESTINATION_IPV6_ADDRESS: Element =
    Element { id: 28, length: 16, write: |way, out| address(way.destination.address, out) };
pub(super) const INTERFACE_NAME: Element =
    Element { id: 82, length: VARIABLE, write: |way, out| text(&way.flow.iface, out) };

fn address(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(address) => out.extend_from_slice(&address.octets()),
        IpAddr::V6(address) => out.extend_from_slice(&address.octets()),
    }
}

/// A string with its length in front, one octet up to 254 (RFC 7011 section 7). What is longer is cut. It is never empty:
/// some readers take a length of 0 for a mistake and leave the rest of the message unread.
fn text(text: &str, out: &mut Vec<u8>) {
    let end = (0..=text.len().min(254)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let text = text.get(..end).filter(|text| !text.is_empty()).unwrap_or("-");
    out.push(text.len() as u8);
    out.extend_from_slice(text.as_bytes());
}

/// The 64 bits of NTP (RFC 7011 section 6.1.9): seconds since 1900, and a fraction. It is rounded up, as readers cut it
/// back to nanoseconds.
fn ntp(nanoseconds: u64) -> u64 {
    /// From 1900 to 1970.
    const ERA: u64 = 2_208_988_800;
    let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    let fraction = (rest << 32).div_ceil(1_000_000_000);
    // Seconds are modulo 2^32 there.
    seconds.wrapping_add(ERA) << 32 | fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_the_fraction_of_ntp() {
        for nanoseconds in [0, 1, 2, 999_999_999, 123_456_789, 500_000_000] {
            let time = ntp(1_795_428_000_000_000_000 + nanoseconds);
            assert_eq!((time >> 32) - 2_208_988_800, 1_795_428_000);
            assert_eq!(((time & 0xffff_ffff) * 1_000_000_000) >> 32, nanoseconds);
        }
    }

    #[test]
    fn texts_bear_their_length_and_are_cut_between_characters() {
        let written = |value: &str| {
            let mut out = Vec::new();
            text(value, &mut out);
            out
        };
        assert_eq!(written("eth0"), b"\x04eth0");
        assert_eq!(written(""), b"\x01-");
        assert_eq!(written(&"é".repeat(200)).len(), 255);
        assert_eq!(written(&format!("{}é", "x".repeat(253))).len(), 254);
    }
}
