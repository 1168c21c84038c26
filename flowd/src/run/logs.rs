//! The logs of one daemon: opened at the start, and opened anew where a reload changes one.

use std::sync::{Arc, LazyLock};

use flow_common::app::App;
use flowd_protocols::{PROTOCOLS, Switch};
use tracing::error;

use crate::{
    config::{Config, LogFormat},
    export::log::{self, Closing, Format, LogError, LogSink, Outlets, Rotation},
    pipeline::Record,
    telemetry::SinkCounters,
};

/// A log that the configuration knows by a key of its own.
struct Known {
    /// Of its records.
    kind: &'static str,
    /// In metrics and messages.
    name: String,
    key: Key,
}

/// What names a log's outputs.
enum Key {
    HttpLog,
    FlowLog,
    /// `log` in the table of a protocol.
    Of(App),
}

/// HTTP, flows, and every protocol whose table has a log.
static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let known = |kind, key| Known { kind, name: format!("{kind}_log"), key };
    let protocols = PROTOCOLS.iter().filter(|protocol| protocol.switch == Switch::Table);
    let protocols = protocols.map(|protocol| known(protocol.app.name(), Key::Of(protocol.app)));
    [known("http", Key::HttpLog), known("flow", Key::FlowLog)].into_iter().chain(protocols).collect()
});

impl Known {
    fn outputs<'a>(&self, config: &'a Config) -> &'a [String] {
        match self.key {
            Key::HttpLog => config.http_log.paths(),
            Key::FlowLog => config.flow_log.paths(),
            Key::Of(app) => config.protocols.get(app).map_or(&[], |protocol| protocol.log.paths()),
        }
    }

    fn format(&self, config: &Config) -> Format<Record> {
        match (&self.key, config.http_log_format) {
            (Key::HttpLog, LogFormat::Common) => log::access::common,
            (Key::HttpLog, LogFormat::Combined) => log::access::combined,
            (Key::HttpLog, LogFormat::Json) | (Key::FlowLog | Key::Of(_), _) => log::json,
        }
    }
}

/// Logs in use, in the order of [`KNOWN`].
pub(super) struct Logs {
    sinks: Vec<Option<LogSink<Record>>>,
    /// Those that others have taken the place of, while they write what they still have.
    closing: Vec<Closing>,
}

impl Default for Logs {
    fn default() -> Self {
        Self { sinks: KNOWN.iter().map(|_| None).collect(), closing: Vec::new() }
    }
}

/// What becomes of a log.
enum Next {
    /// It goes on.
    Same,
    /// From now on this one, if any.
    New(Option<LogSink<Record>>),
}

/// What becomes of each log: opened already, so that nothing can fail any more.
pub(super) struct NewLogs(Vec<Next>);

/// Opens logs. Their counters go on when a log is opened anew.
pub(super) struct Opener {
    outlets: Outlets,
    counters: Vec<Arc<SinkCounters>>,
}

impl Opener {
    pub(super) fn new(config: &Config) -> Self {
        let counters = KNOWN.iter().map(|known| SinkCounters::new(&known.name)).collect();
        Self { outlets: Outlets::new(rotation(config)), counters }
    }

    pub(super) fn counters(&self) -> Vec<Arc<SinkCounters>> {
        self.counters.clone()
    }

    /// Opens every log of `config` that is another than in `before`.
    pub(super) fn open(&mut self, config: &Config, before: Option<&Config>) -> Result<NewLogs, LogError> {
        let before = before.filter(|before| before.log_queue == config.log_queue);
        let mut new: Vec<Next> = KNOWN.iter().map(|_| Next::Same).collect();
        for ((known, counters), next) in KNOWN.iter().zip(&self.counters).zip(&mut new) {
            let outputs = known.outputs(config);
            let is_same = before.is_some_and(|before| {
                let same_format = known.kind != "http" || before.http_log_format == config.http_log_format;
                known.outputs(before) == outputs && same_format
            });
            if is_same {
                continue;
            }
            let queue = config.log_queue as usize;
            let open =
                |outlets| LogSink::open(outlets, outputs, known.format(config), queue, Arc::clone(counters));
            *next = Next::New(if outputs.is_empty() { None } else { Some(open(&mut self.outlets)?) });
        }
        Ok(NewLogs(new))
    }

    /// Says that what was opened last is in use, with the rotation of its configuration.
    pub(super) fn settle(&self, config: &Config) {
        self.outlets.set_rotation(rotation(config));
    }

    /// Opens every file again, as after a rotation by someone else.
    pub(super) fn reopen(&self) {
        self.outlets.reopen();
    }
}

impl Logs {
    /// The log of records of this kind, where there is one.
    pub(super) fn of(&mut self, kind: &str) -> Option<&mut LogSink<Record>> {
        let at = KNOWN.iter().position(|known| known.kind == kind)?;
        self.sinks.get_mut(at)?.as_mut()
    }

    /// Has records of this kind go to `sink`.
    #[cfg(test)]
    pub(super) fn set(&mut self, kind: &str, sink: LogSink<Record>) {
        let at = KNOWN.iter().position(|known| known.kind == kind).unwrap();
        self.sinks[at] = Some(sink);
    }

    /// Goes on with these; lines that come from now on are theirs.
    pub(super) fn take_over(&mut self, NewLogs(new): NewLogs) {
        self.closing.retain(|closing| !closing.is_done());
        for (sink, next) in self.sinks.iter_mut().zip(new) {
            self.closing.extend(replace(sink, next));
        }
    }

    /// Writes what is queued and ends, every log at the same time.
    pub(super) fn close(mut self) {
        self.take_over(NewLogs(KNOWN.iter().map(|_| Next::New(None)).collect()));
        self.closing.into_iter().for_each(Closing::join);
    }
}

fn rotation(config: &Config) -> Rotation {
    Rotation { max_size: config.log_max_size.0, keep: config.log_keep }
}

/// Gives back the end of what was there.
fn replace(log: &mut Option<LogSink<Record>>, next: Next) -> Option<Closing> {
    let Next::New(next) = next else { return None };
    let old = std::mem::replace(log, next)?;
    old.close_aside().inspect_err(|problem| error!("{problem}; its last lines may be lost")).ok()
}
