//! The limits of every setting.

use std::ops::RangeInclusive;

use flow_common::{event::MAX_PAYLOAD, key::TunnelKind};
use globset::Glob;

use super::{Config, ConfigError, Size, Span, decapsulate, range::within};
use crate::interfaces;

const FLOWS: RangeInclusive<u32> = 1_024..=4_194_304;
const INTERVAL: RangeInclusive<Span> = Span::millis(100)..=Span::seconds(3_600);
const EVENT_INTERVAL: RangeInclusive<Span> = Span::millis(10)..=Span::seconds(10);
const TIMEOUT: RangeInclusive<Span> = Span::seconds(1)..=Span::seconds(86_400);
const EVENT_BUFFER: RangeInclusive<Size> = Size(64 << 10)..=Size(1 << 30);
const LOG_QUEUE: RangeInclusive<u32> = 16..=1_048_576;
const LOG_SIZE: RangeInclusive<Size> = Size(64 << 10)..=Size(1 << 40);
const LOG_AGE: RangeInclusive<Span> = Span::seconds(60)..=Span::seconds(10 * 366 * 86_400);
const LOG_KEEP: RangeInclusive<u32> = 1..=1_000;
const API_LINES: RangeInclusive<u32> = 0..=65_536;
/// Well below the connections that the web server takes, so that scrapes find a place.
const API_STREAMS: RangeInclusive<u32> = 0..=128;

impl Config {
    /// Checks every value against its limits; `origin` is where the values came from.
    ///
    /// # Errors
    /// Names the origin, the key, its value and what may stand there.
    pub fn validate(&self, origin: &str) -> Result<(), ConfigError> {
        within(origin, "interval", self.interval, INTERVAL)?;
        within(origin, "event_interval", self.event_interval, EVENT_INTERVAL)?;
        within(origin, "head_bytes", self.head_bytes, 0..=MAX_PAYLOAD as u32)?;
        within(origin, "flows", self.flows, FLOWS)?;
        within(origin, "log_queue", self.log_queue, LOG_QUEUE)?;
        within(origin, "event_buffer", self.event_buffer, EVENT_BUFFER)?;
        within(origin, "log_keep", self.log_keep, LOG_KEEP)?;
        // 0 is outside of what makes sense as a size: it means off.
        if self.log_max_size.0 != 0 {
            within(origin, "log_max_size", self.log_max_size, LOG_SIZE)?;
        }
        if !self.log_max_age.0.is_zero() {
            within(origin, "log_max_age", self.log_max_age, LOG_AGE)?;
        }
        within(origin, "api.http_lines", self.api.http_lines, API_LINES)?;
        within(origin, "api.request_lines", self.api.request_lines, API_LINES)?;
        within(origin, "api.streams", self.api.streams, API_STREAMS)?;
        self.zones.validate(origin)?;
        self.series.validate(origin)?;
        self.capacity.validate(origin)?;
        let timeouts = &self.timeouts;
        for (key, value) in [
            ("timeouts.active", timeouts.active),
            ("timeouts.tcp_established", timeouts.tcp_established),
            ("timeouts.tcp_half_open", timeouts.tcp_half_open),
            ("timeouts.tcp_closed", timeouts.tcp_closed),
            ("timeouts.udp", timeouts.udp),
            ("timeouts.icmp", timeouts.icmp),
            ("timeouts.other", timeouts.other),
        ] {
            within(origin, key, value, TIMEOUT)?;
        }
        self.protocols.validate(origin)?;
        let fail = |key: &str, value: String, remedy: String| Err(fault(origin, key, value, remedy));
        if !self.event_buffer.0.is_power_of_two() {
            let remedy = "the kernel takes only powers of two, as in \"2MiB\"".to_owned();
            return fail("event_buffer", self.event_buffer.to_string(), remedy);
        }
        for (key, log) in self.logs() {
            if let Some(path) = log.mistake() {
                return fail(
                    &key,
                    format!("\"{path}\""),
                    "name each path once, and none that is empty".to_owned(),
                );
            }
        }
        for sink in &self.sink {
            if sink.queue != 0 {
                within(origin, "sink.queue", sink.queue, LOG_QUEUE)?;
            }
        }
        self.sinks(origin)?;
        self.check_web(origin)?;
        for pattern in &self.interfaces {
            if let Err(error) = Glob::new(interfaces::pattern(pattern).0) {
                let remedy =
                    format!("not a pattern ({}); write as in \"eth*\" or \"!docker*\"", error.kind());
                return fail("interfaces", format!("\"{pattern}\""), remedy);
            }
        }
        if let Err(name) = decapsulate(&self.decapsulate) {
            let known = TunnelKind::ALL.map(TunnelKind::name).join(", ");
            return fail("decapsulate", format!("\"{name}\""), format!("use all, or some of {known}"));
        }
        Ok(())
    }

    fn check_web(&self, origin: &str) -> Result<(), ConfigError> {
        let web = &self.web;
        let half = match (web.tls_certificate.is_empty(), web.tls_key.is_empty()) {
            (false, true) => Some(("web.tls_key", &web.tls_key)),
            (true, false) => Some(("web.tls_certificate", &web.tls_certificate)),
            _ => None,
        };
        if let Some((key, value)) = half {
            let remedy = "TLS takes both a certificate and its key".to_owned();
            return Err(fault(origin, key, format!("\"{value}\""), remedy));
        }
        if let Some(name) = web.wrong_host() {
            let remedy =
                "write the name alone, as in \"flowd.example.org\", without scheme and port".to_owned();
            return Err(fault(origin, "web.hosts", format!("{name:?}"), remedy));
        }
        Ok(())
    }
}

fn fault(origin: &str, key: &str, value: String, remedy: String) -> ConfigError {
    ConfigError::Value { origin: origin.to_owned(), key: key.to_owned().into(), value, remedy }
}
