//! Sums at every scrape, from the samples as they were stored.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    server::{self, Server},
    support::router::LAN,
};

/// One direction of an interface.
#[derive(Default)]
struct Place<'a> {
    total: u64,
    /// What the reading that changed the total added.
    passed: u64,
    /// Times of readings that found it unchanged. A scrape takes the numbers at its beginning and the time of
    /// the reading at its end, so that the first two may belong to the numbers that changed it.
    readings: BTreeSet<&'a String>,
}

/// Milliseconds since the epoch, interface, direction.
type At = (u64, String, String);
type Sums = BTreeMap<At, u64>;

fn sums(prometheus: &Server<'_>, family: &str, end: f64) -> Sums {
    let mut sums = Sums::new();
    for series in prometheus.at(&format!("{family}[30m]"), end) {
        let label = |name: &str| series["metric"][name].as_str().unwrap().to_owned();
        for value in series["values"].as_array().unwrap() {
            let time = (value[0].as_f64().unwrap() * 1e3).round() as u64;
            let number: u64 = value[1].as_str().unwrap().parse::<f64>().unwrap() as u64;
            *sums.entry((time, label("iface"), label("direction"))).or_default() += number;
        }
    }
    assert!(!sums.is_empty(), "{family}");
    sums
}

/// Packets: flows + reasons = interface. Bytes: octets of IP + link headers of packets in flows + reasons =
/// interface. The kernel's totals are read after the table: at scrapes of a reading since which and the one
/// before nothing passed, all is exact; at the others what flows are behind is no more than what passed since
/// the reading before.
pub fn hold(prometheus: &Server<'_>) {
    // All questions up to one moment, as scrapes go on.
    let end = server::now() - 2.0;
    let [packets, bytes] = ["packets", "bytes"].map(|what| {
        ["flowd_flow", "flowd_interface", "unaccounted"].map(|family| match family {
            "unaccounted" => sums(prometheus, &format!("flowd_{what}_unaccounted_total"), end),
            family => sums(prometheus, &format!("{family}_{what}_total"), end),
        })
    });
    // Two scrapes of one reading show the same.
    let readings: BTreeMap<u64, String> =
        prometheus.at("flowd_last_drain_timestamp_seconds[30m]", end)[0]["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| ((value[0].as_f64().unwrap() * 1e3).round() as u64, value[1].to_string()))
            .collect();
    let mut places: BTreeMap<(String, String), Place<'_>> = BTreeMap::new();
    let (mut exact, mut behind, mut quiet) = (0, 0, 0);
    for (at, total) in &packets[1] {
        let (time, iface, direction) = at;
        let header = if iface == LAN { 14 } else { 0 };
        let flows = packets[0].get(at).copied().unwrap_or_default();
        let counted = flows + packets[2][at];
        let octets = bytes[0].get(at).copied().unwrap_or_default() + header * flows + bytes[2][at];
        assert!(counted <= *total && octets <= bytes[1][at], "{at:?}: more in flows than there was");
        let place = places.entry((iface.clone(), direction.clone())).or_default();
        if place.total == *total {
            place.readings.insert(&readings[time]);
        } else {
            *place = Place { passed: total - place.total, total: *total, readings: BTreeSet::new() };
        }
        if counted == *total && octets == bytes[1][at] {
            exact += 1;
        } else {
            behind += 1;
            assert!(place.readings.len() < 3, "{at:?}: {counted} of {total} in flows, and nothing passes");
            let passed = place.passed;
            assert!(
                total - counted <= passed,
                "{at:?}: {counted} of {total} in flows, {passed} since the last reading"
            );
        }
        quiet += usize::from(place.readings.len() >= 3);
    }
    println!(
        "scrapes by interface and direction: {exact} exact, {behind} behind by what passed while reading; {quiet} quiet"
    );
    assert!(quiet >= 4 && exact >= 20);
}
