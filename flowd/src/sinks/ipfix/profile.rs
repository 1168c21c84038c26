//! Templates. What collectors make of each element differs: a profile has what one of them reads right. A template's
//! number never changes its meaning, here or from one release to the next: collectors keep the first they saw. What is
//! to be told otherwise takes a new number.

use super::{element::*, one_way::OneWay};

/// The form of one kind of record.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) id: u16,
    pub(super) elements: &'static [Element],
}

/// Templates for one kind of collector: for each of IPv4 and IPv6 those of ICMP and of everything else.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) name: &'static str,
    /// In the order: IPv4, IPv6, ICMP, ICMPv6.
    pub(super) templates: [Template; 4],
}

impl Profile {
    /// The template for this record.
    pub(super) fn template(&self, way: &OneWay<'_>) -> &Template {
        let [ipv4, ipv6, icmp, icmpv6] = &self.templates;
        match (way.is_ipv6(), way.flow.icmp.is_some()) {
            (false, false) => ipv4,
            (true, false) => ipv6,
            (false, true) => icmp,
            (true, true) => icmpv6,
        }
    }
}

macro_rules! template {
    ($id:literal, [$($address:expr),*], [$($transport:expr),*], [$($rest:expr),* $(,)?]) => {
        Template { id: $id, elements: &[$($address,)* $($transport,)* $($rest,)*] }
    };
}

/// Four templates from `id` on, whose last elements are the same.
macro_rules! templates {
    ($ipv4:literal, $ipv6:literal, $icmp:literal, $icmpv6:literal, $flags:expr, $rest:tt) => {
        [
            template!(
                $ipv4,
                [SOURCE_IPV4_ADDRESS, DESTINATION_IPV4_ADDRESS],
                [SOURCE_TRANSPORT_PORT, DESTINATION_TRANSPORT_PORT, $flags],
                $rest
            ),
            template!(
                $ipv6,
                [SOURCE_IPV6_ADDRESS, DESTINATION_IPV6_ADDRESS],
                [SOURCE_TRANSPORT_PORT, DESTINATION_TRANSPORT_PORT, $flags],
                $rest
            ),
            template!($icmp, [SOURCE_IPV4_ADDRESS, DESTINATION_IPV4_ADDRESS], [ICMP_TYPE_CODE_IPV4], $rest),
            template!($icmpv6, [SOURCE_IPV6_ADDRESS, DESTINATION_IPV6_ADDRESS], [ICMP_TYPE_CODE_IPV6], $rest),
        ]
    };
}

#[rustfmt::skip]
pub(super) static PROFILES: &[Profile] = &[
    // nfdump reads times of milliseconds alone, and VLANs from vlanId alone.
    Profile { name: "nfdump", templates: templates!(256, 257, 258, 259, TCP_CONTROL_BITS_SHORT, [
        PROTOCOL_IDENTIFIER, OCTET_DELTA_COUNT, PACKET_DELTA_COUNT, FLOW_START_MILLISECONDS, FLOW_END_MILLISECONDS,
        INGRESS_INTERFACE, EGRESS_INTERFACE, VLAN_ID, DOT1Q_VLAN_ID, IP_CLASS_OF_SERVICE, FLOW_DIRECTION, FLOW_END_REASON,
    ]) },
    Profile { name: "pmacct", templates: templates!(260, 261, 262, 263, TCP_CONTROL_BITS_SHORT, [
        PROTOCOL_IDENTIFIER, OCTET_DELTA_COUNT, PACKET_DELTA_COUNT, FLOW_START_MILLISECONDS, FLOW_END_MILLISECONDS,
        INGRESS_INTERFACE, EGRESS_INTERFACE, DOT1Q_VLAN_ID, IP_CLASS_OF_SERVICE, FLOW_DIRECTION, FLOW_END_REASON,
    ]) },
    // All that IANA's registry has of what flowd knows.
    Profile { name: "standard", templates: templates!(264, 265, 266, 267, TCP_CONTROL_BITS, [
        IP_VERSION, PROTOCOL_IDENTIFIER, OCTET_DELTA_COUNT, LAYER2_OCTET_DELTA_COUNT, PACKET_DELTA_COUNT,
        FLOW_START_NANOSECONDS, FLOW_END_NANOSECONDS, INGRESS_INTERFACE, EGRESS_INTERFACE, INTERFACE_NAME, DOT1Q_VLAN_ID,
        DOT1Q_CUSTOMER_VLAN_ID, IP_CLASS_OF_SERVICE, FLOW_DIRECTION, FLOW_END_REASON,
    ]) },
];
