//! A flow's counters at one moment, copied out of a record that programs go on writing to.

use flow_common::{
    app::App,
    key::{FlowKey, Sender},
    record::{FlowRecord, Half, Rtt, Volume},
};
use flowd_protocols::{party::Endpoint, transport::is_icmp};

/// What one endpoint had sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Side {
    pub volume: Volume,
    /// First and last packet, ns of the packet's clock.
    pub first: u64,
    pub last: u64,
    /// Bit n: DSCP n was seen.
    pub dscp: u64,
    pub retransmitted_bytes: u64,
    pub retransmits: u32,
    pub out_of_order: u32,
    pub duplicate_acks: u32,
    pub zero_windows: u32,
    pub syn_retransmits: u32,
    pub resets: u32,
    pub ecn_ce: u32,
    pub tcp_flags: u16,
    /// A [`flow_common::record::TcpEnd`].
    pub state: u8,
    /// Round trips from the observation point to this endpoint and back.
    pub rtt: Rtt,
}

impl Side {
    fn of(half: &Half) -> Self {
        Self {
            volume: half.volume(),
            first: half.first,
            last: half.last,
            dscp: half.dscp,
            retransmitted_bytes: half.quality.retransmitted_bytes,
            retransmits: half.quality.retransmits,
            out_of_order: half.quality.out_of_order,
            duplicate_acks: half.quality.duplicate_acks,
            zero_windows: half.quality.zero_windows,
            syn_retransmits: half.quality.syn_retransmits,
            resets: half.quality.resets,
            ecn_ce: half.ecn_ce,
            tcp_flags: half.tcp_flags,
            state: half.tcp.state,
            rtt: half.rtt,
        }
    }

    /// What was added since `earlier`. Extremes, flags and states are of the whole flow: they have no
    /// difference.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut rtt = self.rtt;
        rtt.sum = rtt.sum.wrapping_sub(earlier.rtt.sum);
        rtt.count = rtt.count.wrapping_sub(earlier.rtt.count);
        for (bucket, before) in rtt.buckets.iter_mut().zip(earlier.rtt.buckets) {
            *bucket = bucket.wrapping_sub(before);
        }
        Self {
            volume: Volume {
                packets: self.volume.packets.wrapping_sub(earlier.volume.packets),
                skb_packets: self.volume.skb_packets.wrapping_sub(earlier.volume.skb_packets),
                ip_bytes: self.volume.ip_bytes.wrapping_sub(earlier.volume.ip_bytes),
                frame_bytes: self.volume.frame_bytes.wrapping_sub(earlier.volume.frame_bytes),
                payload_bytes: self.volume.payload_bytes.wrapping_sub(earlier.volume.payload_bytes),
            },
            retransmitted_bytes: self.retransmitted_bytes.wrapping_sub(earlier.retransmitted_bytes),
            retransmits: self.retransmits.wrapping_sub(earlier.retransmits),
            out_of_order: self.out_of_order.wrapping_sub(earlier.out_of_order),
            duplicate_acks: self.duplicate_acks.wrapping_sub(earlier.duplicate_acks),
            zero_windows: self.zero_windows.wrapping_sub(earlier.zero_windows),
            syn_retransmits: self.syn_retransmits.wrapping_sub(earlier.syn_retransmits),
            resets: self.resets.wrapping_sub(earlier.resets),
            ecn_ce: self.ecn_ce.wrapping_sub(earlier.ecn_ce),
            rtt,
            ..*self
        }
    }
}

/// One flow at one moment; about 500 bytes, without allocations of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub key: FlowKey,
    /// First packet, ns of the packet's clock.
    pub start: u64,
    pub client: Sender,
    /// A [`flow_common::record::RoleBy`].
    pub role_by: u8,
    pub fragment: bool,
    /// What the payload of either side showed first.
    pub app: Option<App>,
    /// Type and code of the first ICMP message, of each sender.
    pub icmp_type: u8,
    pub icmp_code: u8,
    /// Round trips of the handshake, ns.
    pub handshake_server_rtt: Option<u64>,
    pub handshake_client_rtt: Option<u64>,
    pub history: [u8; 16],
    pub history_len: u8,
    /// What A and what B sent.
    pub sides: [Side; 2],
}

impl Snapshot {
    /// Copies what the host uses of `record`.
    #[must_use]
    pub fn of(record: &FlowRecord) -> Self {
        Self {
            key: record.key,
            start: record.start,
            client: record.client(),
            role_by: record.role_by,
            fragment: record.fragment != 0,
            app: App::from_number(record.app),
            icmp_type: record.icmp_type,
            icmp_code: record.icmp_code,
            // The record keeps them plus one, as 0 says that there is none.
            handshake_server_rtt: record.handshake_server_rtt.checked_sub(1),
            handshake_client_rtt: record.handshake_client_rtt.checked_sub(1),
            history: record.history,
            history_len: record.history_len,
            sides: [Side::of(record.half(Sender::A)), Side::of(record.half(Sender::B))],
        }
    }

    /// One end as records show it: ICMP has no ports, though its key has an identifier in their place.
    #[must_use]
    pub fn endpoint(&self, of: Sender) -> Endpoint {
        let Endpoint { address, port } = Endpoint::of(&self.key, of);
        Endpoint { address, port: if is_icmp(self.key.protocol()) { 0 } else { port } }
    }

    /// What `sender` had sent.
    #[must_use]
    pub const fn side(&self, sender: Sender) -> &Side {
        match sender {
            Sender::A => &self.sides[0],
            Sender::B => &self.sides[1],
        }
    }

    /// Last packet of either endpoint, ns of the packet's clock.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.start.max(self.sides[0].last).max(self.sides[1].last)
    }

    /// Octets of IP of both endpoints.
    #[must_use]
    pub const fn ip_bytes(&self) -> u64 {
        self.sides[0].volume.ip_bytes.wrapping_add(self.sides[1].volume.ip_bytes)
    }

    /// What was added since `earlier`, a moment of the same flow.
    #[must_use]
    pub fn since(&self, earlier: &[Side; 2]) -> Self {
        Self { sides: [self.sides[0].since(&earlier[0]), self.sides[1].since(&earlier[1])], ..*self }
    }
}
