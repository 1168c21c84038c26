//! Sums at every scrape, from the samples as they were stored.

use std::collections::BTreeMap;

use super::{
    server::{self, Server},
    support::router::LAN,
};

/// One direction of an interface.
#[derive(Default)]
struct Place {
    total: u64,
    /// What the reading that changed the total added.
    passed: u64,
    /// The last reading, and how many before it found the total unchanged.
    reading: String,
    unchanged: u32,
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

/// Packets: flows + reasons + unread = interface, exactly, at every scrape. Bytes: octets of IP + link headers of
/// packets in flows + reasons + unread = interface, where nothing passes: a record may be read between two of its
/// words. What is unread is no more than what passed since the reading before, and nothing where
/// nothing passes.
pub fn hold(prometheus: &Server<'_>) {
    // All questions up to one moment, as scrapes go on.
    let end = server::now() - 2.0;
    let [packets, bytes] = ["packets", "bytes"].map(|what| {
        ["flowd_flow", "flowd_interface", "unaccounted", "unread"].map(|family| match family {
            "unaccounted" => sums(prometheus, &format!("flowd_{what}_unaccounted_total"), end),
            "unread" => sums(prometheus, &format!("flowd_interface_unread_{what}"), end),
            family => sums(prometheus, &format!("{family}_{what}_total"), end),
        })
    });
    // Of the same moment as the numbers: two scrapes of one reading show the same.
    let readings: BTreeMap<u64, String> =
        prometheus.at("flowd_last_drain_timestamp_seconds[30m]", end)[0]["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| ((value[0].as_f64().unwrap() * 1e3).round() as u64, value[1].to_string()))
            .collect();
    let mut places: BTreeMap<(String, String), Place> = BTreeMap::new();
    let (mut scrapes, mut behind, mut quiet) = (0, 0, 0);
    for (at, total) in &packets[1] {
        let (time, iface, direction) = at;
        let header = if iface == LAN { 14 } else { 0 };
        let (flows, reasons, unread) =
            (packets[0].get(at).copied().unwrap_or_default(), packets[2][at], packets[3][at]);
        assert_eq!(
            flows + reasons + unread,
            *total,
            "{at:?}: {flows} in flows, {reasons} reasons, {unread} unread"
        );
        let octets = bytes[0].get(at).copied().unwrap_or_default() + header * flows + bytes[2][at];
        assert!(octets <= bytes[1][at], "{at:?}: {octets} bytes of {}", bytes[1][at]);
        let place = places.entry((iface.clone(), direction.clone())).or_default();
        let reading = &readings[time];
        if place.reading != *reading {
            if place.total == *total {
                place.unchanged += 1;
            } else {
                *place = Place { passed: total - place.total, total: *total, ..Place::default() };
            }
            place.reading.clone_from(reading);
        }
        scrapes += 1;
        behind += u32::from(unread > 0);
        assert!(unread <= place.passed, "{at:?}: {unread} unread, {} since the last reading", place.passed);
        // A record that was being written to is read again.
        let settled = place.unchanged >= 1;
        let all = unread == 0 && bytes[3][at] == 0 && octets == bytes[1][at];
        assert!(
            !settled || all,
            "{at:?}: {unread} unread, {octets} of {} bytes, and nothing passes",
            bytes[1][at]
        );
        quiet += u32::from(settled);
    }
    let defects = prometheus.number("sum(flowd_accounting_defects_total)");
    println!(
        "{scrapes} scrapes by interface and direction add up, {behind} with packets unread, {quiet} quiet"
    );
    assert!(scrapes >= 20 && quiet >= 4 && defects < 1.0, "{defects} defects");
}
