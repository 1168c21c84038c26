//! The twin test: the same packets through the native engine and through the loaded BPF program leave the same
//! flow tables, totals and payload copies.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test"
)]

mod frames;
#[path = "../support/skip.rs"]
mod skip;
mod xdp;

use std::{collections::BTreeMap, fmt::Write as _};

use flow_common::{
    app::Apps,
    bins::{self, MILLISECOND},
    dissect::{Link, NO_TAG},
    key::Direction,
    offload::Offload,
    packet::Captured,
    record::FlowRecord,
    settings::{Interface, LINK_ETHERNET, Omissions, Settings},
    workspace::Arrival,
};
use flowd::{
    kernel::{Frames, Kernel, KernelError, LoadOptions},
    native::Native,
};
use frames::{Frame, Generator};
use skip::{ROOT, skip};

const FLOWS: u32 = 65_536;
const SLOT: u16 = 3;

/// Loads the programs, or skips the test where the privilege is missing.
fn load(settings: Settings, hook: Hook) -> Option<Kernel> {
    let options = LoadOptions {
        settings,
        frames: hook.frames(),
        flows: FLOWS,
        event_bytes: 64 << 20,
        interfaces: 8,
        ..LoadOptions::default()
    };
    match Kernel::load(&options) {
        Ok(kernel) => Some(kernel),
        Err(KernelError::Privilege { detail }) => {
            skip(ROOT, &format!("the twin test needs root: {detail}"));
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Which program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hook {
    Tc,
    /// XDP for frames of one buffer.
    Xdp,
    /// XDP for frames of several buffers.
    XdpFrags,
}

impl Hook {
    fn frames(self) -> Option<Frames> {
        (self != Self::Tc).then_some(Frames { frags: self == Self::XdpFrags, ..Frames::default() })
    }
}

/// Everything that the packets left behind, as text.
#[derive(Default, PartialEq, Eq)]
struct Traces {
    flows: BTreeMap<String, String>,
    events: Vec<String>,
    totals: String,
    /// Bytes of the last milliseconds.
    passed: Vec<u64>,
}

/// The fields of a record beside its halves.
#[derive(Debug)]
#[allow(dead_code, reason = "read through Debug")]
struct Head {
    state: (u8, u8, u8, u8, u8, u8),
    times: [u64; 5],
    icmp: (u8, u8),
    history: (u32, u8, u8, [u8; 16]),
}

impl Head {
    fn of(record: &FlowRecord) -> Self {
        let FlowRecord { ended, client, role_by, last_talker, fragment, app, .. } = *record;
        let FlowRecord { start, syn_time, opened, handshake_server_rtt, handshake_client_rtt, .. } = *record;
        Self {
            state: (ended, client, role_by, last_talker, fragment, app),
            times: [start, syn_time, opened, handshake_server_rtt, handshake_client_rtt],
            icmp: (record.icmp_type, record.icmp_code),
            history: (record.history_seen, record.history_len, record.awaits_ack, record.history),
        }
    }
}

fn note(traces: &mut Traces, slot: u32, record: &FlowRecord) {
    let mut key = String::new();
    let _ = write!(key, "{slot} {:?}", record.key);
    let mut text = format!("{:?}", Head::of(record));
    for half in &record.halves {
        // The counts of all CPUs together: where the test's thread ran when is nobody's business.
        let stamps = (half.first, half.last, half.tcp_flags, half.dscp, half.ecn_ce);
        let _ =
            write!(text, "\n{:?} {stamps:?} {:?} {:?} {:?}", half.volume(), half.tcp, half.quality, half.rtt);
    }
    traces.flows.insert(key, text);
}

/// Keeps this thread on one CPU: each takes free slots from a run of its own, and slots are compared.
fn stay() {
    // SAFETY: integers only, for which zero is a value.
    let mut cpus: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: no arguments.
    let here = unsafe { libc::sched_getcpu() };
    // SAFETY: the set is ours.
    unsafe { libc::CPU_SET(here.unsigned_abs() as usize, &mut cpus) };
    // SAFETY: the set lives through the call.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&cpus), &raw const cpus) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

/// Pushes the frames through both and compares what is left.
fn compare(settings: Settings, frames: impl Iterator<Item = Frame>) {
    compare_at(Hook::Tc, settings, frames);
}

/// The same at a hook. XDP sees each frame as it is, whatever offload says of it.
fn compare_at(hook: Hook, settings: Settings, frames: impl Iterator<Item = Frame>) {
    compare_sparing(hook, settings, Omissions::NONE, frames);
}

/// The same with both sparing the processor.
fn compare_sparing(
    hook: Hook,
    settings: Settings,
    omissions: Omissions,
    frames: impl Iterator<Item = Frame>,
) {
    let Some(mut kernel) = load(settings, hook) else { return };
    stay();
    kernel
        .replay_from(Interface {
            slot: SLOT,
            link: LINK_ETHERNET,
            one_point: 1,
            omissions,
            ..Interface::default()
        })
        .unwrap();
    let mut native = Native::new(settings, FLOWS);
    let (mut of_kernel, mut of_native) = (Traces::default(), Traces::default());
    let (mut run, mut refused, mut last) = (0, 0, 0);
    for (index, frame) in frames.enumerate() {
        let mut offload = Offload { segments: frame.segments, segment_size: frame.segment_size };
        let original_len = u32::try_from(frame.bytes.len()).unwrap();
        let taken = if hook == Hook::Tc {
            kernel.replay(&frame.bytes, original_len, frame.time, offload)
        } else {
            offload = Offload::default();
            kernel.replay_frame(&frame.bytes, frame.time)
        };
        if taken.unwrap().is_err() {
            refused += 1;
            continue;
        }
        run += 1;
        last = frame.time;
        let packet = Captured { data: &frame.bytes, original_len };
        let arrival = Arrival {
            interface: SLOT,
            link: Link::Ethernet,
            hook: Direction::Ingress,
            one_point: true,
            omissions,
            moved_tag: NO_TAG,
            offload,
        };
        native.packet(&packet, arrival, frame.time);
        if index % 1024 == 0 {
            kernel.events(&mut |event, payload| of_kernel.events.push(format!("{event:?} {payload:02x?}")));
            native.events(&mut |event, payload| of_native.events.push(format!("{event:?} {payload:02x?}")));
        }
    }
    kernel.events(&mut |event, payload| of_kernel.events.push(format!("{event:?} {payload:02x?}")));
    native.events(&mut |event, payload| of_native.events.push(format!("{event:?} {payload:02x?}")));
    of_kernel.totals = format!("{:?}", kernel.totals(SLOT).unwrap());
    of_native.totals = format!("{:?}", native.totals(SLOT));
    let from = (last / MILLISECOND + 1).saturating_sub(bins::COUNT as u64);
    of_kernel.passed.resize(bins::COUNT, 0);
    of_native.passed.resize(bins::COUNT, 0);
    assert_eq!(kernel.passed(SLOT, Direction::Ingress, from, &mut of_kernel.passed), 0);
    assert_eq!(native.passed(SLOT, Direction::Ingress, from, &mut of_native.passed), 0);
    assert_eq!(of_kernel.passed, of_native.passed);
    assert!(of_native.passed.iter().any(|bytes| *bytes != 0));
    // Both while live and at the end, as the end changes nothing in a record.
    kernel.sweep_all(None, &mut |slot, record, _| note(&mut of_kernel, slot, record)).unwrap();
    native.sweep(None, &mut |slot, record, _| note(&mut of_native, slot, record));

    assert_eq!(of_kernel.totals, of_native.totals);
    assert_eq!(of_kernel.flows.len(), of_native.flows.len());
    for (key, record) in &of_native.flows {
        assert_eq!(of_kernel.flows.get(key), Some(record), "flow {key}");
    }
    assert_eq!(of_kernel.events.len(), of_native.events.len());
    for (of_kernel, of_native) in of_kernel.events.iter().zip(&of_native.events) {
        assert_eq!(of_kernel, of_native);
    }
    println!(
        "{run} packets alike, {} flows, {} events; {refused} refused",
        of_native.flows.len(),
        of_native.events.len()
    );
    // XDP takes every frame that has a whole Ethernet header.
    assert!(if hook == Hook::Tc { run > refused } else { refused == 0 }, "{hook:?}: {refused} refused");
}

fn settings(decapsulate: u32) -> Settings {
    Settings { packet_time: 1, decapsulate, copies: Apps::ALL, windows: 8, ..Settings::DEFAULT }
}

#[test]
fn a_hundred_thousand_packets() {
    compare(settings(0), Generator::new(0x5eed).take(110_000));
}

/// With all that is copied switched off, nothing is.
#[test]
fn no_copies() {
    compare(Settings { copies: Apps::NONE, ..settings(0) }, Generator::new(0xd5).take(20_000));
}

/// What is left out is the same on both sides, and counted.
#[test]
fn sparing() {
    for (no_copies, untimed) in [(0, 7), (1, 0), (1, 7)] {
        let omissions = Omissions { no_copies, untimed };
        for hook in [Hook::Tc, Hook::Xdp] {
            compare_sparing(hook, settings(0), omissions, Generator::new(0x90).take(20_000));
        }
    }
}

/// At a pace at which a CPU reads the clock for some packets only, with bursts and pauses, both take the same readings.
#[test]
fn reused_times() {
    let settings = Settings { reuse_time: 1, ..settings(0) };
    for hook in [Hook::Tc, Hook::Xdp] {
        let mut pause = 0;
        let frames = Generator::new(0xc10c).take(40_000).enumerate().map(|(index, frame)| {
            pause += if index % 500 == 0 { 3_000_000 } else { 0 };
            Frame { time: 1_700_000_000_000_000_000 + pause + index as u64 * 2_000, ..frame }
        });
        compare_at(hook, settings, frames);
    }
}

#[test]
fn tunnels() {
    compare(settings(u32::MAX), Generator::new(0x7ea).take(60_000));
}

#[test]
fn every_cut_of_every_shape() {
    let frames = Generator::new(1).shapes().into_iter().flat_map(|shape| {
        let len = shape.bytes.len();
        (14..=len).map(move |cut| Frame { bytes: shape.bytes[..cut].to_vec(), ..shape.clone() })
    });
    compare(settings(u32::MAX), frames);
}

#[test]
fn every_byte_of_every_shape_changed() {
    let frames = Generator::new(2).shapes().into_iter().flat_map(|shape| {
        (12..shape.bytes.len().min(140)).flat_map(move |at| {
            let shape = shape.clone();
            [0x00, 0xff, 0x45, shape.bytes[at] ^ 0x80].into_iter().map(move |value| {
                let mut changed = shape.clone();
                changed.bytes[at] = value;
                changed
            })
        })
    });
    compare(settings(u32::MAX), frames);
}
