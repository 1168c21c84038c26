use proptest::prelude::*;

use super::*;

fn zones(nets: &[(&str, &[&str])]) -> config::Zones {
    let nets = nets
        .iter()
        .map(|(name, nets)| ((*name).to_owned(), nets.iter().map(|net| (*net).to_owned()).collect()));
    config::Zones { nets: nets.collect(), ..config::Zones::default() }
}

fn name(zones: &Zones, address: &str) -> String {
    zones.name_of(address.parse().unwrap()).to_string()
}

#[test]
fn both_sides_of_every_border() {
    let zones = Zones::new(&config::Zones::default());
    for (address, zone) in [
        ("10.255.255.255", "private"),
        ("11.0.0.0", "internet"),
        ("172.15.255.255", "internet"),
        ("172.31.0.1", "private"),
        ("172.32.0.0", "internet"),
        ("192.168.0.1", "private"),
        ("100.63.255.255", "internet"),
        ("100.64.0.0", "private"),
        ("100.127.255.255", "private"),
        ("100.128.0.0", "internet"),
        ("127.0.0.1", "private"),
        ("169.254.1.1", "link-local"),
        ("224.0.0.251", "multicast"),
        ("240.0.0.1", "internet"),
        ("255.255.255.255", "private"),
        ("0.0.0.0", "private"),
        ("8.8.8.8", "internet"),
        ("::1", "private"),
        ("::", "private"),
        ("fd00::1", "private"),
        ("fe80::1", "link-local"),
        ("ff02::fb", "multicast"),
        ("2001:4860::8888", "internet"),
        ("::ffff:10.0.0.1", "private"),
    ] {
        assert_eq!(name(&zones, address), zone, "{address}");
    }
}

#[test]
fn the_longest_prefix_wins_and_beats_what_is_built_in() {
    let zones = Zones::new(&zones(&[
        ("lan", &["10.0.0.0/8", "fd00::/8"]),
        ("lab", &["10.1.0.0/16", "10.1.2.3/32"]),
        ("dmz", &["10.1.2.0/24"]),
        ("top", &["255.255.255.0/24", "0.0.0.0/8"]),
    ]));
    for (address, zone) in [
        ("10.0.0.1", "lan"),
        ("10.1.0.0", "lab"),
        ("10.1.2.2", "dmz"),
        ("10.1.2.3", "lab"),
        ("10.1.2.4", "dmz"),
        ("10.1.3.0", "lab"),
        ("10.2.0.0", "lan"),
        ("11.0.0.0", "internet"),
        ("255.255.255.255", "top"),
        ("0.0.0.0", "top"),
        ("fd12::1", "lan"),
        ("fc00::1", "private"),
        ("::ffff:10.1.2.3", "lab"),
    ] {
        assert_eq!(name(&zones, address), zone, "{address}");
    }
}

#[test]
fn a_name_keeps_its_number() {
    let before = Zones::new(&zones(&[("b", &["10.0.0.0/8"])]));
    let zone = before.of("10.0.0.1".parse().unwrap());
    let after = before.renewed(&zones(&[("a", &["10.0.0.0/8"]), ("b", &["11.0.0.0/8"])]));
    assert_eq!(after.of("11.0.0.1".parse().unwrap()), zone);
    assert_eq!(name(&after, "10.0.0.1"), "a");
    let gone = after.renewed(&zones(&[]));
    assert_eq!(&**gone.name(zone), "b", "its series still have their name");
    assert_eq!(name(&gone, "11.0.0.1"), "internet");
}

#[test]
fn ways_are_as_seen_from_home() {
    let config = config::Zones { home: vec!["office".to_owned()], ..zones(&[("office", &["192.0.2.0/24"])]) };
    let zones = Zones::new(&config);
    let way = |client: &str, server: &str| {
        zones.way(zones.of(client.parse().unwrap()), zones.of(server.parse().unwrap())).name()
    };
    assert_eq!(way("192.0.2.1", "192.0.2.2"), "internal");
    assert_eq!(way("192.0.2.1", "8.8.8.8"), "outbound");
    assert_eq!(way("8.8.8.8", "192.0.2.1"), "inbound");
    assert_eq!(way("10.0.0.1", "8.8.8.8"), "transit");
}

proptest! {
    #[test]
    fn the_table_finds_what_a_search_of_all_nets_finds(
        nets in prop::collection::vec((any::<u32>(), 0..=32_u8, 0..20_u16), 0..60),
        wide in prop::collection::vec((any::<u128>(), 0..=128_u8, 0..20_u16), 0..60),
        few in any::<bool>(),
        probes in prop::collection::vec(any::<u32>(), 1..50),
    ) {
        // Few addresses make nets that lie in each other.
        let thin = |bits: u32| if few { bits & 0xc0c0_c0c0 } else { bits };
        let net4 = |bits: u32, prefix: u8| {
            let bits = thin(bits) & u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or_default();
            IpNetwork::new(IpAddr::V4(bits.into()), prefix).unwrap()
        };
        let net6 = |bits: u128, prefix: u8| {
            let bits = if few { bits & (3 << 126 | 3 << 62 | 3) } else { bits };
            let bits = bits & u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or_default();
            IpNetwork::new(IpAddr::V6(bits.into()), prefix).unwrap()
        };
        // A net belongs to one zone: the first that names it.
        let mut all: Vec<(IpNetwork, u16)> = Vec::new();
        let four = nets.iter().map(|(bits, prefix, zone)| (net4(*bits, *prefix), *zone));
        for (net, zone) in four.chain(wide.iter().map(|(bits, prefix, zone)| (net6(*bits, *prefix), *zone))) {
            if all.iter().all(|(other, _)| *other != net) {
                all.push((net, zone));
            }
        }
        let mut config = config::Zones::default();
        for (net, zone) in &all {
            config.nets.entry(format!("z{zone}")).or_default().push(net.to_string());
        }
        prop_assert_eq!(config.nets().len(), all.len());
        let zones = Zones::new(&config);
        let borders = all.iter().flat_map(|(net, _)| [net.network(), net.broadcast()]);
        let next = borders.clone().filter_map(|address| match address {
            IpAddr::V4(address) => address.to_bits().checked_add(1).map(|bits| IpAddr::V4(bits.into())),
            IpAddr::V6(address) => address.to_bits().checked_add(1).map(|bits| IpAddr::V6(bits.into())),
        });
        for address in borders.chain(next).chain(probes.iter().map(|bits| IpAddr::V4(thin(*bits).into()))) {
            let naive = all.iter().filter(|(net, _)| net.contains(address)).max_by_key(|(net, _)| net.prefix());
            let address4 = address.to_canonical();
            if address4 != address {
                continue;
            }
            let expected = naive.map_or_else(|| zones.name(Zone::built_in(address)).to_string(), |(_, zone)| format!("z{zone}"));
            prop_assert_eq!(zones.name_of(address).to_string(), expected, "{}", address);
        }
    }
}
