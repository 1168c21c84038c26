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
