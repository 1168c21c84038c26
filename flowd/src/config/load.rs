//! From a file to a configuration.

use std::path::Path;

use serde::Deserialize as _;
use toml::de::DeTable;

use super::{Config, ConfigError, Place, Protocols, error::one_line, keys};
use crate::files;

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Names the file, the line, the key and the remedy.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            files::read_text(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let file = path.display().to_string();
        let config = Self::parse(&file, &text)?;
        config.validate(&file)?;
        Ok(config)
    }

    /// Reads `text`, the content of the file named `file`.
    ///
    /// # Errors
    /// Names the file, the line and the key.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        keys::check(file, text)?;
        let fault = |error: toml::de::Error| {
            let offset = error.span().map_or(0, |span| span.start);
            let place = Place::at(file, text, offset);
            ConfigError::Syntax { place, message: one_line(error.message()) }
        };
        let mut table = DeTable::parse(text).map_err(fault)?;
        let protocols = Protocols::take(file, text, &mut table)?;
        let mut config = Self::deserialize(toml::Deserializer::from(table)).map_err(fault)?;
        config.protocols = protocols;
        config.zones.check(file, text)?;
        Ok(config)
    }
}
