//! Options of `flowd tail`.

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
};

use clap::{Args, ValueEnum};

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
    /// Only this host
    #[arg(long)]
    pub host: Option<String>,
    /// Only this status (404), class (5xx), or none: requests without a response
    #[arg(long)]
    pub status: Option<String>,
    /// Only this method
    #[arg(long)]
    pub method: Option<String>,
    /// Only paths that begin so
    #[arg(long, value_name = "PREFIX")]
    pub path: Option<String>,
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
        let parameters = [
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
