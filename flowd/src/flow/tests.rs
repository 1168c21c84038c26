use std::sync::Arc;

use flow_common::{
    app::App,
    key::{Endpoint as Point, FlowKey, Sender},
    record::TcpEnd,
};

use super::{testing, *};
use crate::clock::WallClock;

fn view(record: &flow_common::record::FlowRecord) -> Flow {
    Flow::from_record(record, &Arc::from("eth0"), &WallClock::CAPTURE, None)
}

#[test]
fn client_and_server_follow_the_record() {
    let mut record = testing::connection(1, 54_102, 80, 1_000);
    let client = record.client();
    testing::send(&mut record, client, 3, 100, 2_000);
    testing::send(&mut record, client.other(), 5, 1_500, 3_000);
    record.half_mut(client).tcp_flags = 0b1_1011;
    let flow = view(&record);
    assert_eq!(
        (flow.client.endpoint.address.to_string(), flow.client.endpoint.port),
        ("10.0.0.1".to_owned(), 54_102)
    );
    assert_eq!(
        (flow.server.endpoint.address.to_string(), flow.server.endpoint.port),
        ("198.51.100.7".to_owned(), 80)
    );
    assert_eq!((flow.sent.packets, flow.sent.ip_bytes), (3, 300));
    assert_eq!((flow.received.packets, flow.received.ip_bytes), (5, 7_500));
    assert_eq!(flow.sent.tcp_flags.as_deref(), Some("FSPA"));
    assert_eq!((flow.start, flow.end), (1_000, 3_000));
    assert_eq!((flow.role_by, flow.transport, flow.ip_version), ("syn", Some("tcp"), 4));
}

#[test]
fn the_json_has_the_contracts_fields() {
    let json = serde_json::to_value(view(&testing::connection(1, 1, 2, 0))).unwrap();
    assert_eq!(json["type"], "flow");
    assert_eq!(json["start"], "1970-01-01T00:00:00.000000000Z");
    for absent in ["tunnel", "icmp", "end_reason", "app"] {
        assert!(json[absent].is_null(), "{absent}");
    }
    assert!(json["tcp"]["handshake_server_rtt_us"].is_null());
    assert!(json["sent"]["first"].is_null());
}

#[test]
fn the_app_is_what_the_record_says() {
    for app in App::ALL {
        let mut record = testing::connection(1, 1, 2, 0);
        record.app = app as u8;
        assert_eq!(serde_json::to_value(view(&record)).unwrap()["app"], app.name());
    }
}

#[test]
fn addresses_of_both_families() {
    let six = |last: u64, port| Point { address: [0x2001_0db8_0000_0000_u64.to_be(), last.to_be()], port };
    let (key, sender) = FlowKey::new(six(1, 9), six(2, 53), &testing::scope(1, 17, true), None);
    let flow = view(&testing::empty(key, sender, 0));
    assert_eq!(flow.client.endpoint.address.to_string(), "2001:db8::1");
    assert_eq!(flow.server.endpoint.address.to_string(), "2001:db8::2");
    assert_eq!((flow.ip_version, flow.transport), (6, Some("udp")));
    assert!(flow.tcp.is_none() && flow.sent.tcp_flags.is_none());
}

#[test]
fn an_echo_has_an_identifier_and_no_ports() {
    let (a, b) = (testing::v4([10, 0, 0, 1], 77), testing::v4([10, 0, 0, 2], 77));
    let (key, sender) = FlowKey::new(a, b, &testing::scope(1, 1, false), None);
    let mut record = testing::empty(key, sender, 0);
    record.icmp_type = 8;
    let flow = view(&record);
    assert_eq!((flow.client.endpoint.port, flow.server.endpoint.port), (0, 0));
    assert_eq!(flow.icmp, Some(Icmp { kind: 8, code: 0, identifier: Some(77) }));
    record.icmp_type = 3;
    assert_eq!(view(&record).icmp.unwrap().identifier, None);
}

#[test]
fn zeeks_states() {
    use TcpEnd::{Closed, Established, Inactive, Partial, Reset, SynAckSent, SynSent};
    let cases = [
        (SynSent, Reset, false, "REJ"),
        (SynAckSent, Reset, false, "REJ"),
        (Reset, Reset, false, "REJ"),
        (Reset, Reset, true, "RSTR"),
        (Partial, Reset, false, "RSTRH"),
        (Established, Reset, true, "RSTR"),
        (Reset, Inactive, false, "RSTOS0"),
        (Reset, Established, true, "RSTO"),
        (Closed, Closed, true, "SF"),
        (Closed, Inactive, false, "SH"),
        (Closed, Established, true, "S2"),
        (Inactive, Closed, false, "SHR"),
        (Established, Closed, true, "S3"),
        (SynSent, Inactive, false, "S0"),
        (Established, Established, true, "S1"),
        (Partial, Partial, true, "OTH"),
        (SynSent, SynAckSent, false, "OTH"),
    ];
    for (client, server, data, expected) in cases {
        let mut record = testing::connection(1, 40_000, 80, 0);
        let end = record.client();
        record.half_mut(end).tcp.state = client as u8;
        record.half_mut(end.other()).tcp.state = server as u8;
        if data {
            testing::send(&mut record, end, 1, 100, 1);
        }
        assert_eq!(view(&record).tcp.unwrap().state, expected, "{client:?} {server:?}");
    }
}

#[test]
fn differences_add_up() {
    let mut record = testing::connection(1, 40_000, 80, 0);
    testing::send(&mut record, Sender::A, 2, 100, 5);
    let before = Snapshot::of(&record);
    testing::send(&mut record, Sender::A, 3, 100, 9);
    record.half_mut(Sender::A).rtt.count = 4;
    record.half_mut(Sender::A).rtt.buckets[2] = 4;
    let added = Snapshot::of(&record).since(&before.sides);
    assert_eq!(added.side(Sender::A).volume.packets, 3);
    assert_eq!(added.side(Sender::A).rtt.count, 4);
    assert_eq!(added.side(Sender::B).volume.packets, 0);
}
