//! The sinks of one process: who wants what, and which are opened and closed where a configuration changes.

use std::{sync::Arc, thread::JoinHandle, time::Duration};

use tracing::error;

use super::{
    SinkError,
    files::{Files, Rotation},
    sink::{Outcome, Sink},
    spec::Spec,
};
use crate::{
    record::Record,
    telemetry::SinkList,
    threads::{self, Role},
};

/// At the end, an output that has taken nothing for so long is given up, so that the daemon ends within two seconds of
/// a signal also where one is a pipe that nobody reads, and another the flow log's, whose last records are waited for
/// before.
const PATIENCE: Duration = Duration::from_millis(700);

/// Sinks in use.
#[derive(Debug, Default)]
pub struct Sinks {
    sinks: Vec<Sink>,
    /// Those that others have taken the place of, while they write what they still have.
    closing: Vec<JoinHandle<Outcome>>,
}

/// The sinks of a configuration, those that are new opened already, so that nothing can fail any more.
#[derive(Debug, Default)]
pub struct NewSinks(Vec<(Spec, Option<Sink>)>);

/// Opens sinks. Counters go on when a sink is opened anew.
#[derive(Debug)]
pub struct Opener {
    files: Files,
    counters: SinkList,
    patience: Duration,
}

impl Opener {
    /// Opens sinks whose files are rotated like this.
    #[must_use]
    pub fn new(rotation: Rotation, counters: SinkList) -> Self {
        Self { files: Files::new(rotation), counters, patience: PATIENCE }
    }

    /// Waits so long for outputs that take nothing.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Opens every sink of `specs` that is not in `before`.
    ///
    /// # Errors
    /// Names the sink that cannot be opened, and the remedy; then nothing is opened.
    pub fn open(&mut self, specs: &[Spec], before: &[Spec]) -> Result<NewSinks, SinkError> {
        let mut new = Vec::new();
        for spec in specs {
            let sink = if before.contains(spec) { None } else { Some(self.open_one(spec)?) };
            new.push((spec.clone(), sink));
        }
        Ok(NewSinks(new))
    }

    fn open_one(&mut self, spec: &Spec) -> Result<Sink, SinkError> {
        let (format, transport) =
            (spec.scheme.open)(&spec.url, spec.format, &mut self.files).map_err(|source| {
                SinkError::Open {
                    what: spec.what(),
                    target: spec.url.path().unwrap_or_else(|_| spec.url.address()),
                    source,
                    remedy: spec.scheme.remedy,
                }
            })?;
        Sink::start(spec.clone(), format, transport, self.counters.get(&spec.label), self.patience)
    }

    /// Rotates files like this from now on.
    pub fn set_rotation(&self, rotation: Rotation) {
        self.files.set_rotation(rotation);
    }

    /// Opens every file again, as after a rotation by someone else.
    pub fn reopen(&self) {
        self.files.reopen();
    }
}

impl Sinks {
    /// Whether records of this kind are of use to anyone.
    #[must_use]
    pub fn want(&self, kind: &str) -> bool {
        self.sinks.iter().any(|sink| sink.wants(kind))
    }

    fn wanting(&mut self, record: &Record) -> impl Iterator<Item = &mut Sink> {
        let kind = record.kind();
        self.sinks.iter_mut().filter(move |sink| sink.wants(kind))
    }

    /// Queues a record wherever it is wanted; drops and counts it where a queue is full.
    pub fn offer(&mut self, record: &Record) {
        self.wanting(record).for_each(|sink| sink.offer(record));
    }

    /// Queues a record of a burst; where a queue is full, the record waits for the next [`Self::settle`].
    pub fn offer_burst(&mut self, record: &Record) {
        self.wanting(record).for_each(|sink| sink.offer_burst(record));
    }

    /// Queues a record, and waits for a place in each queue whose sink goes on: for where nobody is held up.
    pub fn offer_last(&mut self, record: &Record) {
        self.wanting(record).for_each(|sink| sink.offer_last(record));
    }

    /// Moves records that wait into queues that have room again; true where some still wait.
    pub fn settle(&mut self) -> bool {
        // Every sink, not only up to the first that waits.
        self.sinks.iter_mut().filter_map(|sink| sink.settle().then_some(())).count() > 0
    }

    /// Says that the end is near: transports that fail have one more attempt, at once.
    pub fn begin_end(&self) {
        self.sinks.iter().for_each(Sink::begin_end);
    }

    /// Adds a sink.
    pub fn add(&mut self, sink: Sink) {
        self.sinks.push(sink);
    }

    /// Goes on with these; records that come from now on are theirs.
    pub fn take_over(&mut self, NewSinks(new): NewSinks) {
        self.closing.retain(|closing| !closing.is_finished());
        let mut old = std::mem::take(&mut self.sinks);
        for (spec, sink) in new {
            let kept = old.iter().position(|sink| *sink.spec() == spec);
            match sink.or_else(|| kept.map(|at| old.swap_remove(at))) {
                Some(sink) => self.sinks.push(sink),
                // The one before was opened, or this configuration would not be in force.
                None => error!("{} is not open", spec.label),
            }
        }
        self.closing.extend(old.into_iter().filter_map(close_aside));
    }

    /// Writes what is queued and ends, every sink at the same time, as each that is stuck takes its time to be given
    /// up.
    pub fn close(mut self) -> Vec<Outcome> {
        self.take_over(NewSinks::default());
        let ends = self.closing.into_iter().map(JoinHandle::join);
        ends.filter_map(|end| end.inspect_err(|_| error!("a sink was not written to its end")).ok()).collect()
    }
}

/// Closes a sink without keeping this thread waiting.
fn close_aside(sink: Sink) -> Option<JoinHandle<Outcome>> {
    let label = Arc::clone(&sink.spec().label);
    let thread = threads::start(Role::Log(sink.spec().thread), move || sink.close());
    // Its writer then writes what is queued, and nobody waits for it.
    thread.inspect_err(|problem| error!("cannot wait for the end of {label}: {problem}")).ok()
}
