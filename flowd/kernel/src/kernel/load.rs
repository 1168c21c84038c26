//! Loads the programs and opens their maps.

use aya::maps::{Array, PerCpuArray, RingBuf};
use flow_common::{names, settings::Omissions};

use super::Kernel;
use crate::{
    KernelError, clock,
    object::{OBJECT, maps, options::LoadOptions, programs, xdp},
    table::{
        bins::AllBins,
        free::{FreeSlots, run_length},
        reading::Drained,
        slab::Slab,
    },
};

impl Kernel {
    /// Loads the programs; nothing is attached yet.
    ///
    /// # Errors
    /// Missing privilege or kernel feature, no memory, or a program that the verifier refuses.
    pub fn load(options: &LoadOptions) -> Result<Self, KernelError> {
        Self::load_from(OBJECT, options)
    }

    /// Loads the programs out of this object.
    pub(super) fn load_from(object: &[u8], options: &LoadOptions) -> Result<Self, KernelError> {
        let mut bpf = maps::open(object, options)?;
        let interfaces = maps::map(&mut bpf, names::MAP_INTERFACES, Array::try_from)?;
        let totals = maps::map(&mut bpf, names::MAP_TOTALS, PerCpuArray::try_from)?;
        let workspaces = maps::map(&mut bpf, names::MAP_WORKSPACE, PerCpuArray::try_from)?;
        let events = maps::map(&mut bpf, names::MAP_EVENTS, RingBuf::try_from)?;
        let stack = maps::again(&bpf, names::MAP_FREE)?;
        let hands = maps::map(&mut bpf, names::MAP_HAND, PerCpuArray::try_from)?;
        let run = run_length(options.flows, u32::try_from(maps::cpus()).unwrap_or(u32::MAX));
        let mut free = FreeSlots::new(stack, hands, run);
        let mut programs = programs::programs(&options.settings);
        let by_tc = programs.get(usize::from(options.frames.is_some())..).unwrap_or_default();
        programs::load(&mut bpf, by_tc, || free.fill(options.flows))?;
        if let Some(frames) = options.frames {
            programs[0] = xdp::load(&mut bpf, &options.settings, frames)?;
        }
        // Only now, as it gives up the maps, which the programs must find while they are loaded.
        drop(maps::descriptor(&mut bpf, names::MAP_FREE)?);
        let index = maps::descriptor(&mut bpf, names::MAP_INDEX)?;
        let slab =
            Slab::new(maps::descriptor(&mut bpf, names::MAP_FLOWS)?, options.flows).map_err(|error| {
                let detail = format!("mapping the records: {error}");
                KernelError::Memory { flows: options.flows, detail }
            })?;
        let bins = AllBins::new(
            &maps::descriptor(&mut bpf, names::MAP_BINS)?,
            options.settings.windows,
            maps::cpus(),
        )
        .map_err(|error| KernelError::Map { map: names::MAP_BINS, detail: error.to_string() })?;
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
            workspaces,
            events,
            event_bytes: options.ring_bytes() as usize,
            bins,
            omissions: Omissions::NONE,
            // The longest there is, where the kernel does not say (HZ=100).
            tick: clock::tick().unwrap_or(10_000_000),
            drained: Drained::new(options.flows),
            places: Vec::new(),
        })
    }
}
