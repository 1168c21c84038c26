//! Who may ask: users with passwords (RFC 7617) and bearers of tokens (RFC 6750).

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    hmac::{self, Key, Tag},
    rand::SystemRandom,
};
use tokio::sync::Semaphore;

use crate::config::Web;

/// Characters of a token at least: what cannot be guessed over a network.
const TOKEN: usize = 16;
/// Cost of a bcrypt hash at most: each step doubles the time, and 14 is a second already.
const COST: u32 = 14;

/// A file of users or tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("cannot read {key} {}: {source}; name a file that this user may read", path.display())]
    Read { key: &'static str, path: PathBuf, source: io::Error },
    #[error("{key} {}, line {line}: {problem}", path.display())]
    Line { key: &'static str, path: PathBuf, line: usize, problem: &'static str },
    #[error("{key} {} names nobody: nobody could ask; add a line, or leave the key empty", path.display())]
    Empty { key: &'static str, path: PathBuf },
    #[error("no random numbers from the kernel")]
    Random,
}

/// Knows who may ask. Secrets are compared by their keyed hashes, in a time that tells nothing of them.
#[derive(Debug)]
pub(super) struct Access {
    /// Of this process alone.
    key: Key,
    tokens: Vec<Tag>,
    users: HashMap<String, String>,
    /// The last good credentials of each user, as passwords take long to verify.
    known: Mutex<HashMap<String, Tag>>,
    /// One password at a time, so that guesses do not take the processors.
    turn: Semaphore,
}

impl Access {
    /// Reads the files; `None` where none is named.
    pub(super) fn load(web: &Web) -> Result<Option<Arc<Self>>, AccessError> {
        if !web.asks() {
            return Ok(None);
        }
        let key = Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| AccessError::Random)?;
        let (mut tokens, mut users) = (Vec::new(), HashMap::new());
        read("web.tokens", &web.tokens, |token| {
            if token.len() < TOKEN {
                return Err("a token has 16 characters at least, as from `openssl rand -hex 16`");
            }
            tokens.push(hmac::sign(&key, token.as_bytes()));
            Ok(())
        })?;
        read("web.users", &web.users, |line| {
            let (name, hash) =
                line.split_once(':').filter(|(name, _)| !name.is_empty()).ok_or("write NAME:HASH")?;
            let cost = hash.parse::<bcrypt::HashParts>().map(|parts| parts.get_cost());
            match cost {
                Ok(4..=COST) => {}
                Ok(_) => return Err("the hash's cost is above 14, which takes too long for each request"),
                Err(_) => return Err("this is no bcrypt hash: make it by `htpasswd -nB NAME`"),
            }
            users.insert(name.to_owned(), hash.to_owned());
            Ok(())
        })?;
        Ok(Some(Arc::new(Self { key, tokens, users, known: Mutex::default(), turn: Semaphore::new(1) })))
    }

    /// What a client may answer a refusal with.
    pub(super) fn challenge(&self) -> &'static str {
        match (self.users.is_empty(), self.tokens.is_empty()) {
            (false, false) => "Basic realm=\"flowd\", charset=\"UTF-8\", Bearer realm=\"flowd\"",
            (false, true) => "Basic realm=\"flowd\", charset=\"UTF-8\"",
            (true, _) => "Bearer realm=\"flowd\"",
        }
    }

    /// Whether a request with this Authorization field is answered.
    pub(super) async fn allows(self: &Arc<Self>, field: &str) -> bool {
        let Some((scheme, credentials)) = field.split_once(' ') else { return false };
        let credentials = credentials.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            // Every token, so that the time does not tell which one it was.
            return self.tokens.iter().filter(|tag| self.is(credentials, tag)).count() > 0;
        }
        scheme.eq_ignore_ascii_case("basic") && self.basic(credentials).await
    }

    async fn basic(self: &Arc<Self>, credentials: &str) -> bool {
        let Some(text) = STANDARD.decode(credentials).ok().and_then(|text| String::from_utf8(text).ok())
        else {
            return false;
        };
        let Some((name, password)) = text.split_once(':') else { return false };
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        if known.is_some_and(|tag| self.is(&text, &tag)) {
            return true;
        }
        // An unknown name takes as long as a known one.
        let user = self.users.get(name);
        let Some(hash) = user.or_else(|| self.users.values().next()).cloned() else { return false };
        let Ok(_turn) = self.turn.acquire().await else { return false };
        let password = password.to_owned();
        let right = tokio::task::spawn_blocking(move || bcrypt::verify(password, &hash).unwrap_or(false));
        let allowed = right.await.unwrap_or(false) && user.is_some();
        if allowed {
            let tag = hmac::sign(&self.key, text.as_bytes());
            self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), tag);
        }
        allowed
    }

    fn is(&self, secret: &str, tag: &Tag) -> bool {
        hmac::verify(&self.key, secret.as_bytes(), tag.as_ref()).is_ok()
    }
}

/// Gives every line of the file that is neither empty nor a comment to `take`.
fn read(
    key: &'static str,
    path: &str,
    mut take: impl FnMut(&str) -> Result<(), &'static str>,
) -> Result<(), AccessError> {
    if path.is_empty() {
        return Ok(());
    }
    let path = Path::new(path);
    let text = fs::read_to_string(path).map_err(|source| AccessError::Read {
        key,
        path: path.to_owned(),
        source,
    })?;
    let mut taken = 0;
    for (at, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        take(line).map_err(|problem| AccessError::Line {
            key,
            path: path.to_owned(),
            line: at + 1,
            problem,
        })?;
        taken += 1;
    }
    if taken == 0 {
        return Err(AccessError::Empty { key, path: path.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of cost 4, to be quick.
    fn hash(password: &str) -> String {
        bcrypt::hash(password, 4).unwrap()
    }

    fn web(users: &str, tokens: &str) -> (tempfile::TempDir, Web) {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            if text.is_empty() {
                return String::new();
            }
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let web = Web { users: file("users", users), tokens: file("tokens", tokens), ..Web::default() };
        (folder, web)
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[tokio::test]
    async fn passwords_and_tokens() {
        let users = format!("# people\nann:{}\n\nbob:{}\n", hash("secret: of ann"), hash("bob's"));
        let (_folder, web) = web(&users, "0123456789abcdef\nfedcba9876543210\n");
        let access = Access::load(&web).unwrap().unwrap();
        // Twice: the second time from memory.
        for _ in 0..2 {
            for (field, allowed) in [
                (basic("ann:secret: of ann"), true),
                (basic("bob:bob's"), true),
                (basic("bob:secret: of ann"), false),
                (basic("ann:"), false),
                (basic("eve:secret: of ann"), false),
                (basic("ann"), false),
                ("Basic !".to_owned(), false),
                ("bearer 0123456789abcdef".to_owned(), true),
                ("Bearer  fedcba9876543210".to_owned(), true),
                ("Bearer 0123456789abcde".to_owned(), false),
                ("Bearer ".to_owned(), false),
                ("Bearer".to_owned(), false),
                (String::new(), false),
                ("Digest 0123456789abcdef".to_owned(), false),
            ] {
                assert_eq!(access.allows(&field).await, allowed, "{field}");
            }
        }
    }

    #[test]
    fn files_that_cannot_be_used_name_line_and_remedy() {
        for (users, tokens, parts) in [
            ("ann:plain\n", "", &["web.users", "line 1", "htpasswd"][..]),
            ("# x\nann\n", "", &["line 2", "NAME:HASH"]),
            ("", "short\n", &["web.tokens", "line 1", "16 characters"]),
            ("", "# none\n", &["web.tokens", "nobody"]),
        ] {
            let (_folder, web) = web(users, tokens);
            let error = Access::load(&web).unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
            assert!(!error.contains("plain") && !error.contains("short"), "{error} tells no secret");
        }
        let missing = Web { tokens: "/no/such".to_owned(), ..Web::default() };
        assert!(Access::load(&missing).unwrap_err().to_string().contains("/no/such"));
        assert!(Access::load(&Web::default()).unwrap().is_none());
    }
}
