//! Names of IP protocols.

/// The common name of an IP protocol; `None` where there is none.
#[must_use]
pub const fn transport(protocol: u8) -> Option<&'static str> {
    Some(match protocol {
        1 => "icmp",
        2 => "igmp",
        4 => "ipip",
        6 => "tcp",
        17 => "udp",
        33 => "dccp",
        41 => "ipv6",
        46 => "rsvp",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        58 => "icmpv6",
        59 => "ipv6-nonxt",
        88 => "eigrp",
        89 => "ospf",
        103 => "pim",
        112 => "vrrp",
        115 => "l2tp",
        132 => "sctp",
        136 => "udplite",
        _ => return None,
    })
}

/// True for protocols whose key ports hold an echo identifier.
#[must_use]
pub const fn is_icmp(protocol: u8) -> bool {
    matches!(protocol, 1 | 58)
}
