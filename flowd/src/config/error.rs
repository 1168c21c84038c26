//! What is wrong with a configuration, where, and what to write instead.

use std::{borrow::Cow, fmt, path::PathBuf};

/// A configuration that cannot be used. Its text is one line that names place and remedy.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read configuration file {}: {source}; check the path given with -c and its permissions", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// Not TOML, or a value of the wrong type.
    #[error("{place}: {message}")]
    Syntax { place: Place, message: String },
    /// A key that does not exist.
    #[error("{place}: unknown key \"{key}\"{}", hint(nearest.as_deref()))]
    UnknownKey { place: Place, key: String, nearest: Option<String> },
    /// A value out of its range.
    #[error("{origin}: {key} = {value}: {remedy}")]
    Value { origin: String, key: Cow<'static, str>, value: String, remedy: String },
    /// A section that does not fit together; the message holds the remedy.
    #[error("{origin}: [{section}] {message}")]
    Section { origin: String, section: &'static str, message: String },
}

/// A line of a file, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub line: usize,
}

impl Place {
    /// The line of `text` that holds byte `offset`.
    #[must_use]
    pub fn at(file: &str, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        Self { file: file.to_owned(), line: before.matches('\n').count() + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)
    }
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || "; config/flowd.toml lists every key".to_owned(),
        |name| format!("; did you mean \"{name}\"?"),
    )
}

/// An error message without line breaks.
#[must_use]
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
