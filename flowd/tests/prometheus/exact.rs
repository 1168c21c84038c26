//! Sums at every scrape, from the samples as they were stored.

use std::collections::BTreeMap;

use super::{server::Server, support::router::LAN};

/// Milliseconds since the epoch, interface, direction.
type At = (u64, String, String);
type Sums = BTreeMap<At, u64>;

fn sums(prometheus: &Server, family: &str) -> Sums {
    let mut sums = Sums::new();
    for series in prometheus.instant(&format!("{family}[30m]")) {
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
/// interface. At every scrape whose reading of the kernel had no packet between the table and the totals: all
/// where nothing passed since the scrape before. At the others what is behind is no more than what passed
/// since then.
pub fn hold(prometheus: &Server) {
    let [packets, bytes] = ["packets", "bytes"].map(|what| {
        ["flowd_flow", "flowd_interface", "unaccounted"].map(|family| match family {
            "unaccounted" => sums(prometheus, &format!("flowd_{what}_unaccounted_total")),
            family => sums(prometheus, &format!("{family}_{what}_total")),
        })
    });
    let mut before: BTreeMap<(String, String), u64> = BTreeMap::new();
    let (mut exact, mut behind, mut quiet) = (0, 0, 0);
    for (at, total) in &packets[1] {
        let (_, iface, direction) = at;
        let header = if iface == LAN { 14 } else { 0 };
        let flows = packets[0].get(at).copied().unwrap_or_default();
        let counted = flows + packets[2][at];
        let octets = bytes[0].get(at).copied().unwrap_or_default() + header * flows + bytes[2][at];
        assert!(counted <= *total && octets <= bytes[1][at], "{at:?}: more in flows than there was");
        let place = (iface.clone(), direction.clone());
        let passed = total - before.insert(place, *total).unwrap_or_default();
        if passed == 0 {
            quiet += 1;
            assert_eq!((counted, octets), (*total, bytes[1][at]), "{at:?}");
        }
        assert!(
            total - counted <= passed,
            "{at:?}: {counted} of {total} in flows, {passed} since the last scrape"
        );
        if counted == *total && octets == bytes[1][at] {
            exact += 1;
        } else {
            behind += 1;
        }
    }
    println!(
        "scrapes by interface and direction: {exact} exact, {behind} behind by what passed while reading; {quiet} quiet"
    );
    assert!(quiet >= 4 && exact >= 20);
}
