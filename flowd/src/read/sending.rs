//! Records of a capture to sinks.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::{
    config::Config,
    pipeline::Record,
    sinks::{Opener, Outcome, Sinks, files::Rotation},
    telemetry::SinkList,
};

/// How long an output may take nothing before it is given up. Nobody is held up here but the reading itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// The sinks of one reading. It goes at their pace: no queue overflows.
pub(super) struct Sending(Sinks);

impl Sending {
    /// Opens every sink of `config`.
    pub(super) fn new(config: &Config) -> Result<Self> {
        let mut opener = Opener::new(Rotation::default(), SinkList::default()).patient(PATIENCE);
        let mut sinks = Sinks::default();
        sinks.take_over(opener.open(&config.sinks("command line")?, &[])?);
        Ok(Self(sinks))
    }

    /// Whether records of this kind go anywhere.
    pub(super) fn wants(&self, kind: &str) -> bool {
        self.0.want(kind)
    }

    /// Hands on a record, and waits where a queue is full.
    pub(super) fn record(&mut self, record: &Record) {
        self.0.offer_last(record);
    }

    /// Ends every sink.
    ///
    /// # Errors
    /// Names those that did not take all records, and why.
    pub(super) fn finish(self) -> Result<()> {
        let failed: Vec<String> = self.0.close().iter().filter(|end| end.lost > 0).map(told).collect();
        if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("; ")) }
    }
}

fn told(end: &Outcome) -> String {
    let Outcome { label, lost, problem } = end;
    let why = problem.as_deref().unwrap_or("it stopped taking them");
    format!("{label}: {lost} records were not written: {why}")
}
