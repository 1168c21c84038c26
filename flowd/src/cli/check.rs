//! Options of `flowd check`.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

use super::Which;
use crate::config::{Config, ConfigError};

/// Options of `flowd check`.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    pub which: Which,
    /// Address that flowd is to listen on [default: 127.0.0.1:9435]
    #[arg(long, env = "FLOWD_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Lines, or one JSON object
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub format: CheckFormat,
}

/// How checks are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    Text,
    Json,
}

impl Check {
    /// The configuration to check this machine for.
    ///
    /// # Errors
    /// Names the file, key or option, and the remedy.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let mut config = self.which.config()?;
        super::set(&mut config.listen, self.listen.as_ref());
        config.validate("command line or environment")?;
        Ok(config)
    }
}
