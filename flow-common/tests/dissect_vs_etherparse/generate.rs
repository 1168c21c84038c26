//! Packets of every make, aimed at the seams: tags, labels, options, chains of extension headers.

use proptest::{collection::vec, prelude::*, strategy::Union};

use crate::support::frames::{self, CLIENT6, SERVER6, Tcp, V4};

/// An option list padded to words; in any order, with what no standard knows among it.
fn tcp_options() -> impl Strategy<Value = Vec<u8>> {
    let option = prop_oneof![
        Just(vec![1]),
        Just(vec![2, 4, 5, 0xb4]),
        Just(vec![3, 3, 7]),
        Just(vec![4, 2]),
        (any::<u32>(), any::<u32>()).prop_map(|(value, echo)| [
            &[8, 10],
            &value.to_be_bytes()[..],
            &echo.to_be_bytes()
        ]
        .concat()),
        Just(vec![5, 10, 0, 0, 0, 1, 0, 0, 0, 9]),
        Just(vec![254, 4, 0, 1]),
        Just(vec![0]),
    ];
    let any_order = vec(option, 0..8).prop_map(|options| {
        let mut bytes = options.concat();
        bytes.truncate(40);
        while bytes.len() % 4 != 0 {
            bytes.push(0);
        }
        bytes
    });
    prop_oneof![Just(Vec::new()), Just(frames::timestamps(9, 8)), any_order]
}

fn transport(ipv6: bool) -> impl Strategy<Value = (u8, Vec<u8>)> {
    let payload = vec(any::<u8>(), 0..24);
    let tcp = (any::<(u16, u16, u32, u32, u16)>(), 0..512_u16, tcp_options(), payload.clone()).prop_map(
        |((source, destination, sequence, acknowledgement, window), flags, options, payload)| {
            let tcp = Tcp { source, destination, sequence, acknowledgement, flags, window, options };
            (6, tcp.wrap(&payload))
        },
    );
    let udp = (any::<(u16, u16)>(), payload.clone())
        .prop_map(|((source, destination), payload)| (17, frames::udp(source, destination, &payload)));
    let icmp = (any::<u8>(), any::<[u8; 7]>(), payload.clone()).prop_map(move |(kind, rest, payload)| {
        (if ipv6 { 58 } else { 1 }, [&[kind], &rest[..], &payload].concat())
    });
    let other = (prop_oneof![Just(132_u8), Just(47), Just(50), Just(2), Just(89)], payload);
    prop_oneof![4 => tcp, 2 => udp, 2 => icmp, 1 => other]
}

/// Every extension header once or more, in any order; the first byte is linked up by [`frames::ipv6`].
fn extensions() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let sized = |kind: u8| {
        (0..3_u8).prop_map(move |units| {
            let mut header = vec![0; usize::from(units + 1) * 8];
            header[1] = units;
            (kind, header)
        })
    };
    let authentication = (1..4_u8).prop_map(|words| {
        let mut header = vec![0; usize::from(words + 2) * 4];
        header[1] = words;
        (51, header)
    });
    let fragment = (0..3_u16, any::<bool>(), any::<u32>()).prop_map(|(offset, more, identification)| {
        let field = offset << 3 | u16::from(more);
        (44, [&[0, 0], &field.to_be_bytes()[..], &identification.to_be_bytes()].concat())
    });
    let kinds: Vec<BoxedStrategy<(u8, Vec<u8>)>> = vec![
        sized(0).boxed(),
        sized(43).boxed(),
        sized(60).boxed(),
        sized(135).boxed(),
        sized(139).boxed(),
        sized(140).boxed(),
        authentication.boxed(),
        fragment.boxed(),
    ];
    vec(Union::new(kinds), 0..6)
}

fn ip() -> impl Strategy<Value = (u16, Vec<u8>)> {
    let options = (0..=10_usize).prop_map(|words| vec![1; words * 4]);
    let v4 =
        (transport(false), options, any::<(u8, u16, bool)>(), prop_oneof![3 => Just(0), 1 => 1..0x2000_u16])
            .prop_map(|((protocol, inner), options, (tos, identification, more), offset)| {
                let ip = V4 { options, tos, identification, more, offset, ..V4::of(protocol) };
                (frames::IPV4, ip.wrap(&inner))
            });
    let v6 = (transport(true), extensions(), any::<u8>()).prop_map(|((protocol, inner), chain, tos)| {
        (frames::IPV6, frames::ipv6((CLIENT6, SERVER6), tos, &chain, protocol, &inner))
    });
    prop_oneof![v4, v6]
}

/// A frame: tagged up to three times, or in PPPoE, or behind labels; perhaps padded as Ethernet pads.
pub(crate) fn packet() -> impl Strategy<Value = Vec<u8>> {
    let tags = vec((prop_oneof![Just(frames::VLAN), Just(frames::QINQ), Just(0x9100)], 0..4096_u16), 0..4);
    let tagged = (ip(), tags).prop_map(|((kind, packet), tags)| frames::tagged(&tags, kind, &packet));
    let in_pppoe = ip().prop_map(|(kind, packet)| {
        let protocol = if kind == frames::IPV4 { 0x21 } else { 0x57 };
        frames::ethernet(frames::PPPOE, &frames::pppoe(protocol, &packet))
    });
    let labelled = (ip(), vec(any::<u32>(), 1..5))
        .prop_map(|((_, packet), labels)| frames::ethernet(frames::MPLS, &frames::mpls(&labels, &packet)));
    let frame = prop_oneof![6 => tagged, 1 => in_pppoe, 1 => labelled];
    (frame, any::<bool>()).prop_map(|(mut frame, padded)| {
        if padded && frame.len() < 60 {
            frame.resize(60, 0xa5);
        }
        frame
    })
}
