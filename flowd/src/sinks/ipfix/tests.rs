//! Messages as another program reads them (netflow_parser), and what collectors rely on beyond single messages.

use std::{net::IpAddr, sync::Arc};

use flow_common::{
    key::{Direction, FlowKey},
    record::FlowRecord,
};
use netflow_parser::{
    NetflowPacket, NetflowParser,
    variable_versions::{
        field_value::{DataNumber, DurationValue, FieldValue},
        ipfix::{
            FlowSetBody, Header,
            lookup::{IANAIPFixField as Iana, IPFixField},
        },
    },
};

use super::*;
use crate::{
    clock::WallClock,
    flow::{EndReason, Flow, SeenAt, testing},
    record::Record,
    sinks::{Appended, Format as _},
};

const LIMIT: usize = 1_472;
const MILLISECOND: u64 = 1_000_000;
/// 2026-11-23T10:00:00Z.
const START: u64 = 1_795_428_000_000_000_000;

fn messages(options: &str) -> Messages {
    Messages::of(&Url::parse(&format!("ipfix://h{options}")).unwrap()).unwrap()
}

fn view(record: &FlowRecord, end: EndReason) -> Flow {
    let mut flow = Flow::from_record(record, &Arc::from("eth0"), &WallClock::CAPTURE, Some(end));
    flow.seen_at = SeenAt { ifindex: 7, client_egress: false, server_egress: true };
    flow
}

/// 10.0.0.1 to 198.51.100.7:80; four packets of 100 octets one way and three of 200 the other.
fn tcp() -> Flow {
    let mut record = testing::connection(1, 40_000, 80, START);
    let client = record.client();
    testing::send(&mut record, client, 4, 100, START);
    testing::send(&mut record, client.other(), 3, 200, START + 250 * MILLISECOND + 123_456);
    view(&record, EndReason::Fin)
}

/// An echo that was answered.
fn ping() -> Flow {
    let (key, client) = FlowKey::new(
        testing::v4([10, 0, 0, 1], 9),
        testing::v4([10, 0, 0, 2], 9),
        &testing::scope(1, 1, false),
        Some(Direction::Ingress),
    );
    let mut record = testing::empty(key, client, START);
    (record.icmp_type, record.icmp_code) = (8, 0);
    testing::send(&mut record, client, 1, 84, START);
    testing::send(&mut record, client.other(), 1, 84, START);
    view(&record, EndReason::Idle)
}

fn ipv6() -> Flow {
    let mut flow = tcp();
    flow.ip_version = 6;
    flow.client.endpoint.address = "2001:db8::1".parse::<IpAddr>().unwrap();
    flow.server.endpoint.address = "2001:db8::2".parse::<IpAddr>().unwrap();
    (flow.vlans, flow.received.packets) = (vec![100, 200], 0);
    flow
}

/// The messages that these flows make, none longer than `limit`.
fn encode(format: &mut Messages, flows: &[Flow], limit: usize) -> Vec<Vec<u8>> {
    let (mut all, mut message) = (Vec::new(), Vec::new());
    for flow in flows {
        let record = Record::from(flow.clone());
        if format.append(&record, &mut message, limit).unwrap() == Appended::Full {
            format.finish(&mut message);
            all.push(std::mem::take(&mut message));
            assert_eq!(format.append(&record, &mut message, limit).unwrap(), Appended::Taken);
        }
    }
    format.finish(&mut message);
    all.push(message);
    all
}

type Fields = Vec<(IPFixField, FieldValue)>;

/// The header and the data records of each message.
fn parse(parser: &mut NetflowParser, messages: &[Vec<u8>]) -> Vec<(Header, Vec<Fields>)> {
    let read = |message: &Vec<u8>| {
        let result = parser.parse_bytes(message);
        assert!(result.error.is_none(), "{:?}", result.error);
        let [NetflowPacket::IPFix(packet)] = &result.packets[..] else { panic!("{:?}", result.packets) };
        assert_eq!(usize::from(packet.header.length), message.len());
        let mut records = Vec::new();
        for set in &packet.flowsets {
            match &set.body {
                FlowSetBody::Data(data) => {
                    assert!(data.padding.is_empty());
                    records.extend(data.fields.iter().cloned());
                }
                FlowSetBody::Template(_) | FlowSetBody::Templates(_) => {}
                other => panic!("{other:?}"),
            }
        }
        (packet.header, records)
    };
    messages.iter().map(read).collect()
}

fn read_all(format: &mut Messages, flows: &[Flow]) -> Vec<Fields> {
    let sent = encode(format, flows, LIMIT);
    parse(&mut NetflowParser::default(), &sent).into_iter().flat_map(|(_, records)| records).collect()
}

fn field(record: &Fields, id: Iana) -> FieldValue {
    let found: Vec<_> = record.iter().filter(|(name, _)| *name == IPFixField::IANA(id)).collect();
    assert_eq!(found.len(), 1, "{id:?} in {record:?}");
    found[0].1.clone()
}

fn number(record: &Fields, id: Iana) -> u64 {
    match field(record, id) {
        FieldValue::DataNumber(DataNumber::U8(value)) => value.into(),
        FieldValue::DataNumber(DataNumber::U16(value)) => value.into(),
        FieldValue::DataNumber(DataNumber::U32(value)) => value.into(),
        FieldValue::DataNumber(DataNumber::U64(value)) => value,
        other => panic!("{id:?}: {other:?}"),
    }
}

#[test]
fn each_direction_is_a_record_with_its_own_numbers() {
    for profile in ["nfdump", "pmacct", "standard"] {
        let records = read_all(&mut messages(&format!("?profile={profile}")), &[tcp()]);
        assert_eq!(records.len(), 2, "{profile}");
        for (record, [octets, packets, source, destination], direction) in
            [(&records[0], [400, 4, 40_000, 80], 0), (&records[1], [600, 3, 80, 40_000], 1)]
        {
            assert_eq!(number(record, Iana::OctetDeltaCount), octets);
            assert_eq!(number(record, Iana::PacketDeltaCount), packets);
            assert_eq!(number(record, Iana::SourceTransportPort), source);
            assert_eq!(number(record, Iana::DestinationTransportPort), destination);
            let interfaces = [Iana::IngressInterface, Iana::EgressInterface].map(|id| number(record, id));
            assert_eq!(interfaces, if direction == 0 { [7, 0] } else { [0, 7] });
            assert_eq!(format!("{:?}", field(record, Iana::FlowEndReason)), "FlowEndReason(EndOfFlow)");
        }
        assert_eq!(
            field(&records[1], Iana::SourceIpv4address),
            FieldValue::Ip4Addr([198, 51, 100, 7].into())
        );
    }
}

/// netflow_parser takes milliseconds from 1970, and NTP's times from 1900.
#[test]
fn times_are_exact_to_what_the_profile_has() {
    let ended = START + 250 * MILLISECOND + 123_456;
    let end = |profile: &str, id| match field(&read_all(&mut messages(profile), &[tcp()])[1], id) {
        FieldValue::Duration(DurationValue::Millis { value, .. }) => u128::from(value) * 1_000_000,
        FieldValue::Duration(DurationValue::NanosNtp { seconds, fraction }) => {
            let since_1970 = u128::from(seconds) - 2_208_988_800;
            since_1970 * 1_000_000_000 + ((u128::from(fraction) * 1_000_000_000) >> 32)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(end("", Iana::FlowEndMilliseconds), u128::from(ended / MILLISECOND * MILLISECOND));
    assert_eq!(end("?profile=standard", Iana::FlowEndNanoseconds), u128::from(ended));
}

#[test]
fn families_kinds_and_tags() {
    let records = read_all(&mut messages(""), &[ipv6(), ping(), ipv6()]);
    assert_eq!(records.len(), 4, "no record for a direction without packets");
    assert_eq!(
        field(&records[0], Iana::DestinationIpv6address),
        FieldValue::Ip6Addr("2001:db8::2".parse().unwrap())
    );
    assert_eq!(number(&records[0], Iana::VlanId), 100);
    assert_eq!(number(&records[1], Iana::IcmpTypeCodeIpv4), 8 << 8);
    assert_eq!(number(&records[2], Iana::IcmpTypeCodeIpv4), 0, "an answer to an echo");
    assert!(records[1].iter().all(|(id, _)| *id != IPFixField::IANA(Iana::SourceTransportPort)));
    let standard = read_all(&mut messages("?profile=standard"), &[ipv6()]);
    assert_eq!([Iana::Dot1qVlanId, Iana::Dot1qCustomerVlanId].map(|id| number(&standard[0], id)), [100, 200]);
}

#[test]
fn messages_respect_the_path_and_count_their_records() {
    let flows: Vec<Flow> = (0..1_000).map(|at| if at % 3 == 0 { ipv6() } else { tcp() }).collect();
    for limit in [1_280 - 48, LIMIT, 65_000] {
        let sent = encode(&mut messages("?domain=9"), &flows, limit);
        assert!(sent.iter().all(|message| message.len() <= limit), "{limit}");
        let mut expected = 0;
        for (header, records) in parse(&mut NetflowParser::default(), &sent) {
            assert_eq!((header.sequence_number, header.observation_domain_id), (expected, 9));
            expected += records.len() as u32;
        }
        assert_eq!(expected, 334 + 2 * 666);
    }
}

/// The number counts records modulo 2^32, those of lost messages as well.
#[test]
fn the_sequence_wraps() {
    let mut format = messages("");
    format.sequence = u32::MAX;
    let sent = encode(&mut format, &[tcp()], LIMIT);
    assert_eq!(parse(&mut NetflowParser::default(), &sent)[0].0.sequence_number, u32::MAX);
    assert_eq!(format.sequence, 1);
}

fn has_templates(message: &[u8]) -> bool {
    message.get(16..18) == Some(&[0, 2][..])
}

#[test]
fn templates_come_first_and_again_and_after_each_connection() {
    let mut format = messages("");
    let mut one = || {
        let mut message = Vec::new();
        format.append(&Record::from(tcp()), &mut message, LIMIT).unwrap();
        format.finish(&mut message);
        has_templates(&message)
    };
    let with: Vec<usize> = (0..1_100).filter(|_| one()).collect();
    assert_eq!(with.len(), 3);
    assert_eq!(with[0], 0);
    let mut greeting = Vec::new();
    format.greet(&mut greeting);
    let read = parse(&mut NetflowParser::default(), std::slice::from_ref(&greeting));
    assert!(has_templates(&greeting) && read[0].1.is_empty());
    assert_eq!(read[0].0.sequence_number, 2_200, "it takes no number");
    let after = encode(&mut format, &[tcp()], LIMIT);
    assert!(has_templates(&after[0]), "the greeting may get lost");
}

/// What is behind a template's number is fixed for ever: a collector keeps the first that it saw. A change here takes a
/// new number, not another list.
#[test]
fn the_numbers_of_templates_keep_their_meaning() {
    let told: Vec<String> = PROFILES
        .iter()
        .flat_map(|profile| &profile.templates)
        .map(|template| {
            let elements =
                template.elements.iter().map(|element| format!("{}/{}", element.id, element.length));
            format!("{}: {}", template.id, elements.collect::<Vec<_>>().join(" "))
        })
        .collect();
    let ids: std::collections::BTreeSet<&str> =
        told.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(ids.len(), told.len());
    let nfdump = "4/1 1/8 2/8 152/8 153/8 10/4 14/4 58/2 243/2 5/1 61/1 136/1";
    let pmacct = "4/1 1/8 2/8 152/8 153/8 10/4 14/4 243/2 5/1 61/1 136/1";
    let standard = "60/1 4/1 1/8 352/8 2/8 156/8 157/8 10/4 14/4 82/65535 243/2 245/2 5/1 61/1 136/1";
    let kinds = |flags: &str, rest: &str, first: u16| {
        let heads = [
            format!("8/4 12/4 7/2 11/2 {flags}"),
            format!("27/16 28/16 7/2 11/2 {flags}"),
            "8/4 12/4 32/2".to_owned(),
            "27/16 28/16 139/2".to_owned(),
        ];
        let rest = rest.to_owned();
        heads.into_iter().zip(first..).map(move |(head, id)| format!("{id}: {head} {rest}"))
    };
    let expected =
        kinds("6/1", nfdump, 256).chain(kinds("6/1", pmacct, 260)).chain(kinds("6/2", standard, 264));
    assert!(told.iter().cloned().eq(expected), "{told:#?}");
}

#[test]
fn what_cannot_be_meant_is_named() {
    use crate::sinks::{Part, Spec};
    for (url, part) in [
        ("ipfix://h:1?profile=nfdmp", "there are nfdump, pmacct, standard"),
        ("ipfix://h:1?domain=x", "use a number"),
        ("ipfix://h:1?port=1", "there is no option port"),
        ("ipfix:/h", "ipfix://HOST:PORT"),
        ("ipfx://h:1", "did you mean ipfix?"),
    ] {
        let mistake = Spec::new(url, &[], "", 16).unwrap_err();
        assert!(mistake.part == Part::Url && mistake.remedy.contains(part), "{mistake:?}");
    }
    let records = ["http".to_owned()];
    let mistake = Spec::new("ipfix://h:1", &records, "", 16).unwrap_err();
    assert!(mistake.part == Part::Records && mistake.remedy.contains("only flow"), "{mistake:?}");
    let spec = Spec::new("ipfix://h:1", &[], "", 16).unwrap();
    assert_eq!(spec.kinds, ["flow"]);
    assert!((spec.scheme.reach)(&spec.url).resolves);
}

#[test]
fn a_flow_without_packets_is_no_record() {
    let mut empty = tcp();
    (empty.sent.packets, empty.received.packets) = (0, 0);
    let mut message = Vec::new();
    let mut format = messages("");
    assert_eq!(format.append(&Record::from(empty), &mut message, LIMIT).unwrap(), Appended::Taken);
    format.finish(&mut message);
    assert!(message.is_empty());
}
