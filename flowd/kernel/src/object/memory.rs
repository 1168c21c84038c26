//! How much memory the maps take.

use flow_common::{
    admission::{self, Source},
    bins::Bins,
    counter::InterfaceTotals,
    env::{Datagram, FirstFragment},
    event::{MAX_STAGED, PayloadEvent},
    free::{Hand, Run},
    hint::{self, Hints},
    key::FlowKey,
    names,
    record::FlowRecord,
    settings::Interface,
    workspace::Room,
};

use super::options::LoadOptions;

/// What the kernel adds to each entry of a hash (`struct htab_elem`), and takes per bucket, of which there is
/// a power of two.
const ENTRY: usize = 48;
const BUCKET: usize = 16;

impl LoadOptions {
    /// Bytes of each map on a machine of `cpus` CPUs, without what the kernel keeps per map (a few pages).
    #[must_use]
    pub fn memory(&self, cpus: usize) -> Vec<(&'static str, usize)> {
        let (flows, interfaces) = (self.flows as usize, self.interfaces as usize + 1);
        let fragments = names::MAX_FRAGMENTS as usize;
        vec![
            (names::MAP_FLOWS, flows * size_of::<FlowRecord>()),
            (names::MAP_HINTS, hint::buckets(self.flows) as usize * size_of::<Hints>()),
            (names::MAP_INDEX, hash::<FlowKey, u32>(flows)),
            (names::MAP_FREE, flows * size_of::<Run>()),
            (names::MAP_HAND, cpus * padded::<Hand>()),
            (names::MAP_FRAGMENTS, hash::<Datagram, FirstFragment>(fragments)),
            (names::MAP_INTERFACES, names::MAX_IFINDEX as usize * padded::<Interface>()),
            (names::MAP_TOTALS, interfaces * (cpus * padded::<InterfaceTotals>() + size_of::<usize>())),
            (names::MAP_BINS, self.rings(cpus) as usize * size_of::<Bins>()),
            (names::MAP_EVENTS, self.ring_bytes() as usize),
            (names::MAP_WORKSPACE, cpus * padded::<Room>()),
            (names::MAP_COPY, cpus * (size_of::<PayloadEvent>() + MAX_STAGED)),
            (names::MAP_SOURCES, admission::SOURCES as usize * size_of::<Source>()),
        ]
    }
}

/// Values and keys lie at multiples of eight bytes.
const fn padded<T>() -> usize {
    size_of::<T>().next_multiple_of(8)
}

const fn hash<K, V>(entries: usize) -> usize {
    entries * (ENTRY + padded::<K>() + padded::<V>()) + entries.next_power_of_two() * BUCKET
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_take_what_the_readme_says() {
        let mut options = LoadOptions::default();
        options.settings.windows = 3;
        let memory = options.memory(2);
        let of = |names: &[&str]| {
            memory.iter().filter(|(name, _)| names.contains(name)).map(|(_, b)| b).sum::<usize>()
        };
        let per_flow = [names::MAP_FLOWS, names::MAP_HINTS, names::MAP_INDEX, names::MAP_FREE];
        let flows = names::DEFAULT_FLOWS as usize;
        assert_eq!(of(&per_flow), flows * (size_of::<FlowRecord>() + 16 + 120 + 8));
        let windows = of(&[names::MAP_BINS]);
        assert!((3 * 2 * (16 << 10)..3 * 2 * (17 << 10)).contains(&windows), "{windows}");
        let rest = memory.iter().map(|(_, bytes)| bytes).sum::<usize>() - of(&per_flow) - windows;
        assert!((9 << 20..10 << 20).contains(&rest), "{rest}");
    }
}
