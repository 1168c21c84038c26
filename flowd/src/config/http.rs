//! What HTTP lines show of a target beside the query policy.

use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, Query};
use flowd_protocols::{Options, Privacy};

/// Templates and names beyond this would make each line slow.
const MOST: usize = 1_000;

/// The section `[http]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Names of parameters whose values are never logged.
    pub redact: Vec<String>,
    /// Paths such as `/users/{id}`, each logged for all paths that it stands for.
    pub templates: Vec<String>,
    /// Whether numbers, UUIDs and long hexadecimal segments of other paths become `{id}`.
    pub template_paths: bool,
}

impl Default for Http {
    fn default() -> Self {
        let names = [
            "password",
            "passwd",
            "pwd",
            "secret",
            "client_secret",
            "token",
            "access_token",
            "refresh_token",
            "id_token",
            "authorization",
            "api_key",
            "apikey",
            "sessionid",
            "jwt",
            "x-amz-signature",
            "x-amz-credential",
            "x-amz-security-token",
            "x-goog-signature",
        ];
        Self { redact: names.map(str::to_owned).to_vec(), templates: Vec::new(), template_paths: false }
    }
}

impl Http {
    /// Checks the section; `origin` is where it came from.
    pub(super) fn validate(&self, origin: &str) -> Result<(), ConfigError> {
        let fail = |key, value: String, remedy: &str| {
            Err(ConfigError::Value { origin: origin.to_owned(), key, value, remedy: remedy.to_owned() })
        };
        for (key, list) in [("http.redact", &self.redact), ("http.templates", &self.templates)] {
            if list.len() > MOST {
                return fail(key, format!("{} entries", list.len()), "use at most 1000");
            }
        }
        if self.redact.iter().any(String::is_empty) {
            return fail("http.redact", "\"\"".to_owned(), "leave the empty name out");
        }
        // What is logged must stay one printable word.
        let good = |path: &String| path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic());
        if let Some(path) = self.templates.iter().find(|path| !good(path)) {
            return fail("http.templates", format!("\"{path}\""), "write as in \"/users/{id}\"");
        }
        Ok(())
    }
}

impl Config {
    /// What protocols are told.
    #[must_use]
    pub fn protocol_options(&self) -> Options {
        let query = match self.query {
            Query::Drop => flowd_protocols::Query::Drop,
            Query::Keys => flowd_protocols::Query::Keys,
            Query::Keep => flowd_protocols::Query::Keep,
        };
        let redact = self.http.redact.iter().map(|name| name.to_ascii_lowercase()).collect();
        let Http { templates, template_paths, .. } = self.http.clone();
        let privacy = Privacy { query, redact, templates, template_paths };
        Options { head_bytes: self.head_bytes, privacy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_reaches_the_tracker() {
        let text = "query = \"keep\"\n[http]\nredact = [\"Token\"]\ntemplates = [\"/u/{id}\"]\n";
        let options = Config::parse("t", text).unwrap().protocol_options();
        assert_eq!(options.privacy.redact, ["token"]);
        assert_eq!(options.privacy.templates, ["/u/{id}"]);
        assert_eq!(
            (options.privacy.query, options.privacy.template_paths),
            (flowd_protocols::Query::Keep, false)
        );
    }

    #[test]
    fn limits_name_their_key() {
        for (text, key) in [
            ("[http]\nredact = [\"\"]\n", "http.redact"),
            ("[http]\ntemplates = [\"users\"]\n", "http.templates"),
            ("[http]\ntemplates = [\"/a b\"]\n", "http.templates"),
        ] {
            let error = Config::parse("t", text).unwrap().validate("t").unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
