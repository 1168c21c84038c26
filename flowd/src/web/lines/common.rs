//! What a line of any kind can be chosen by.

use flowd_protocols::record::Head;
use ipnetwork::IpNetwork;

/// The client, and how long the response took.
#[derive(Debug, Default)]
pub(super) struct Common {
    client: Option<IpNetwork>,
    /// Nanoseconds.
    at_least: Option<u64>,
}

impl Common {
    /// Takes a parameter; false where it is none of these.
    ///
    /// # Errors
    /// Names the parameter, its value and what may stand there.
    pub(super) fn take(&mut self, name: &str, value: &str) -> Result<bool, String> {
        let wrong = |allowed: &str| format!("{name}={value}: use {allowed}");
        match name {
            "client" => {
                let net = value.parse();
                self.client = Some(net.map_err(|_| wrong("an address or a net as in 10.0.0.0/8"))?);
            }
            "min_ms" => {
                let ms = value.parse::<f64>().ok().filter(|ms| (0.0..=1e9).contains(ms));
                let ms = ms.ok_or_else(|| wrong("milliseconds, as 250 or 0.5"))?;
                self.at_least = Some((ms * 1e6) as u64);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `took`: nanoseconds until the response began, where one was seen.
    pub(super) fn passes(&self, head: &Head, took: Option<u64>) -> bool {
        self.client.is_none_or(|net| net.contains(head.client.endpoint.address))
            && self.at_least.is_none_or(|least| took.is_some_and(|took| took >= least))
    }
}
