//! The object's maps, with the sizes that the options ask for.

use std::os::fd::{AsFd as _, OwnedFd};

use aya::{
    Ebpf, EbpfLoader,
    maps::{Map, MapError},
    util::nr_cpus,
};
use flow_common::{hint, names, settings::Settings};

use super::options::LoadOptions;
use crate::{KernelError, sys::pod::Plain};

/// CPUs that there are or may come to be.
pub(crate) fn cpus() -> usize {
    nr_cpus().unwrap_or(1)
}

/// The object with its maps; no program is loaded yet.
pub(crate) fn open(object: &[u8], options: &LoadOptions) -> Result<Ebpf, KernelError> {
    let buckets = hint::buckets(options.flows);
    let settings = Plain(Settings {
        hints: buckets - 1,
        ring_eighth: (options.ring_bytes() / 8).ilog2(),
        ..options.settings
    });
    EbpfLoader::new()
        .map_max_entries(names::MAP_INDEX, options.flows)
        .map_max_entries(names::MAP_HINTS, buckets)
        .map_max_entries(names::MAP_FLOWS, options.flows)
        .map_max_entries(names::MAP_FREE, options.flows)
        // Slot 0 is that of packets from interfaces without a slot.
        .map_max_entries(names::MAP_TOTALS, options.interfaces + 1)
        .map_max_entries(names::MAP_BINS, options.rings(cpus()))
        .map_max_entries(names::MAP_EVENTS, options.ring_bytes())
        .override_global(names::GLOBAL_SETTINGS, &settings, true)
        .load(object)
        .map_err(|error| KernelError::load(&error, options.flows))
}

fn take(bpf: &mut Ebpf, name: &'static str) -> Result<Map, KernelError> {
    bpf.take_map(name).ok_or_else(|| KernelError::Object { detail: format!("it has no map {name}") })
}

pub(crate) fn map<T>(
    bpf: &mut Ebpf,
    name: &'static str,
    as_type: impl FnOnce(Map) -> Result<T, MapError>,
) -> Result<T, KernelError> {
    as_type(take(bpf, name)?).map_err(|error| KernelError::map(name, &error))
}

/// A descriptor of a map that aya is not to look after.
pub(crate) fn descriptor(bpf: &mut Ebpf, name: &'static str) -> Result<OwnedFd, KernelError> {
    copied(name, &take(bpf, name)?)
}

/// A further descriptor of a map that aya looks after, for what aya does not offer.
pub(crate) fn again(bpf: &Ebpf, name: &'static str) -> Result<OwnedFd, KernelError> {
    copied(
        name,
        bpf.map(name).ok_or_else(|| KernelError::Object { detail: format!("it has no map {name}") })?,
    )
}

fn copied(name: &'static str, map: &Map) -> Result<OwnedFd, KernelError> {
    let (Map::Array(data) | Map::HashMap(data) | Map::Stack(data)) = map else {
        return Err(KernelError::Object { detail: format!("map {name} is of another kind") });
    };
    data.fd()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| KernelError::Map { map: name, detail: error.to_string() })
}
