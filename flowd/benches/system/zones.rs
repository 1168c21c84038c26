//! Look-ups of zones among up to ten thousand prefixes of both families.

use std::{collections::BTreeSet, hint::black_box, net::IpAddr, time::Instant};

use anyhow::Result;
use flowd::{aggregate::Zones, config::Config};

use super::{Bench, row::Row};

/// As many zones as prefixes, up to nearly the most that a configuration may have.
const ZONES: usize = 4_000;
const LOOK_UPS: u32 = 2_000_000;

pub(crate) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut state = 1;
    let mut rows = Vec::new();
    for (prefixes, among) in [(10_000, ""), (1_000, ", 1,000 prefixes"), (1, ", 1 prefix")] {
        let zones = table(&mut state, prefixes);
        for (name, v6) in [("IPv4", false), ("IPv6", true)] {
            let addresses: Vec<IpAddr> = (0..4_096).map(|_| address(&mut state, v6)).collect();
            let mut times = Vec::new();
            let mut found = 0;
            for _ in 0..bench.or(5, 15) {
                let started = Instant::now();
                for address in addresses.iter().cycle().take(LOOK_UPS as usize) {
                    let zone = black_box(zones.of(black_box(*address)));
                    found += u64::from(zones.name(zone).starts_with('z'));
                }
                times.push(started.elapsed().as_nanos() as f64 / f64::from(LOOK_UPS));
            }
            let note = format!(
                "{prefixes} prefixes in {} zones; {found} addresses in one of them",
                prefixes.min(ZONES)
            );
            rows.push(Row::less(format!("zone of a random {name} address{among}"), "ns", times).note(note));
        }
    }
    Ok(rows)
}

fn table(state: &mut u64, prefixes: usize) -> Zones {
    let mut config = Config::default();
    let mut nets = BTreeSet::new();
    while nets.len() < prefixes {
        let v6 = nets.len() % 2 == 1;
        let (shortest, span, bits) = if v6 { (32, 33, 128) } else { (12, 17, 32) };
        let prefix = shortest + (next(state) % span) as u32;
        let net = match address(state, v6) {
            IpAddr::V4(address) => IpAddr::V4((u32::from(address) & (u32::MAX << (bits - prefix))).into()),
            IpAddr::V6(address) => IpAddr::V6((u128::from(address) & (u128::MAX << (bits - prefix))).into()),
        };
        nets.insert((net, prefix));
    }
    for (number, (net, prefix)) in nets.iter().enumerate() {
        let zone = config.zones.nets.entry(format!("z{}", number % ZONES)).or_default();
        zone.push(format!("{net}/{prefix}"));
    }
    Zones::new(&config.zones)
}

fn address(state: &mut u64, v6: bool) -> IpAddr {
    let bits = next(state);
    if v6 {
        IpAddr::V6(
            (u128::from(0x2001_0db8_u32) << 96 | u128::from(bits) << 32 | u128::from(bits as u32)).into(),
        )
    } else {
        IpAddr::V4((bits as u32).into())
    }
}

/// The next of a sequence that looks random (SplitMix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
