//! TLS handshakes by version. The label values are a closed set, so that there is nothing to limit.

use std::sync::Arc;

use flowd_numbers::{Class, Exposition, Family, counter, show};

use super::{
    TlsHandshake, TlsOutcome,
    iana::{VERSIONS, version},
};
use crate::{
    protocol::{ProtocolNumbers, Shown},
    record::AppRecord,
};

/// Rows beside the known versions: a version without a name, and no version as the server did not choose one.
const BESIDE: [&str; 2] = ["other", "none"];

const ROWS: usize = VERSIONS.len() + BESIDE.len();

/// What TLS adds to `/metrics`.
#[rustfmt::skip]
pub static FAMILIES: &[Family<TlsNumbers>] = &[
    counter("flowd_tls_handshakes", &["version"], Class::Fixed, "TLS handshakes by the version that the server chose, none where it did not answer.",
        |tls, rows| tls.rows().for_each(|(version, count)| rows.counter(&[version], count))),
    counter("flowd_tls_dropped", &["reason"], Class::Fixed, "Copies without a TLS hello that can be read, and handshakes given up as the table was full.",
        |tls, rows| tls.losses.iter().for_each(|(reason, count)| rows.counter(&[reason], *count))),
];

/// What was counted of TLS.
#[derive(Clone, Debug, Default)]
pub struct TlsNumbers {
    counts: [u64; ROWS],
    losses: Vec<(&'static str, u64)>,
}

impl TlsNumbers {
    /// Counts one handshake.
    fn count(&mut self, handshake: &TlsHandshake) {
        let answered = matches!(handshake.outcome, TlsOutcome::Complete | TlsOutcome::NoClientHello);
        let label = match handshake.version.filter(|_| answered) {
            Some(number) => version(number).unwrap_or("other"),
            None => "none",
        };
        for (name, count) in Self::names().zip(&mut self.counts) {
            *count += u64::from(name == label);
        }
    }

    /// Versions and how many handshakes chose them.
    fn rows(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Self::names().zip(self.counts)
    }

    fn names() -> impl Iterator<Item = &'static str> {
        VERSIONS.iter().map(|(_, name)| *name).chain(BESIDE)
    }
}

impl ProtocolNumbers for TlsNumbers {
    fn record(&mut self, record: &dyn AppRecord) {
        if let Some(handshake) = record.get() {
            self.count(handshake);
        }
    }

    fn set_losses(&mut self, losses: &[(&'static str, u64)]) {
        self.losses = losses.to_vec();
    }

    fn published(&self) -> Arc<dyn Shown> {
        Arc::new(self.clone())
    }
}

impl Shown for TlsNumbers {
    fn show(&self, to: &mut dyn Exposition) {
        show(FAMILIES, self, |meta| meta.labels.to_vec(), to);
    }
}
