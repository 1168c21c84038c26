//! What following HTTP may take, and the table `[http]`.

use flow_common::event::MAX_PAYLOAD;
use serde::{Deserialize, Serialize};

use super::Privacy;
use crate::{
    protocol::Options,
    section::{Invalid, Keys},
};

/// Templates and names beyond this would make each line slow.
const MOST: usize = 1_000;

/// What HTTP records show of a target beside `query`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpKeys {
    /// Names of parameters whose values are never logged.
    pub redact: Vec<String>,
    /// Paths such as `/users/{id}`, each logged for all paths that it stands for.
    pub templates: Vec<String>,
    /// Whether numbers, UUIDs and long hexadecimal segments of other paths become `{id}`.
    pub template_paths: bool,
    /// Whether the ids of `traceparent` are shown.
    pub trace_context: bool,
}

impl Default for HttpKeys {
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
        let redact = names.map(str::to_owned).to_vec();
        Self { redact, templates: Vec::new(), template_paths: false, trace_context: false }
    }
}

impl Keys for HttpKeys {
    fn validate(&self) -> Result<(), Invalid> {
        let fail = |key, value, remedy: &str| Err(Invalid { key, value, remedy: remedy.to_owned() });
        for (key, list) in [("redact", &self.redact), ("templates", &self.templates)] {
            if list.len() > MOST {
                return fail(key, format!("{} entries", list.len()), "use at most 1000");
            }
        }
        if self.redact.iter().any(String::is_empty) {
            return fail("redact", "\"\"".to_owned(), "leave the empty name out");
        }
        // What is logged must stay one printable word.
        let good = |path: &String| path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic());
        if let Some(path) = self.templates.iter().find(|path| !good(path)) {
            return fail("templates", format!("\"{path}\""), "write as in \"/users/{id}\"");
        }
        Ok(())
    }
}

/// What the tracker keeps, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    pub privacy: Privacy,
    /// Bytes of a head that are looked at, at most [`MAX_PAYLOAD`]; what the packet path copies.
    pub head_bytes: u32,
    /// How long a request waits for its response, and a connection for its next event; nanoseconds.
    pub timeout: u64,
    /// Outstanding exchanges of one connection.
    pub max_pending_per_flow: usize,
    pub max_connections: usize,
    /// Bytes that all connections hold, with what is outstanding on them.
    pub max_bytes: usize,
}

/// Room for 30,000 connections with a request each.
pub(super) const HELD: usize = 48 << 20;

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            privacy: Privacy::default(),
            head_bytes: 512,
            timeout: 30_000_000_000,
            max_pending_per_flow: 64,
            max_connections: 65_536,
            max_bytes: HELD,
        }
    }
}

impl HttpOptions {
    /// What the configuration says, and defaults.
    pub(crate) fn of(options: &Options) -> Self {
        let HttpKeys { redact, templates, template_paths, trace_context } =
            options.keys.get().cloned().unwrap_or_default();
        let redact = redact.iter().map(|name| name.to_ascii_lowercase()).collect();
        let privacy = Privacy { query: options.query, redact, templates, template_paths, trace_context };
        Self { privacy, head_bytes: options.head_bytes, ..Self::default() }
    }

    /// Bytes of a head, within what makes sense: a first line needs some room.
    pub(super) fn limit(&self) -> usize {
        usize::try_from(self.head_bytes).unwrap_or(MAX_PAYLOAD).clamp(16, MAX_PAYLOAD)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::http::Query;

    #[test]
    fn the_keys_reach_the_tracker() {
        let keys = HttpKeys {
            redact: vec!["Token".into()],
            templates: vec!["/u/{id}".into()],
            ..HttpKeys::default()
        };
        let told = Options {
            head_bytes: 100,
            query: Query::Keep,
            statements: crate::Statements::default(),
            on: true,
            keys: Arc::new(keys),
        };
        let HttpOptions { privacy, head_bytes, .. } = HttpOptions::of(&told);
        assert_eq!((privacy.query, head_bytes, privacy.template_paths), (Query::Keep, 100, false));
        assert_eq!(
            (privacy.redact, privacy.templates),
            (vec!["token".to_owned()], vec!["/u/{id}".to_owned()])
        );
    }

    #[test]
    fn limits_name_their_key() {
        let invalid = |keys: HttpKeys| keys.validate().unwrap_err().key;
        assert_eq!(HttpKeys::default().validate(), Ok(()));
        assert_eq!(invalid(HttpKeys { redact: vec![String::new()], ..HttpKeys::default() }), "redact");
        for path in ["users", "/a b"] {
            assert_eq!(
                invalid(HttpKeys { templates: vec![path.into()], ..HttpKeys::default() }),
                "templates"
            );
        }
        assert_eq!(
            invalid(HttpKeys { templates: vec!["/".into(); 1_001], ..HttpKeys::default() }),
            "templates"
        );
    }
}
