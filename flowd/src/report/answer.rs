//! What a report says, however it is printed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{link::Link, request::Request};

/// Pairs of nets that are reported per link.
const TOP_PAIRS: usize = 5;

/// The answer. Times are seconds since the epoch, rates bytes per second.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub source: String,
    pub from: f64,
    pub to: f64,
    pub step: f64,
    pub links: Vec<Link>,
    /// The heaviest of each link, heaviest first.
    pub zone_pairs: Vec<Pair>,
    pub notes: Vec<String>,
}

/// Traffic from net to net at a link.
#[derive(Clone, Debug, Serialize)]
pub struct Pair {
    pub instance: Option<String>,
    pub iface: String,
    pub src_net: String,
    pub dst_net: String,
    /// Octets of IP.
    pub bytes: f64,
    /// The second half of the time over the first, less 1; `null` where there was nothing in the first.
    pub growth: Option<f64>,
}

impl Report {
    pub(super) fn new(request: &Request, source: String, links: Vec<Link>, mut pairs: Vec<Pair>) -> Self {
        pairs.retain(|pair| pair.bytes > 0.0);
        pairs.sort_by(|one, other| other.bytes.total_cmp(&one.bytes));
        let mut of_link: BTreeMap<(Option<String>, String), usize> = BTreeMap::new();
        pairs.retain(|pair| {
            let count = of_link.entry((pair.instance.clone(), pair.iface.clone())).or_default();
            *count += 1;
            *count <= TOP_PAIRS
        });
        let (from, to, step) = (request.from(), request.now, request.step);
        Self { source, from, to, step, links, zone_pairs: pairs, notes: Vec::new() }
    }

    /// The heaviest pairs of `link`.
    pub(super) fn pairs_of<'a>(&'a self, link: &'a Link) -> impl Iterator<Item = &'a Pair> {
        self.zone_pairs.iter().filter(|pair| pair.instance == link.instance && pair.iface == link.iface)
    }
}

impl Pair {
    pub(super) fn new(
        instance: Option<String>,
        iface: String,
        src_net: String,
        dst_net: String,
        [first, second]: [f64; 2],
    ) -> Self {
        let growth = (first > 0.0).then(|| second / first - 1.0);
        Self { instance, iface, src_net, dst_net, bytes: first + second, growth }
    }
}
