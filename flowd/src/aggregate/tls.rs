//! TLS handshakes by version. The label values are a closed set, so that there is nothing to limit.

use crate::protocol::tls::{
    TlsHandshake, TlsLosses, TlsOutcome,
    words::{VERSIONS, version},
};

/// Rows beside the known versions: a version without a name, and no version as the server did not choose one.
const BESIDE: [&str; 2] = ["other", "none"];

const ROWS: usize = VERSIONS.len() + BESIDE.len();

/// What was counted of TLS.
#[derive(Clone, Copy, Debug, Default)]
pub struct TlsNumbers {
    counts: [u64; ROWS],
    pub losses: TlsLosses,
}

impl TlsNumbers {
    /// Counts one handshake.
    pub fn record(&mut self, handshake: &TlsHandshake) {
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
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Self::names().zip(self.counts)
    }

    fn names() -> impl Iterator<Item = &'static str> {
        VERSIONS.iter().map(|(_, name)| *name).chain(BESIDE)
    }
}
