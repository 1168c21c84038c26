//! PPP (RFC 1661), bare or in a PPPoE session (RFC 2516).

/// Bytes of a PPPoE header, without the PPP protocol behind it.
pub const PPPOE_LEN: u32 = 6;

/// PPP protocol numbers.
pub mod protocol {
    pub const IPV4: u16 = 0x0021;
    pub const IPV6: u16 = 0x0057;
    pub const MPLS: u16 = 0x0281;
}

/// Address and control bytes of HDLC-like framing (RFC 1662 section 3.1), in host order.
pub const ADDRESS_CONTROL: u16 = 0xff03;

/// Whether the first two bytes, in host order, are the address (unicast or broadcast) and control of Cisco's framing,
/// behind which an EtherType stands (RFC 1547 section 4.3.1). No PPP protocol has these numbers.
#[inline(always)]
#[must_use]
pub const fn is_cisco(start: u16) -> bool {
    matches!(start, 0x0f00 | 0x8f00)
}
