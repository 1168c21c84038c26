//! Every setting, its default and its limits. The same names stand in `config/flowd.toml`.

mod api;
mod attach;
mod capacity;
mod check;
mod error;
mod governor;
mod keys;
mod load;
mod needs;
mod outputs;
mod protocols;
mod range;
mod renew;
mod security;
mod series;
mod sink_table;
mod sinks;
mod units;
mod web;
mod zones;

use std::{fmt, net::SocketAddr, str::FromStr};

pub use api::Api;
pub use attach::{Hook, Order, XdpMode};
pub use capacity::{Capacity, Rate, Share};
pub use error::{ConfigError, Place};
use flow_common::{app::Apps, key::TunnelKind, names, settings::Settings};
use flowd_protocols::Options;
pub use governor::{Budget, Governor};
pub use outputs::Outputs;
pub use protocols::{ProtocolTable, Protocols};
pub use security::Security;
use serde::{Deserialize, Serialize};
pub use series::{BUDGETS, FlowLabel, Series};
pub use sink_table::SinkConfig;
pub use sinks::log_names;
pub use units::{Size, Span};
pub use web::Web;
pub use zones::{BUILT_IN as BUILT_IN_ZONES, Net, Zones};

/// The daemon's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Patterns of interfaces to watch, and with `!` before them of those to leave out; without a pattern to
    /// watch: those that hold a default route.
    pub interfaces: Vec<String>,
    /// Address of /metrics and the API.
    pub listen: SocketAddr,
    /// Time between two drains of the flow table.
    pub interval: Span,
    /// Where the HTTP log goes.
    pub http_log: Outputs,
    /// How its lines look.
    pub http_log_format: LogFormat,
    /// Where the flow log goes.
    pub flow_log: Outputs,
    /// Bytes after which a log file is renamed and begun anew; 0: never.
    pub log_max_size: Size,
    /// Age at which the same is done, and earlier files are removed; 0: never.
    pub log_max_age: Span,
    /// Renamed files that are kept of each log file.
    pub log_keep: u32,
    /// Lines that wait for a log at most.
    pub log_queue: u32,
    /// What the HTTP log keeps of a query string.
    pub query: Query,
    /// What records keep of statements, and of operations that are in no protocol's list.
    pub statements: Statements,
    /// Bytes of an HTTP head that are copied at most.
    pub head_bytes: u32,
    /// Bytes of the buffer for copied heads.
    pub event_buffer: Size,
    /// Time between two looks at that buffer.
    pub event_interval: Span,
    /// By which of the kernel's hooks packets are seen.
    pub hook: Hook,
    /// Who runs the program of XDP.
    pub xdp_mode: XdpMode,
    /// Where they stand among the programs of others there.
    pub order: Order,
    /// Flows that fit into the table.
    pub flows: u32,
    /// Tunnels whose inner packets are flows of their own, or `all`.
    pub decapsulate: Vec<String>,
    /// Whether packets of different VLANs may belong to one conversation.
    pub ignore_vlan: bool,
    /// The tables of protocols.
    #[serde(flatten, skip_deserializing)]
    pub protocols: Protocols,
    /// What the API keeps.
    pub api: Api,
    /// Who may ask the web server.
    pub web: Web,
    /// What the daemon gives up.
    pub security: Security,
    /// When flows end.
    pub timeouts: Timeouts,
    /// Names of nets.
    pub zones: Zones,
    /// The budget of metric series.
    pub series: Series,
    /// How full links are.
    pub capacity: Capacity,
    /// What the daemon may cost.
    pub governor: Governor,
    /// Where records go beside the logs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sink: Vec<SinkConfig>,
}

/// How long a flow may be quiet, and how long one line of the flow log may cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    pub active: Span,
    pub tcp_established: Span,
    pub tcp_half_open: Span,
    pub tcp_closed: Span,
    pub udp: Span,
    pub icmp: Span,
    pub other: Span,
}

/// What logs keep of a URL's query string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Query {
    /// Nothing.
    #[default]
    Drop,
    /// The parameters' names.
    Keys,
    /// All of it.
    Keep,
}

/// What records keep of statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statements {
    /// Nothing.
    #[default]
    Drop,
    /// The statement with `?` in place of each literal.
    Normalized,
    /// All of it.
    Keep,
}

/// How the lines of the HTTP log look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// JSON objects.
    #[default]
    Json,
    /// Common Log Format.
    Common,
    /// The same with referrer and user agent.
    Combined,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 9435)),
            interval: Span::seconds(10),
            http_log: Outputs::default(),
            http_log_format: LogFormat::Json,
            flow_log: Outputs::default(),
            log_max_size: Size(100 << 20),
            log_max_age: Span::seconds(30 * 86_400),
            log_keep: 5,
            log_queue: 16_384,
            query: Query::Drop,
            statements: Statements::Drop,
            head_bytes: Settings::DEFAULT.head_bytes,
            event_buffer: Size(u64::from(names::DEFAULT_EVENT_BYTES)),
            event_interval: Span::millis(100),
            hook: Hook::Auto,
            xdp_mode: XdpMode::Auto,
            order: Order::First,
            flows: names::DEFAULT_FLOWS,
            decapsulate: Vec::new(),
            ignore_vlan: false,
            protocols: Protocols::default(),
            api: Api::default(),
            web: Web::default(),
            security: Security::default(),
            timeouts: Timeouts::default(),
            zones: Zones::default(),
            series: Series::default(),
            capacity: Capacity::default(),
            governor: Governor::default(),
            sink: Vec::new(),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        let ns = |ns: u64| Span::millis(ns / 1_000_000);
        let settings = Settings::DEFAULT;
        Self {
            active: Span::seconds(60),
            tcp_established: ns(settings.idle_tcp_established),
            tcp_half_open: ns(settings.idle_tcp_half_open),
            tcp_closed: ns(settings.idle_tcp_closed),
            udp: ns(settings.idle_udp),
            icmp: ns(settings.idle_icmp),
            other: ns(settings.idle_other),
        }
    }
}

impl Config {
    /// Every log, with its key.
    #[must_use]
    pub fn logs(&self) -> Vec<(String, &Outputs)> {
        let fixed = [("http_log", &self.http_log), ("flow_log", &self.flow_log)];
        let protocols = self.protocols.iter().filter(|protocol| protocol.has_log());
        let protocols = protocols.map(|protocol| (format!("{}.log", protocol.app().name()), &protocol.log));
        fixed.map(|(key, log)| (key.to_owned(), log)).into_iter().chain(protocols).collect()
    }

    /// Whether messages of a protocol are copied.
    #[must_use]
    pub fn follows(&self, protocol: &ProtocolTable) -> bool {
        if !protocol.has_switch() {
            return self.head_bytes > 0;
        }
        protocol.is_on() || self.wants(protocol.app().name())
    }

    /// What each protocol is told, in the order of the registry.
    #[must_use]
    pub fn protocol_options(&self) -> Vec<Options> {
        let query = match self.query {
            Query::Drop => flowd_protocols::Query::Drop,
            Query::Keys => flowd_protocols::Query::Keys,
            Query::Keep => flowd_protocols::Query::Keep,
        };
        let statements = match self.statements {
            Statements::Drop => flowd_protocols::Statements::Drop,
            Statements::Normalized => flowd_protocols::Statements::Normalized,
            Statements::Keep => flowd_protocols::Statements::Keep,
        };
        let options = |protocol: &ProtocolTable| Options {
            head_bytes: self.head_bytes,
            query,
            statements,
            on: self.follows(protocol),
            keys: self.protocols.keys(protocol),
        };
        self.protocols.iter().map(options).collect()
    }

    /// What the packet path is told.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let followed = self.protocols.iter().filter(|protocol| self.follows(protocol));
        Settings {
            copies: followed.fold(Apps::NONE, |all, protocol| all.with(protocol.app())),
            idle_tcp_established: self.timeouts.tcp_established.nanos(),
            idle_tcp_half_open: self.timeouts.tcp_half_open.nanos(),
            idle_tcp_closed: self.timeouts.tcp_closed.nanos(),
            idle_udp: self.timeouts.udp.nanos(),
            idle_icmp: self.timeouts.icmp.nanos(),
            idle_other: self.timeouts.other.nanos(),
            head_bytes: self.head_bytes,
            decapsulate: decapsulate(&self.decapsulate).unwrap_or_default(),
            ignore_vlan: self.ignore_vlan.into(),
            ..Settings::DEFAULT
        }
    }
}

/// The settings' mask for a list of tunnel kinds or `all`.
///
/// # Errors
/// Gives back the first name that is no kind.
pub fn decapsulate(kinds: &[String]) -> Result<u32, String> {
    kinds.iter().try_fold(0, |mask, name| {
        if name == "all" {
            return Ok(TunnelKind::ALL.iter().fold(mask, |mask, kind| mask | kind.bit()));
        }
        let kind = TunnelKind::ALL.iter().find(|kind| kind.name() == name).ok_or_else(|| name.clone())?;
        Ok(mask | kind.bit())
    })
}

impl FromStr for Query {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "drop" => Ok(Self::Drop),
            "keys" => Ok(Self::Keys),
            "keep" => Ok(Self::Keep),
            _ => Err(format!("\"{text}\" is none of drop, keys, keep")),
        }
    }
}

impl FromStr for Statements {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "drop" => Ok(Self::Drop),
            "normalized" => Ok(Self::Normalized),
            "keep" => Ok(Self::Keep),
            _ => Err(format!("\"{text}\" is none of drop, normalized, keep")),
        }
    }
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Self::Json),
            "common" => Ok(Self::Common),
            "combined" => Ok(Self::Combined),
            _ => Err(format!("\"{text}\" is none of json, common, combined")),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Common => "common",
            Self::Combined => "combined",
        })
    }
}

impl fmt::Display for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drop => "drop",
            Self::Normalized => "normalized",
            Self::Keep => "keep",
        })
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drop => "drop",
            Self::Keys => "keys",
            Self::Keep => "keep",
        })
    }
}

#[cfg(test)]
mod tests;
