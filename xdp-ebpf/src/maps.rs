//! The maps. Their sizes here are the defaults; the daemon sets them at load.

use aya_ebpf::{
    Global,
    bindings::BPF_F_MMAPABLE,
    btf_maps::{Array, HashMap, LruHashMap, PerCpuArray, RingBuf, Stack},
    macros::btf_map,
};
use flow_common::{
    admission::{self, Source},
    bins::Bins,
    counter::InterfaceTotals,
    env::{Datagram, FirstFragment},
    event::{MAX_STAGED, PayloadEvent},
    free::{Hand, Run},
    hint::Hints,
    key::FlowKey,
    names,
    record::SharedRecord,
    settings::{Interface, Settings},
    shared::Relaxed,
    workspace::{Room, Scratch, Workspace},
};

#[unsafe(no_mangle)]
pub(crate) static SETTINGS: Global<Settings> = Global::new(Settings::DEFAULT);

/// One field of the settings. Volatile, as the loader sets what the compiler takes for a constant. The verifier
/// does know the value, and drops the branches that it rules out.
#[inline(always)]
pub(crate) fn setting<T: Copy>(field: impl Fn(&Settings) -> &T) -> T {
    // SAFETY: a static that is always initialised.
    let settings = unsafe { &*(&raw const SETTINGS).cast::<Settings>() };
    // SAFETY: a field of it.
    unsafe { core::ptr::from_ref(field(settings)).read_volatile() }
}

/// Flow key to slot. The records stand apart, so that the daemon reads them in place and a slot is used
/// again only after every program that knew it has returned.
#[btf_map]
pub(crate) static FLOW_INDEX: HashMap<FlowKey, u32, { names::DEFAULT_FLOWS as usize }> = HashMap::new();

#[btf_map]
pub(crate) static HINTS: Array<Hints, { names::DEFAULT_FLOWS as usize }> = Array::new();

#[btf_map]
pub(crate) static FLOWS: Array<SharedRecord, { names::DEFAULT_FLOWS as usize }, { BPF_F_MMAPABLE as usize }> =
    Array::new();

#[btf_map]
pub(crate) static FREE_SLOTS: Stack<Run, { names::DEFAULT_FLOWS as usize }> = Stack::new();

#[btf_map]
pub(crate) static FREE_HAND: PerCpuArray<Hand, 1> = PerCpuArray::new();

#[btf_map]
pub(crate) static FRAGMENTS: LruHashMap<Datagram, FirstFragment, { names::MAX_FRAGMENTS as usize }> =
    LruHashMap::new();

#[btf_map]
pub(crate) static INTERFACES: Array<Relaxed<Interface>, { names::MAX_IFINDEX as usize }> = Array::new();

#[btf_map]
pub(crate) static TOTALS: PerCpuArray<InterfaceTotals, { names::DEFAULT_INTERFACES as usize }> =
    PerCpuArray::new();

#[btf_map]
pub(crate) static BINS: Array<Bins, 1, { BPF_F_MMAPABLE as usize }> = Array::new();

/// By a hash of the client's address.
#[btf_map]
pub(crate) static SOURCES: Array<Source, { admission::SOURCES as usize }> = Array::new();

#[btf_map]
pub(crate) static EVENTS: RingBuf<u8, { names::DEFAULT_EVENT_BYTES as usize }> = RingBuf::new();

/// What a program knows of its packet: the stack is too small for it.
#[btf_map]
static WORKSPACE: PerCpuArray<Room, 1> = PerCpuArray::new();

/// Room for an event with its payload, on its way into the ring.
pub(crate) type Copied = [u64; (size_of::<PayloadEvent>() + MAX_STAGED) / size_of::<u64>()];

#[btf_map]
pub(crate) static COPY: PerCpuArray<Copied, 1> = PerCpuArray::new();

/// The workspace, and where a helper puts what a program does not read in place.
#[inline(always)]
pub(crate) fn room<'a>() -> Option<(&'a mut Workspace, *mut Scratch)> {
    let room = WORKSPACE.get_ptr_mut(0)?;
    // SAFETY: this CPU's own. No other program runs on it until this one returns, and who calls a step uses it again
    // only when that has returned.
    let work = unsafe { &mut (*room).work };
    // SAFETY: a field of the same, which the reference does not cover.
    Some((work, unsafe { &raw mut (*room).scratch }))
}
