//! The command line, the only user of clap.

mod check;
mod manual;
mod report;
mod tail;

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

pub use self::check::{Check, CheckFormat};
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use flow_common::app::App;
pub use manual::Manual;
pub use report::{Report, ReportFormat};
pub use tail::Tail;

use crate::{
    config::{Config, ConfigError, LogFormat, Outputs, Query, SinkConfig, Span, Statements},
    protocol::http::HttpKeys,
    read::{EngineKind, Intake, Output},
};

/// Network flows, TCP quality and HTTP requests of a gateway, measured in the kernel.
#[derive(Debug, Parser)]
#[command(name = "flowd", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch interfaces and serve metrics until SIGTERM or SIGINT
    Run(Run),
    /// Print the flows of a capture file as JSON lines or a table
    Read(Read),
    /// Say how full each link is, how it grows and when it is full, from Prometheus or flow logs
    Report(Report),
    /// Follow the requests that a running flowd sees: of HTTP, or of other protocols
    Tail(Tail),
    /// List interfaces, and which of them `flowd run` would watch
    Interfaces {
        #[command(flatten)]
        which: Which,
    },
    /// Say whether this machine lets flowd run with its configuration, with a remedy for what is missing
    Check(Check),
    /// Remove what a killed flowd left on interfaces: its own filters, and qdiscs that it made
    Clean,
    /// Check a configuration file
    CheckConfig {
        /// The file
        file: PathBuf,
    },
    /// Print the manual page, in roff, or write all of them: packages hold them
    #[command(hide = true)]
    Man(Manual),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Where the interfaces to watch come from.
#[derive(Debug, Default, Args)]
pub struct Which {
    /// Configuration file; config/flowd.toml documents every key
    #[arg(short, long, env = "FLOWD_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Interfaces to watch, as patterns ("eth0", "wan*"; "!docker*" leaves out); repeatable [default: those
    /// that hold a default route]
    #[arg(
        short,
        long = "interface",
        env = "FLOWD_INTERFACES",
        value_name = "PATTERN",
        value_delimiter = ',',
        action = ArgAction::Append
    )]
    pub interfaces: Vec<String>,
}

/// Options of `flowd run`; each beats its key in the configuration file.
#[derive(Debug, Default, Args)]
pub struct Run {
    #[command(flatten)]
    pub which: Which,
    /// Address of /metrics and the API [default: 127.0.0.1:9435]
    #[arg(long, env = "FLOWD_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Time between two readings of the flow table [default: 10s]
    #[arg(long, env = "FLOWD_INTERVAL", value_name = "TIME")]
    pub interval: Option<Span>,
    /// Log one line per HTTP request; - is standard output; repeatable, and then each has every line
    #[arg(long, env = "FLOWD_HTTP_LOG", value_name = "PATH|-", action = ArgAction::Append)]
    pub http_log: Vec<String>,
    /// Lines of the HTTP log: json, or as web servers write them: common, combined [default: json]
    #[arg(long, env = "FLOWD_HTTP_LOG_FORMAT", value_name = "json|common|combined")]
    pub http_log_format: Option<LogFormat>,
    /// Log one JSON line per flow; - is standard output; repeatable
    #[arg(long, env = "FLOWD_FLOW_LOG", value_name = "PATH|-", action = ArgAction::Append)]
    pub flow_log: Vec<String>,
    /// Log one JSON line per DNS query; - is standard output; repeatable
    #[arg(long, env = "FLOWD_DNS_LOG", value_name = "PATH|-", action = ArgAction::Append)]
    pub dns_log: Vec<String>,
    /// Log one JSON line per TLS handshake; - is standard output; repeatable
    #[arg(long, env = "FLOWD_TLS_LOG", value_name = "PATH|-", action = ArgAction::Append)]
    pub tls_log: Vec<String>,
    /// Query strings in the HTTP log: drop, keys or keep [default: drop]
    #[arg(long, env = "FLOWD_QUERY", value_name = "drop|keys|keep")]
    pub query: Option<Query>,
    /// Bytes of an HTTP head that are copied, 0 to 4096 [default: 512]
    #[arg(long, env = "FLOWD_HEAD_BYTES", value_name = "N")]
    pub head_bytes: Option<u32>,
}

/// Options of `flowd read`.
#[derive(Debug, Args)]
pub struct Read {
    /// Capture in pcap or pcapng format; - is standard input
    pub file: PathBuf,
    /// native needs no privilege; kernel runs the very BPF program over the capture
    #[arg(long, value_enum, default_value_t = Engine::Native)]
    pub engine: Engine,
    /// How flows are printed
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub format: Format,
    /// Tunnels whose inner packets are flows of their own: names, or all
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub decapsulate: Vec<String>,
    /// Packets of different VLANs may belong to one flow, as on a mirrored trunk with a VLAN for each direction
    #[arg(long)]
    pub ignore_vlan: bool,
    /// All interfaces of the capture count as one, as where a TAP has one for each direction
    #[arg(long)]
    pub merge_interfaces: bool,
    /// Leave out the copies of a mirror that delivers packets twice: the same bytes below the link header within 20 ms,
    /// or 1 ms where IP numbers no packets
    #[arg(long)]
    pub deduplicate: bool,
    /// Query strings in HTTP lines: drop, keys or keep
    #[arg(long, default_value_t = Query::Drop, value_name = "drop|keys|keep")]
    pub query: Query,
    /// Statements and unlisted operations in request lines: drop, normalized or keep
    #[arg(long, default_value_t = Statements::Drop, value_name = "drop|normalized|keep")]
    pub statements: Statements,
    /// Show trace_id and span_id in lines of HTTP requests that carry a traceparent
    #[arg(long)]
    pub trace_context: bool,
    /// Bytes of an HTTP head that are looked at, 0 to 4096
    #[arg(long, default_value_t = 512, value_name = "N")]
    pub head_bytes: u32,
    /// Print what /metrics would show in the end instead of flows
    #[arg(long)]
    pub metrics: bool,
    /// Send records there instead of printing them, and print only the summary; repeatable. Kinds and format stand in
    /// the URL, as in "file:/tmp/x?records=flow,http"
    #[arg(long = "sink", value_name = "URL", action = ArgAction::Append, conflicts_with_all = ["metrics", "format"])]
    pub sinks: Vec<String>,
}

/// What reads the packets of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    Native,
    Kernel,
}

/// How flows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Json,
    Table,
}

impl From<Engine> for EngineKind {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Native => Self::Native,
            Engine::Kernel => Self::Kernel,
        }
    }
}

impl Cli {
    /// The process's command line; on a usage error or for help, prints and exits (status 2 or 0).
    #[must_use]
    pub fn from_process() -> Self {
        Self::parse()
    }
}

impl Which {
    /// The file's configuration, or the defaults, with these interfaces.
    ///
    /// # Errors
    /// Names what is wrong with the file.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let mut config = self.config.as_deref().map_or_else(|| Ok(Config::default()), Config::load)?;
        if !self.interfaces.is_empty() {
            config.interfaces.clone_from(&self.interfaces);
        }
        Ok(config)
    }
}

impl Run {
    /// The configuration to run with: command line before environment (clap merges these two) before
    /// file before default.
    ///
    /// # Errors
    /// Names the file, key or option, and the remedy.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let mut config = self.which.config()?;
        set(&mut config.listen, self.listen.as_ref());
        set(&mut config.interval, self.interval.as_ref());
        set(&mut config.http_log, paths(&self.http_log).as_ref());
        set(&mut config.http_log_format, self.http_log_format.as_ref());
        set(&mut config.flow_log, paths(&self.flow_log).as_ref());
        for (app, log) in [(App::Dns, &self.dns_log), (App::Tls, &self.tls_log)] {
            if let Some(protocol) = config.protocols.get_mut(app) {
                set(&mut protocol.log, paths(log).as_ref());
            }
        }
        set(&mut config.query, self.query.as_ref());
        set(&mut config.head_bytes, self.head_bytes.as_ref());
        config.validate("command line or environment")?;
        Ok(config)
    }
}

impl Read {
    /// The configuration that these options amount to.
    ///
    /// # Errors
    /// Names the option and the remedy.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let mut config = Config {
            decapsulate: self.decapsulate.clone(),
            ignore_vlan: self.ignore_vlan,
            query: self.query,
            statements: self.statements,
            head_bytes: self.head_bytes,
            sink: self
                .sinks
                .iter()
                .map(|url| SinkConfig { url: url.clone(), ..SinkConfig::default() })
                .collect(),
            ..Config::default()
        };
        let keys = HttpKeys { trace_context: self.trace_context, ..HttpKeys::default() };
        config.protocols.set_keys(App::Http, keys);
        // Nothing is saved here by leaving them out.
        config.protocols.iter_mut().for_each(|protocol| protocol.enabled = true);
        config.validate("command line")?;
        Ok(config)
    }

    /// How packets are taken.
    #[must_use]
    pub const fn intake(&self) -> Intake {
        Intake { merge_interfaces: self.merge_interfaces, deduplicate: self.deduplicate }
    }

    /// What to print.
    #[must_use]
    pub const fn output(&self) -> Output {
        match self.format {
            _ if self.metrics => Output::Metrics,
            _ if !self.sinks.is_empty() => Output::Sinks,
            Format::Json => Output::Json,
            Format::Table => Output::Table,
        }
    }

    /// The file, `None` for standard input.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        Some(self.file.as_path()).filter(|path| path.as_os_str() != "-")
    }
}

/// The completion script for `shell`.
///
/// # Errors
/// Fails where `out` does.
pub fn completions(shell: Shell, out: &mut dyn io::Write) -> io::Result<()> {
    // Through a buffer: the generator itself panics on a closed pipe.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "flowd", &mut script);
    out.write_all(&script)
}

fn paths(given: &[String]) -> Option<Outputs> {
    (!given.is_empty()).then(|| given.to_vec().into())
}

fn set<T: Clone>(place: &mut T, value: Option<&T>) {
    if let Some(value) = value {
        place.clone_from(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str]) -> Run {
        let line = ["flowd", "run"].iter().chain(arguments);
        match Cli::try_parse_from(line).unwrap().command {
            Command::Run(run) => run,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_beat_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("flowd.toml");
        std::fs::write(&file, "interval = \"5s\"\nhttp_log = \"/a\"\n").unwrap();
        let file = file.to_str().unwrap();
        let config = run(&["-c", file, "--http-log", "-", "-i", "eth0", "-i", "wan*"]).config().unwrap();
        assert_eq!(config.interval, Span::seconds(5));
        assert_eq!(config.http_log, "-".into());
        let both = run(&["--http-log", "-", "--http-log", "/b", "--http-log-format", "combined"]);
        assert_eq!(both.config().unwrap().http_log.paths(), ["-", "/b"]);
        assert_eq!(config.interfaces, ["eth0", "wan*"]);
    }

    #[test]
    fn the_help_states_the_real_defaults() {
        let help = Cli::command().find_subcommand_mut("run").unwrap().render_long_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let config = Config::default();
        for default in [
            config.listen.to_string(),
            config.interval.to_string(),
            config.query.to_string(),
            config.http_log_format.to_string(),
            config.head_bytes.to_string(),
        ] {
            assert!(help.contains(&format!("[default: {default}]")), "{default}");
        }
    }

    /// By HTTP's own keys, which hold for HTTP/2 as well.
    #[test]
    fn traces_are_shown_on_demand() {
        for (options, asked) in [(&["--trace-context"][..], true), (&[], false)] {
            let line = ["flowd", "read", "-"].iter().chain(options);
            let Command::Read(read) = Cli::try_parse_from(line).unwrap().command else {
                panic!("it is read")
            };
            let told = read.config().unwrap().protocol_options();
            let keys = told.iter().filter_map(|options| options.keys.get::<HttpKeys>());
            assert_eq!(keys.map(|keys| keys.trace_context).collect::<Vec<_>>(), [asked, asked]);
        }
    }

    #[test]
    fn options_are_checked_like_the_file() {
        let error = run(&["--head-bytes", "5000"]).config().unwrap_err().to_string();
        assert!(error.contains("head_bytes = 5000") && error.contains("4096"), "{error}");
        assert!(Cli::try_parse_from(["flowd", "run", "--interval", "soon"]).is_err());
    }
}
