//! Options of `flowd tail`.

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
};

use clap::{ArgAction, Args, ValueEnum};

use crate::tail;

/// Options of `flowd tail`.
#[derive(Debug, Args)]
pub struct Tail {
    /// Where that flowd listens
    #[arg(long, env = "FLOWD_URL", default_value = "http://127.0.0.1:9435")]
    pub url: String,
    /// File whose first line is a bearer token, where that flowd asks for one
    #[arg(long, env = "FLOWD_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// PEM file of that flowd's certificate, or of its issuer's, where the system does not trust it
    #[arg(long, env = "FLOWD_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Protocols to follow, as redis,postgresql; also http, dns and tls; repeatable [default: http]
    #[arg(long = "protocol", value_name = "NAME", value_delimiter = ',', action = ArgAction::Append)]
    pub protocols: Vec<String>,
    /// Only this host, of HTTP alone
    #[arg(long)]
    pub host: Option<String>,
    /// Only ok, error, or none: requests without a response; of HTTP alone a status (404), class (5xx), or none
    #[arg(long)]
    pub status: Option<String>,
    /// Only this method, of HTTP alone
    #[arg(long)]
    pub method: Option<String>,
    /// Only paths that begin so, of HTTP alone
    #[arg(long, value_name = "PREFIX")]
    pub path: Option<String>,
    /// Only this operation, as SELECT
    #[arg(long)]
    pub operation: Option<String>,
    /// Only clients in this net
    #[arg(long, value_name = "CIDR")]
    pub client: Option<String>,
    /// Only responses that took at least so many milliseconds
    #[arg(long, value_name = "MS")]
    pub min_ms: Option<f64>,
    /// Begin with so many of the latest requests
    #[arg(short = 'n', long, default_value_t = 10, value_name = "N")]
    pub lines: u32,
    /// Mark responses that took at least so many milliseconds
    #[arg(long, default_value_t = 500.0, value_name = "MS")]
    pub slow: f64,
    /// Colours; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Print the lines as they come, in JSON
    #[arg(long)]
    pub json: bool,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

impl Tail {
    /// What to follow and how to print it.
    #[must_use]
    pub fn options(&self) -> tail::Options {
        // HTTP alone has a stream of its own, with filters that only it has.
        let http_alone = self.operation.is_none() && self.protocols.iter().all(|name| name == "http");
        let parameters = [
            ("protocol", (!http_alone && !self.protocols.is_empty()).then(|| self.protocols.join(","))),
            ("operation", self.operation.clone()),
            ("host", self.host.clone()),
            ("status", self.status.clone()),
            ("method", self.method.clone()),
            ("path", self.path.clone()),
            ("client", self.client.clone()),
            ("min_ms", self.min_ms.map(|ms| ms.to_string())),
        ];
        let plain = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        tail::Options {
            url: self.url.clone(),
            token_file: self.token_file.clone(),
            ca: self.ca.clone(),
            lines_of: if http_alone { "http" } else { "requests" },
            parameters: parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            lines: self.lines,
            slow_ms: self.slow,
            color: match self.color {
                Color::Auto => io::stdout().is_terminal() && !plain(),
                Color::Always => true,
                Color::Never => false,
            },
            json: self.json,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::{Cli, Command};

    fn followed(arguments: &str) -> (&'static str, Vec<(&'static str, String)>) {
        let line = ["flowd", "tail"].into_iter().chain(arguments.split_whitespace());
        let Command::Tail(tail) = Cli::try_parse_from(line).unwrap().command else { panic!("{arguments}") };
        let options = tail.options();
        (options.lines_of, options.parameters)
    }

    #[test]
    fn http_alone_has_its_own_stream() {
        assert_eq!(followed(""), ("http", vec![]));
        assert_eq!(followed("--protocol http --host h"), ("http", vec![("host", "h".to_owned())]));
        let (lines_of, parameters) = followed("--protocol http,redis --protocol dns --status error");
        assert_eq!(lines_of, "requests");
        assert_eq!(
            parameters,
            [("protocol", "http,redis,dns"), ("status", "error")].map(|(n, v)| (n, v.to_owned()))
        );
        assert_eq!(followed("--operation GET"), ("requests", vec![("operation", "GET".to_owned())]));
    }
}
