//! Which flow a packet belongs to: one key for both directions of a conversation (a biflow, RFC 5103).

mod shared;

pub use shared::SharedKey;

/// An address as two words of 16 bytes in network byte order.
///
/// IPv4 sits in the IPv4-mapped form (RFC 4291 section 2.5.5.2), so that one key serves both families;
/// [`FlowKey::is_ipv6`] tells a real `::ffff:0:0/96` packet apart.
pub type Address = [u64; 2];

/// An endpoint: address, and port in host order (0 where the protocol has none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub address: Address,
    pub port: u16,
}

impl Endpoint {
    /// `address` in network byte order, as read from the header.
    #[inline(always)]
    #[must_use]
    pub const fn v4(address: u32, port: u16) -> Self {
        const MAPPED: u64 = 0xffff_u32.to_be() as u64;
        let low = if cfg!(target_endian = "little") {
            MAPPED | (address as u64) << 32
        } else {
            MAPPED << 32 | address as u64
        };
        Self { address: [0, low], port }
    }
}

/// The hook a packet passed: `Ingress` is towards this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    Ingress = 0,
    Egress = 1,
}

/// Which endpoint of a [`FlowKey`] sent a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Sender {
    A = 0,
    B = 1,
}

impl Sender {
    #[inline(always)]
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// The sender of this number; only its last bit counts.
    #[inline(always)]
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        if number & 1 == 0 { Self::A } else { Self::B }
    }
}

/// What an inner flow was wrapped in; `None` for flows seen directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TunnelKind {
    None = 0,
    Gre = 1,
    Ipip = 2,
    SixInFour = 3,
    FourInSix = 4,
    SixInSix = 5,
    Vxlan = 6,
    Geneve = 7,
    GtpU = 8,
    Teredo = 9,
    /// Mirrored frames in GRE.
    Erspan = 10,
}

impl TunnelKind {
    /// Every kind that can be named in `decapsulate`, in the order of its number.
    pub const ALL: [Self; 10] = [
        Self::Gre,
        Self::Ipip,
        Self::SixInFour,
        Self::FourInSix,
        Self::SixInSix,
        Self::Vxlan,
        Self::Geneve,
        Self::GtpU,
        Self::Teredo,
        Self::Erspan,
    ];

    /// Mask of the ids that both directions share. A TEID is the choice of whoever receives the packet (3GPP TS 29.281
    /// section 5.1), and a handover changes it.
    ///
    /// By arithmetic: the verifier walks all that follows once for each way here.
    #[inline(always)]
    #[must_use]
    pub const fn common_ids(self) -> u32 {
        const SHARED: u32 = !TunnelKind::GtpU.bit();
        (SHARED >> self as u32 & 1).wrapping_neg()
    }

    /// The name used in configuration and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gre => "gre",
            Self::Ipip => "ipip",
            Self::SixInFour => "6in4",
            Self::FourInSix => "4in6",
            Self::SixInSix => "6in6",
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::GtpU => "gtpu",
            Self::Teredo => "teredo",
            Self::Erspan => "erspan",
        }
    }

    /// This kind's bit in the `decapsulate` mask of the settings.
    #[inline(always)]
    #[must_use]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }

    #[inline(always)]
    const fn from_number(number: u64) -> Self {
        match number {
            1 => Self::Gre,
            2 => Self::Ipip,
            3 => Self::SixInFour,
            4 => Self::FourInSix,
            5 => Self::SixInSix,
            6 => Self::Vxlan,
            7 => Self::Geneve,
            8 => Self::GtpU,
            9 => Self::Teredo,
            10 => Self::Erspan,
            _ => Self::None,
        }
    }
}

/// Everything of a key but the endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Slot of the watched interface ([`crate::settings::Interface`]), below [`FlowKey::MAX_INTERFACES`].
    pub interface: u16,
    /// VLAN ids from the outermost, 12 bits each from bit 0 on, 0 where there is none.
    pub vlans: u64,
    /// IP protocol number; for IPv6 the one behind the extension headers.
    pub protocol: u8,
    pub ipv6: bool,
    pub tunnel: TunnelKind,
    /// VNI, TEID or GRE key of the tunnel, 0 where it has none.
    pub tunnel_id: u32,
}

/// One key for both directions: the endpoints stand in a fixed order, so that either direction finds it.
///
/// 48 bytes, because jhash eats 12 at a time and the fourth round comes free with its final mix.
/// `scope` holds, from bit 0: VLAN ids 3 x 12, protocol 8, IPv6 1, orientation 1, tunnel kind 4, interface 14.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct FlowKey {
    pub a_address: Address,
    pub b_address: Address,
    scope: u64,
    pub tunnel_id: u32,
    pub a_port: u16,
    pub b_port: u16,
}

const _: () = assert!(size_of::<FlowKey>() == 48);

const PROTOCOL: u32 = 36;
const IPV6: u32 = 44;
const ORIENTATION: u32 = 45;
const TUNNEL: u32 = 46;
const INTERFACE: u32 = 50;

impl FlowKey {
    /// Interface slots that fit into the key.
    pub const MAX_INTERFACES: u16 = 1 << 14;

    /// The key of a packet and which of its endpoints sent it.
    ///
    /// `crossing` is the hook where both directions of a conversation cross one interface in opposite
    /// ways; `None` on loopback and in captures, where both are seen in one place. A packet that a
    /// one-armed router takes in and sends out by the same interface makes two flows, as each passes the
    /// interface once in each direction: the orientation bit keeps them apart.
    #[inline(always)]
    #[must_use]
    pub fn new(
        source: Endpoint,
        destination: Endpoint,
        scope: &Scope,
        crossing: Option<Direction>,
    ) -> (Self, Sender) {
        let mut key = Self::EMPTY;
        let sender = key.set(&source, &destination, scope, crossing);
        (key, sender)
    }

    /// A key of nothing, to be set.
    pub const EMPTY: Self =
        Self { a_address: [0; 2], b_address: [0; 2], scope: 0, tunnel_id: 0, a_port: 0, b_port: 0 };

    /// [`FlowKey::new`] in place.
    #[inline(always)]
    pub fn set(
        &mut self,
        source: &Endpoint,
        destination: &Endpoint,
        scope: &Scope,
        crossing: Option<Direction>,
    ) -> Sender {
        let sender = if precedes(source, destination) {
            (self.a_address, self.a_port) = (source.address, source.port);
            (self.b_address, self.b_port) = (destination.address, destination.port);
            Sender::A
        } else {
            (self.a_address, self.a_port) = (destination.address, destination.port);
            (self.b_address, self.b_port) = (source.address, source.port);
            Sender::B
        };
        let orientation = crossing.map_or(0, |hook| u64::from(hook as u8 ^ sender as u8));
        self.scope = scope.vlans
            | u64::from(scope.protocol) << PROTOCOL
            | u64::from(scope.ipv6) << IPV6
            | orientation << ORIENTATION
            | (scope.tunnel as u64) << TUNNEL
            | u64::from(scope.interface) << INTERFACE;
        self.tunnel_id = scope.tunnel_id;
        sender
    }

    /// VLAN ids from the outermost, 0 where there is none.
    #[must_use]
    pub const fn vlans(&self) -> [u16; 3] {
        [(self.scope & 0xfff) as u16, (self.scope >> 12 & 0xfff) as u16, (self.scope >> 24 & 0xfff) as u16]
    }

    /// The bytes of an endpoint's address; of IPv4 the last four count.
    #[must_use]
    pub const fn address(&self, endpoint: Sender) -> [u8; 16] {
        let [high, low] = match endpoint {
            Sender::A => self.a_address,
            Sender::B => self.b_address,
        };
        // Network byte order in memory, whatever the host's.
        let [a, b, c, d, e, f, g, h] = high.to_ne_bytes();
        let [i, j, k, l, m, n, o, p] = low.to_ne_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    /// An endpoint's port, host order.
    #[inline(always)]
    #[must_use]
    pub const fn port(&self, endpoint: Sender) -> u16 {
        match endpoint {
            Sender::A => self.a_port,
            Sender::B => self.b_port,
        }
    }

    /// Gives the key of a later fragment the ports and protocol of the first; says who sent it, as ports
    /// decide that where a host talks to itself.
    #[inline(always)]
    pub const fn set_ports(&mut self, sender: Sender, source: u16, destination: u16, protocol: u8) -> Sender {
        self.scope = self.scope & !(0xff << PROTOCOL) | (protocol as u64) << PROTOCOL;
        let alone = self.a_address[0] == self.b_address[0] && self.a_address[1] == self.b_address[1];
        let sender = if alone { if source <= destination { Sender::A } else { Sender::B } } else { sender };
        match sender {
            Sender::A => (self.a_port, self.b_port) = (source, destination),
            Sender::B => (self.a_port, self.b_port) = (destination, source),
        }
        sender
    }

    /// IP protocol number.
    #[inline(always)]
    #[must_use]
    pub const fn protocol(&self) -> u8 {
        (self.scope >> PROTOCOL) as u8
    }

    #[inline(always)]
    #[must_use]
    pub const fn is_ipv6(&self) -> bool {
        self.scope >> IPV6 & 1 == 1
    }

    #[must_use]
    pub const fn tunnel(&self) -> TunnelKind {
        TunnelKind::from_number(self.scope >> TUNNEL & 0xf)
    }

    /// Slot of the watched interface.
    #[inline(always)]
    #[must_use]
    pub const fn interface(&self) -> u16 {
        (self.scope >> INTERFACE) as u16
    }

    /// The hook that packets of `sender` pass, where [`FlowKey::new`] was given one.
    #[inline(always)]
    #[must_use]
    pub const fn hook(&self, sender: Sender) -> Direction {
        if self.scope >> ORIENTATION & 1 == sender as u64 { Direction::Ingress } else { Direction::Egress }
    }

    /// Ports and tunnel id in one word.
    #[inline(always)]
    const fn rest(&self) -> u64 {
        (self.tunnel_id as u64) << 32 | (self.a_port as u64) << 16 | self.b_port as u64
    }

    /// A hash of all of the key: a sum of products with odd numbers, whose multiplications do not wait for one
    /// another (D. Lemire, O. Kaser, "Strongly universal string hashing is fast", 2014).
    ///
    /// A product's low bits know nothing of the high bits of what was multiplied. So what tells keys apart stands
    /// low, as far as there are single instructions for that, and the sum's halves are mixed in the end.
    #[inline(always)]
    #[must_use]
    pub const fn hash(&self) -> u64 {
        let sum = self.a_address[0]
            .swap_bytes()
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(self.a_address[1].swap_bytes().wrapping_mul(0xd6e8_feb8_6659_fd93))
            .wrapping_add(self.b_address[0].swap_bytes().wrapping_mul(0xa076_1d64_78bd_642f))
            .wrapping_add(self.b_address[1].swap_bytes().wrapping_mul(0xe703_7ed1_a0b4_28db))
            .wrapping_add((self.scope ^ self.scope >> 32).wrapping_mul(0x8ebc_6af0_9c88_c6e3))
            .wrapping_add(self.rest().wrapping_mul(0x5899_65cc_7537_4cc3));
        sum ^ sum >> 32
    }

    /// The conversation without its observation point: equal for one connection seen on several interfaces.
    #[must_use]
    pub const fn conversation(mut self) -> Self {
        self.scope &= ((1 << INTERFACE) - 1) & !(1 << ORIENTATION) & !((1 << PROTOCOL) - 1);
        self
    }
}

/// Any fixed order will do; this one compares words as they lie in the packet.
#[inline(always)]
fn precedes(left: &Endpoint, right: &Endpoint) -> bool {
    let (l, r) = (&left.address, &right.address);
    if l[1] != r[1] {
        return l[1] < r[1];
    }
    if l[0] != r[0] {
        return l[0] < r[0];
    }
    left.port <= right.port
}

#[cfg(test)]
mod tests;
