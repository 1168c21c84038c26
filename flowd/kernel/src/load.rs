//! Loads the BPF object that is embedded in this binary, and opens its maps.

use std::{
    os::fd::{AsFd as _, OwnedFd},
    thread,
};

use aya::{
    Ebpf, EbpfLoader,
    maps::{Array, Map, MapError, PerCpuArray, RingBuf, Stack},
    programs::{Program, SchedClassifier},
    util::nr_cpus,
};
use flow_common::{
    hint, names,
    settings::{Settings, Thrift},
};

use crate::{
    Hook, Kernel, KernelError, Order,
    drain::Drained,
    free::{FreeSlots, run_length},
    lanes::Lanes,
    role::{self, Role},
    slab::Slab,
    sys::pod::Plain,
    xdp::{self, Frames},
};

static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/flowd-ebpf"));

/// What is fixed once the programs are loaded.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    pub settings: Settings,
    /// Flows that fit into the table.
    pub flows: u32,
    /// Bytes of the ring buffer; rounded up to a power of two.
    pub event_bytes: u32,
    /// Interfaces that can be watched at once.
    pub interfaces: u32,
    /// The only hook to attach by; the best that works without it.
    pub hook: Option<Hook>,
    /// Ingress by XDP, and only egress by `hook`.
    pub frames: Option<Frames>,
    pub order: Order,
}

impl LoadOptions {
    /// The size that the ring buffer gets.
    pub(crate) const fn ring_bytes(&self) -> u32 {
        let bytes = self.event_bytes.next_power_of_two();
        if bytes < 4_096 { 4_096 } else { bytes }
    }

    /// Lanes that programs on `cpus` CPUs write to; one where nobody asks for any, as there is no empty map.
    pub(crate) fn lanes(&self, cpus: usize) -> u32 {
        let each = self.settings.windows.saturating_mul(2);
        each.saturating_mul(u32::try_from(cpus).unwrap_or(u32::MAX)).max(1)
    }
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            settings: Settings::DEFAULT,
            flows: names::DEFAULT_FLOWS,
            event_bytes: names::DEFAULT_EVENT_BYTES,
            interfaces: names::DEFAULT_INTERFACES,
            hook: None,
            frames: None,
            order: Order::default(),
        }
    }
}

impl Kernel {
    /// Loads the programs; nothing is attached yet.
    ///
    /// # Errors
    /// Missing privilege or kernel feature, no memory, or a program that the verifier refuses.
    pub fn load(options: &LoadOptions) -> Result<Self, KernelError> {
        Self::load_from(OBJECT, options)
    }

    /// Loads the programs out of this object.
    pub(crate) fn load_from(object: &[u8], options: &LoadOptions) -> Result<Self, KernelError> {
        let mut bpf = open_object(object, options)?;
        let interfaces = open(&mut bpf, names::MAP_INTERFACES, Array::try_from)?;
        let totals = open(&mut bpf, names::MAP_TOTALS, PerCpuArray::try_from)?;
        let events = open(&mut bpf, names::MAP_EVENTS, RingBuf::try_from)?;
        let stack = open(&mut bpf, names::MAP_FREE, Stack::try_from)?;
        let hands = open(&mut bpf, names::MAP_HAND, PerCpuArray::try_from)?;
        let run = run_length(options.flows, u32::try_from(cpus()).unwrap_or(u32::MAX));
        let mut free = FreeSlots::new(stack, hands, run);
        let mut programs = programs(&options.settings);
        let by_tc = programs.get(usize::from(options.frames.is_some())..).unwrap_or_default();
        load_programs(&mut bpf, by_tc, || free.fill(options.flows))?;
        if let Some(frames) = options.frames {
            programs[0] = xdp::load(&mut bpf, &options.settings, frames)?;
        }
        // Only now, as it gives up the maps, which the programs must find while they are loaded.
        let index = descriptor(&mut bpf, names::MAP_INDEX)?;
        let slab = Slab::new(descriptor(&mut bpf, names::MAP_FLOWS)?, options.flows).map_err(|error| {
            let detail = format!("mapping the records: {error}");
            KernelError::Memory { flows: options.flows, detail }
        })?;
        let lanes = Lanes::new(&descriptor(&mut bpf, names::MAP_LANES)?, options.settings.windows, cpus())
            .map_err(|error| KernelError::Map { map: names::MAP_LANES, detail: error.to_string() })?;
        Ok(Self {
            bpf,
            settings: options.settings,
            programs,
            frames: options.frames,
            hook: options.hook,
            order: options.order.clone(),
            slab,
            index,
            free,
            interfaces,
            totals,
            events,
            event_bytes: options.ring_bytes() as usize,
            lanes,
            thrift: Thrift::NONE,
            drained: Drained::new(options.flows),
            places: Vec::new(),
        })
    }
}

/// CPUs that there are or may come to be.
fn cpus() -> usize {
    nr_cpus().unwrap_or(1)
}

/// The object with its maps; no program is loaded yet.
pub(crate) fn object(options: &LoadOptions) -> Result<Ebpf, KernelError> {
    open_object(OBJECT, options)
}

fn open_object(object: &[u8], options: &LoadOptions) -> Result<Ebpf, KernelError> {
    let buckets = hint::buckets(options.flows);
    let settings = Plain(Settings { hints: buckets - 1, ..options.settings });
    EbpfLoader::new()
        .map_max_entries(names::MAP_INDEX, options.flows)
        .map_max_entries(names::MAP_HINTS, buckets)
        .map_max_entries(names::MAP_FLOWS, options.flows)
        .map_max_entries(names::MAP_FREE, options.flows)
        // Slot 0 is that of packets from interfaces without a slot.
        .map_max_entries(names::MAP_TOTALS, options.interfaces + 1)
        .map_max_entries(names::MAP_LANES, options.lanes(cpus()))
        .map_max_entries(names::MAP_EVENTS, options.ring_bytes())
        .override_global(names::GLOBAL_SETTINGS, &settings, true)
        .load(object)
        .map_err(|error| KernelError::load(&error, options.flows))
}

/// Names of the ingress and the egress program for these settings.
pub(crate) const fn programs(settings: &Settings) -> [&'static str; 2] {
    if settings.decapsulate == 0 {
        [names::PROGRAM_INGRESS, names::PROGRAM_EGRESS]
    } else {
        [names::PROGRAM_INGRESS_TUNNELS, names::PROGRAM_EGRESS_TUNNELS]
    }
}

/// The program of that name, which the object always has.
pub(crate) fn program<'a>(bpf: &'a mut Ebpf, name: &str) -> Result<&'a mut SchedClassifier, KernelError> {
    classifier(name, bpf.program_mut(name))
}

fn classifier<'a>(
    name: &str,
    found: Option<&'a mut Program>,
) -> Result<&'a mut SchedClassifier, KernelError> {
    let missing = || KernelError::Object { detail: format!("it has no program {name}") };
    found.ok_or_else(missing)?.try_into().map_err(|_| missing())
}

/// Loads the named programs, each on a thread of its own, and does `meanwhile` beside them: the verifier
/// takes longer than all the rest of the start, and works on several programs at once.
fn load_programs(
    bpf: &mut Ebpf,
    names: &[&str],
    meanwhile: impl FnOnce() -> Result<(), KernelError>,
) -> Result<(), KernelError> {
    thread::scope(|scope| {
        let mut loads = Vec::new();
        for (name, program) in bpf.programs_mut().filter(|(name, _)| names.contains(name)) {
            loads.push(scope.spawn(move || {
                role::register(Role::Load);
                let program = classifier(name, Some(program))?;
                program.load().map_err(|error| KernelError::program(name, &error))
            }));
        }
        meanwhile()?;
        let died = || KernelError::Object { detail: "the thread that loads a program died".to_owned() };
        loads.into_iter().try_for_each(|load| load.join().unwrap_or_else(|_| Err(died())))
    })
}

fn take(bpf: &mut Ebpf, name: &'static str) -> Result<Map, KernelError> {
    bpf.take_map(name).ok_or_else(|| KernelError::Object { detail: format!("it has no map {name}") })
}

fn open<T>(
    bpf: &mut Ebpf,
    name: &'static str,
    as_type: impl FnOnce(Map) -> Result<T, MapError>,
) -> Result<T, KernelError> {
    as_type(take(bpf, name)?).map_err(|error| KernelError::map(name, &error))
}

/// A descriptor of a map that aya is not to look after.
fn descriptor(bpf: &mut Ebpf, name: &'static str) -> Result<OwnedFd, KernelError> {
    let (Map::Array(data) | Map::HashMap(data)) = take(bpf, name)? else {
        return Err(KernelError::Object { detail: format!("map {name} is of another kind") });
    };
    data.fd()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| KernelError::Map { map: name, detail: error.to_string() })
}
