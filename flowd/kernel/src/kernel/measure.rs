//! What the programs come to, and what they cost: for benches and `cargo xtask verify`.

use std::time::{Duration, Instant};

use aya::{
    maps::ProgramArray,
    programs::{ProgramError, ProgramFd, ProgramInfo, TcAttachType, TestRun as _, TestRunOptions},
};
use flow_common::names::{self, vary};

use super::Kernel;
use crate::{
    KernelError,
    object::{self, maps, options::LoadOptions, programs, xdp},
    test_run::{self, LONGEST, LOOPBACK, skb::SkBuff},
};

/// The shipped programs, and those that measure them.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/flowd-ebpf-measure"));

/// A program as the kernel took it.
#[derive(Clone, Debug)]
pub struct ProgramFacts {
    pub name: &'static str,
    /// After the kernel's rewriting, the steps that it calls included.
    pub instructions: u32,
    /// Instructions that the verifier walked; `None` before Linux 5.16.
    pub verified: Option<u32>,
    /// How long the verifier and the compiler of the kernel took.
    pub load: Duration,
}

impl ProgramFacts {
    fn of(name: &'static str, info: &ProgramInfo, load: Duration) -> Self {
        let instructions = info.size_translated().unwrap_or(0) / 8;
        Self { name, instructions, verified: info.verified_instruction_count(), load }
    }
}

/// A program that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// Does nothing: what a test run costs.
    Empty,
    /// Reads the headers.
    ParseOnly,
    /// The plainest flow counter: headers, one hash, two counters.
    Plain,
    /// Work of the same kinds without any of flowd's code: how fast the machine is.
    Yardstick,
    /// The ingress program, with all it does.
    Ingress,
}

/// How a packet changes from one repetition to the next, so that each is what the shape says. All but
/// [`Vary::Same`] go by a program of their own, whose cost the empty program shows when it is measured alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vary {
    /// Not at all.
    Same,
    /// The next segment of the same sender.
    Next,
    /// The next acknowledgement.
    Acknowledge,
    /// The answer of the other side, which acknowledges all.
    Turn,
    /// Another of a million source addresses.
    Flow,
    /// Either side of another of 131,072 connections.
    Connection,
}

impl Vary {
    const fn mark(self) -> u32 {
        match self {
            Self::Same => 0,
            Self::Next => vary::NEXT,
            Self::Acknowledge => vary::ACKNOWLEDGE,
            Self::Turn => vary::TURN,
            Self::Flow => vary::FLOW,
            Self::Connection => vary::CONNECTION,
        }
    }
}

/// A frame and how it goes on. The transport header's offset is below 128.
#[derive(Clone, Debug)]
pub struct Stream {
    pub frame: Vec<u8>,
    pub vary: Vary,
    pub transport_offset: u32,
    pub payload_len: u32,
}

impl Kernel {
    /// [`Kernel::load`], with the programs for measuring beside the others: what [`Kernel::measure`] and
    /// [`Kernel::attach_measured`] need.
    ///
    /// # Errors
    /// As for [`Kernel::load`].
    pub fn load_to_measure(options: &LoadOptions) -> Result<Self, KernelError> {
        Self::load_from(OBJECT, options)
    }

    /// Loads every program of flowd's by itself, in small tables, and says what it came to.
    ///
    /// # Errors
    /// As for [`Kernel::load`].
    pub fn facts(options: &LoadOptions) -> Result<Vec<ProgramFacts>, KernelError> {
        let mut facts = Vec::new();
        for decapsulate in [0, u32::MAX] {
            let mut options = options.clone();
            options.settings.decapsulate = decapsulate;
            let mut bpf = maps::open(object::OBJECT, &options)?;
            for name in programs::programs(&options.settings) {
                let program = programs::program(&mut bpf, name)?;
                let start = Instant::now();
                program.load().map_err(|error| KernelError::program(name, &error))?;
                let load = start.elapsed();
                let info = program.info().map_err(|error| KernelError::program(name, &error))?;
                facts.push(ProgramFacts::of(name, &info, load));
            }
            for name in xdp::candidates(&options.settings, true).iter().rev() {
                let program = xdp::program(&mut bpf, name)?;
                let start = Instant::now();
                program.load().map_err(|error| KernelError::program(name, &error))?;
                let load = start.elapsed();
                let info = program.info().map_err(|error| KernelError::program(name, &error))?;
                facts.push(ProgramFacts::of(name, &info, load));
            }
        }
        Ok(facts)
    }

    /// Time per run of `measured` over `repeat` packets of a stream, which goes on where it stopped. Frames belong
    /// to the interface that [`Kernel::replay_from`] named.
    ///
    /// # Errors
    /// The programs for measuring cannot be loaded, or the kernel refuses the frame.
    pub fn measure(
        &mut self,
        measured: Measured,
        stream: &mut Stream,
        repeat: u32,
    ) -> Result<Duration, KernelError> {
        let target = self.name(measured);
        self.load_once(target)?;
        let name = if stream.vary == Vary::Same {
            target
        } else {
            self.load_once(names::PROGRAM_VARY)?;
            self.go_on_to(target)?;
            names::PROGRAM_VARY
        };
        let context = SkBuff {
            ifindex: LOOPBACK,
            mark: stream.vary.mark(),
            cb: [stream.payload_len << 8 | stream.transport_offset, 0, 0, 0, 0],
            ..SkBuff::default()
        };
        let mut after = vec![0; LONGEST];
        let options = TestRunOptions {
            data_in: Some(&stream.frame),
            data_out: Some(&mut after),
            ctx_in: Some(context.bytes()),
            repeat,
            ..TestRunOptions::new()
        };
        let result = programs::program(&mut self.bpf, name)?
            .test_run(options)
            .map_err(|error| KernelError::Replay { detail: error.to_string() })?;
        after.truncate(result.data_size_out as usize);
        stream.frame = after;
        Ok(result.duration)
    }

    /// [`Kernel::measure`] of the empty program of XDP, or of the one for frames that was loaded. Packets stay as they
    /// are, or vary as with [`Vary::Next`] or [`Vary::Acknowledge`].
    ///
    /// # Errors
    /// As for [`Kernel::measure`].
    pub fn measure_frames(
        &mut self,
        empty: bool,
        stream: &mut Stream,
        repeat: u32,
    ) -> Result<Duration, KernelError> {
        let target = if empty { names::PROGRAM_XDP_EMPTY } else { self.programs[0] };
        for name in [target, names::PROGRAM_XDP_VARY] {
            let program = xdp::program(&mut self.bpf, name)?;
            if program.fd().is_err() {
                program.load().map_err(|error| KernelError::program(name, &error))?;
            }
        }
        let name = if stream.vary == Vary::Same { target } else { names::PROGRAM_XDP_VARY };
        let fd = xdp::program(&mut self.bpf, target)?.fd().and_then(|fd| fd.try_clone().map_err(Into::into));
        self.set_target(names::MAP_MEASURED_FRAMES, target, fd)?;
        let meta = u64::from(stream.payload_len) << 32
            | u64::from(stream.transport_offset) << 16
            | u64::from(stream.vary.mark());
        test_run::xdp::run(xdp::program(&mut self.bpf, name)?, &mut stream.frame, meta, repeat)
            .map_err(|error| KernelError::Replay { detail: error.to_string() })
    }

    /// Attaches a program to both directions of an interface of this thread's network namespace, to see what live traffic
    /// costs with it. [`Measured::Ingress`] counts nothing there, as no interface has a slot.
    ///
    /// # Errors
    /// As for [`Kernel::attach`].
    pub fn attach_measured(&mut self, measured: Measured, interface: &str) -> Result<(), KernelError> {
        let name = self.name(measured);
        self.load_once(name)?;
        for at in [TcAttachType::Ingress, TcAttachType::Egress] {
            self.attach_nameless(name, interface, at)?;
        }
        Ok(())
    }

    /// Attaches a program for measuring, which nobody is told of.
    fn attach_nameless(
        &mut self,
        program: &str,
        interface: &str,
        at: TcAttachType,
    ) -> Result<(), KernelError> {
        let program = programs::program(&mut self.bpf, program)?;
        program.attach(interface, at).map_err(|error| KernelError::attach(interface, &error))?;
        Ok(())
    }

    const fn name(&self, measured: Measured) -> &'static str {
        match measured {
            Measured::Empty => names::PROGRAM_EMPTY,
            Measured::ParseOnly => names::PROGRAM_PARSE_ONLY,
            Measured::Plain => names::PROGRAM_PLAIN,
            Measured::Yardstick => names::PROGRAM_YARDSTICK,
            Measured::Ingress => programs::programs(&self.settings)[0],
        }
    }

    fn load_once(&mut self, name: &str) -> Result<(), KernelError> {
        let program = programs::program(&mut self.bpf, name)?;
        if program.fd().is_ok() {
            return Ok(());
        }
        program.load().map_err(|error| KernelError::program(name, &error))
    }

    fn go_on_to(&mut self, name: &str) -> Result<(), KernelError> {
        let target = programs::program(&mut self.bpf, name)?;
        let target = target.fd().and_then(|fd| fd.try_clone().map_err(Into::into));
        self.set_target(names::MAP_MEASURED, name, target)
    }

    fn set_target(
        &mut self,
        map: &'static str,
        name: &str,
        target: Result<ProgramFd, ProgramError>,
    ) -> Result<(), KernelError> {
        let failed = |error: &aya::maps::MapError| KernelError::map(map, error);
        let missing = || KernelError::Object { detail: format!("it has no map {map}") };
        let target = target.map_err(|error| KernelError::program(name, &error))?;
        let map = self.bpf.map_mut(map).ok_or_else(missing)?;
        let mut map = ProgramArray::try_from(map).map_err(|error| failed(&error))?;
        map.set(0, &target, 0).map_err(|error| failed(&error))
    }
}
