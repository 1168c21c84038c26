//! Who may read from the web server, and how.

use serde::{Deserialize, Serialize};

/// Files that the web server reads its secrets from; an empty path is off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// Certificate chain in PEM.
    pub tls_certificate: String,
    /// Its private key in PEM.
    pub tls_key: String,
    /// `name:hash` lines with bcrypt hashes, as `htpasswd -B` writes them.
    pub users: String,
    /// Bearer tokens, one per line.
    pub tokens: String,
    /// Names under which browsers may ask where nobody has to show a password or a token.
    pub hosts: Vec<String>,
}

impl Web {
    /// True where requests need a password or a token.
    #[must_use]
    pub fn asks(&self) -> bool {
        !self.users.is_empty() || !self.tokens.is_empty()
    }

    /// True where it speaks TLS.
    #[must_use]
    pub fn tls(&self) -> bool {
        !self.tls_certificate.is_empty()
    }

    /// The first of the names that cannot be one.
    #[must_use]
    pub fn wrong_host(&self) -> Option<&str> {
        let letters = |name: &str| {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
                && !name.is_empty()
        };
        self.hosts.iter().map(String::as_str).find(|name| !letters(name))
    }

    /// Every file that is named, with its key.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let files = [
            ("web.tls_certificate", &self.tls_certificate),
            ("web.tls_key", &self.tls_key),
            ("web.users", &self.users),
            ("web.tokens", &self.tokens),
        ];
        files.into_iter().filter(|(_, path)| !path.is_empty()).map(|(key, path)| (key, path.as_str()))
    }
}
