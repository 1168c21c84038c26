//! From a record's numbers to the [`Flow`] of the JSON schema.

use std::sync::Arc;

use flow_common::{
    app::App,
    key::Direction,
    record::{FlowRecord, Rtt as Samples},
};

use super::{EndReason, Flow, Icmp, Party, Rtt, SeenAt, Side, Snapshot, Tcp, Traffic, micros, words};
use crate::clock::WallClock;

const TCP: u8 = 6;

impl Flow {
    /// The host's view of `record`, seen on the interface named `iface`.
    #[must_use]
    pub fn from_record(
        record: &FlowRecord,
        iface: &Arc<str>,
        wall: &WallClock,
        end: Option<EndReason>,
    ) -> Self {
        Self::from_snapshot(&Snapshot::of(record), iface, wall, end)
    }

    /// The host's view of a flow at one moment, without zones and service: they are for the caller to fill in.
    #[must_use]
    pub fn from_snapshot(
        flow: &Snapshot,
        iface: &Arc<str>,
        wall: &WallClock,
        end: Option<EndReason>,
    ) -> Self {
        let key = &flow.key;
        let (client, server) = (flow.client, flow.client.other());
        let protocol = key.protocol();
        Self {
            start: wall.wall(flow.start),
            end: wall.wall(flow.last()),
            iface: Arc::clone(iface),
            vlans: key.vlans().into_iter().filter(|id| *id != 0).collect(),
            ip_version: if key.is_ipv6() { 6 } else { 4 },
            protocol,
            transport: words::transport(protocol),
            client: Party::at(flow.endpoint(client)),
            server: Party::at(flow.endpoint(server)),
            role_by: words::role_by(flow.role_by),
            tunnel: words::tunnel(key),
            fragment: flow.fragment,
            sent: traffic(flow.side(client), protocol, wall),
            received: traffic(flow.side(server), protocol, wall),
            tcp: (protocol == TCP).then(|| tcp(flow)),
            icmp: words::is_icmp(protocol).then(|| icmp(flow)),
            end_reason: end,
            app: flow.app.map(App::name),
            direction: None,
            service: None,
            seen_at: SeenAt {
                ifindex: 0,
                client_egress: key.hook(client) == Direction::Egress,
                server_egress: key.hook(server) == Direction::Egress,
            },
        }
    }
}

fn traffic(side: &Side, protocol: u8, wall: &WallClock) -> Traffic {
    // A piece of a flow after a cut has no first packet of its own on record.
    let time = |time: u64| (side.volume.packets != 0 && time != 0).then(|| wall.wall(time));
    Traffic {
        packets: side.volume.packets,
        skb_packets: side.volume.skb_packets,
        ip_bytes: side.volume.ip_bytes,
        frame_bytes: side.volume.frame_bytes,
        payload_bytes: side.volume.payload_bytes,
        tcp_flags: (protocol == TCP).then(|| words::flags(side.tcp_flags)),
        retransmits: side.retransmits,
        retransmitted_bytes: side.retransmitted_bytes,
        out_of_order: side.out_of_order,
        duplicate_acks: side.duplicate_acks,
        zero_windows: side.zero_windows,
        syn_retransmits: side.syn_retransmits,
        resets: side.resets,
        ecn_ce: side.ecn_ce,
        dscp: (0..64).filter(|value| side.dscp >> value & 1 == 1).collect(),
        first: time(side.first),
        last: time(side.last),
    }
}

fn tcp(flow: &Snapshot) -> Tcp {
    let history = flow.history.get(..usize::from(flow.history_len)).unwrap_or(&flow.history);
    Tcp {
        state: words::connection_state(flow),
        history: history.iter().copied().map(char::from).collect(),
        handshake_server_rtt_us: flow.handshake_server_rtt.map(micros),
        handshake_client_rtt_us: flow.handshake_client_rtt.map(micros),
        server_rtt_us: rtt(&flow.side(flow.client.other()).rtt),
        client_rtt_us: rtt(&flow.side(flow.client).rtt),
    }
}

fn rtt(samples: &Samples) -> Option<Rtt> {
    (samples.count != 0).then(|| Rtt {
        count: samples.count,
        min: micros(samples.min),
        mean: round(micros(samples.sum) / f64::from(samples.count)),
        max: micros(samples.max),
    })
}

/// To whole nanoseconds, so that a mean does not print digits that were never measured.
fn round(micros: f64) -> f64 {
    (micros * 1000.0).round() / 1000.0
}

fn icmp(flow: &Snapshot) -> Icmp {
    let (kind, code) = (flow.icmp_type, flow.icmp_code);
    let echo = match flow.key.protocol() {
        1 => matches!(kind, 0 | 8),
        _ => matches!(kind, 128 | 129),
    };
    Icmp { kind, code, identifier: echo.then_some(flow.key.a_port.max(flow.key.b_port)) }
}
