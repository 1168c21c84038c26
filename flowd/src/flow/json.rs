//! The flow record's JSON object: its fields in their order.

use serde::{Serialize, Serializer};

use super::{Flow, Icmp, Party, Tcp, Traffic, Tunnel, rfc3339};

#[derive(Serialize)]
#[serde(tag = "type", rename = "flow")]
struct Line<'a> {
    #[serde(serialize_with = "rfc3339")]
    start: u64,
    #[serde(serialize_with = "rfc3339")]
    end: u64,
    iface: &'a str,
    vlans: &'a [u16],
    ip_version: u8,
    protocol: u8,
    transport: Option<&'static str>,
    client: &'a Party,
    server: &'a Party,
    role_by: &'static str,
    tunnel: Option<Tunnel>,
    fragment: bool,
    sent: &'a Traffic,
    received: &'a Traffic,
    tcp: Option<&'a Tcp>,
    icmp: Option<Icmp>,
    end_reason: Option<&'static str>,
    app: Option<&'static str>,
    client_zone: Option<&'a str>,
    server_zone: Option<&'a str>,
    direction: Option<&'static str>,
    service: Option<&'a str>,
}

impl Serialize for Flow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Line {
            start: self.start,
            end: self.end,
            iface: &self.iface,
            vlans: &self.vlans,
            ip_version: self.ip_version,
            protocol: self.protocol,
            transport: self.transport,
            client: &self.client,
            server: &self.server,
            role_by: self.role_by,
            tunnel: self.tunnel,
            fragment: self.fragment,
            sent: &self.sent,
            received: &self.received,
            tcp: self.tcp.as_ref(),
            icmp: self.icmp,
            end_reason: self.end_reason.map(super::EndReason::name),
            app: self.app,
            client_zone: self.client.zone.as_deref(),
            server_zone: self.server.zone.as_deref(),
            direction: self.direction,
            service: self.service.as_deref(),
        }
        .serialize(serializer)
    }
}
