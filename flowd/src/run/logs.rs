//! The logs of one daemon: opened at the start, and opened anew where a reload changes one.

use std::sync::Arc;

use tracing::error;

use crate::{
    config::{Config, LogFormat, Outputs},
    export::log::{self, Closing, Format, LogError, LogSink, Outlets, Rotation},
    flow::Flow,
    protocol::{dns::DnsExchange, http::HttpExchange, tls::TlsHandshake},
    telemetry::SinkCounters,
};

/// Logs in use.
#[derive(Default)]
pub(super) struct Logs {
    pub(super) http: Option<LogSink<HttpExchange>>,
    pub(super) flow: Option<LogSink<Flow>>,
    pub(super) dns: Option<LogSink<DnsExchange>>,
    pub(super) tls: Option<LogSink<TlsHandshake>>,
    /// Those that others have taken the place of, while they write what they still have.
    closing: Vec<Closing>,
}

/// What becomes of a log.
enum Next<T> {
    /// It goes on.
    Same,
    /// From now on this one, if any.
    New(Option<LogSink<T>>),
}

/// What becomes of each log: opened already, so that nothing can fail any more.
pub(super) struct NewLogs {
    http: Next<HttpExchange>,
    flow: Next<Flow>,
    dns: Next<DnsExchange>,
    tls: Next<TlsHandshake>,
}

/// Opens logs. Their counters go on when a log is opened anew.
pub(super) struct Opener {
    outlets: Outlets,
    counters: [Arc<SinkCounters>; 4],
}

impl Opener {
    pub(super) fn new(config: &Config) -> Self {
        let counters = ["http_log", "flow_log", "dns_log", "tls_log"].map(SinkCounters::new);
        Self { outlets: Outlets::new(rotation(config)), counters }
    }

    pub(super) fn counters(&self) -> Vec<Arc<SinkCounters>> {
        self.counters.to_vec()
    }

    /// Opens every log of `config` that is another than in `before`.
    pub(super) fn open(&mut self, config: &Config, before: Option<&Config>) -> Result<NewLogs, LogError> {
        let before = before.filter(|before| before.log_queue == config.log_queue);
        let queue = config.log_queue as usize;
        let same = |of: fn(&Config) -> &Outputs| before.is_some_and(|before| of(before) == of(config));
        let same_format = before.is_some_and(|before| before.http_log_format == config.http_log_format);
        let [http, flow, dns, tls] = &self.counters;
        let outlets = &mut self.outlets;
        let same_http = same(|config| &config.http_log) && same_format;
        let http_format = http_format(config.http_log_format);
        Ok(NewLogs {
            http: next(outlets, same_http, &config.http_log, http_format, queue, http)?,
            flow: next(outlets, same(|config| &config.flow_log), &config.flow_log, log::json, queue, flow)?,
            dns: next(outlets, same(|config| &config.dns.log), &config.dns.log, log::json, queue, dns)?,
            tls: next(outlets, same(|config| &config.tls.log), &config.tls.log, log::json, queue, tls)?,
        })
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
    /// Goes on with these; lines that come from now on are theirs.
    pub(super) fn take_over(&mut self, new: NewLogs) {
        let Self { http, flow, dns, tls, closing } = self;
        closing.retain(|closing| !closing.is_done());
        let old =
            [replace(http, new.http), replace(flow, new.flow), replace(dns, new.dns), replace(tls, new.tls)];
        closing.extend(old.into_iter().flatten());
    }

    /// Writes what is queued and ends, every log at the same time.
    pub(super) fn close(mut self) {
        let (http, flow, dns, tls) = (Next::New(None), Next::New(None), Next::New(None), Next::New(None));
        self.take_over(NewLogs { http, flow, dns, tls });
        self.closing.into_iter().for_each(Closing::join);
    }
}

fn rotation(config: &Config) -> Rotation {
    Rotation { max_size: config.log_max_size.0, keep: config.log_keep }
}

fn next<T: Send + Sync + 'static>(
    outlets: &mut Outlets,
    same: bool,
    outputs: &Outputs,
    format: Format<T>,
    queue: usize,
    counters: &Arc<SinkCounters>,
) -> Result<Next<T>, LogError> {
    if same {
        return Ok(Next::Same);
    }
    if outputs.paths().is_empty() {
        return Ok(Next::New(None));
    }
    LogSink::open(outlets, outputs.paths(), format, queue, Arc::clone(counters))
        .map(|sink| Next::New(Some(sink)))
}

/// Gives back the end of what was there.
fn replace<T: Send + Sync + 'static>(log: &mut Option<LogSink<T>>, next: Next<T>) -> Option<Closing> {
    let Next::New(next) = next else { return None };
    let old = std::mem::replace(log, next)?;
    old.close_aside().inspect_err(|problem| error!("{problem}; its last lines may be lost")).ok()
}

const fn http_format(format: LogFormat) -> Format<HttpExchange> {
    match format {
        LogFormat::Json => log::json,
        LogFormat::Common => log::access::common,
        LogFormat::Combined => log::access::combined,
    }
}
