//! Who may ask: users with passwords (RFC 7617) and bearers of tokens (RFC 6750).

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    hmac::{self, Key, Tag},
    rand::SystemRandom,
};

use super::{
    checks::{Checks, Crowded},
    identity::Identity,
    logins::Logins,
};
use crate::{config::Web, files};

/// Characters of a token at least: what cannot be guessed over a network.
const TOKEN: usize = 16;
/// Cost of a bcrypt hash at most: each step doubles the time, and 14 is a second already.
const COST: u32 = 14;
/// Cost of a bcrypt hash at least, by its definition.
const LEAST_COST: u32 = 4;
/// Salt and hash of nothing in particular.
const DECOY: &str = "abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2";
/// When many passwords wait to be looked at, another may come after so long.
const CROWDED: Duration = Duration::from_secs(2);

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
    /// Of this process alone; the same whenever the files are read again.
    key: Key,
    tokens: Vec<Tag>,
    /// Hashes by name.
    users: HashMap<String, String>,
    /// The largest cost of a hash.
    cost: u32,
    /// The last good credentials of each user, as passwords take long to verify.
    known: Mutex<HashMap<String, Tag>>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed(Identity),
    /// It shows nothing that could be looked at.
    Unasked,
    /// It shows a wrong one of these.
    Wrong(&'static str),
    /// A password that cannot be looked at before so much time has passed.
    Later(Duration),
}

impl Access {
    /// Reads the files; `None` where none is named. What was known `before` of users that are the same stays known.
    pub(super) fn load(web: &Web, before: Option<&Self>) -> Result<Option<Arc<Self>>, AccessError> {
        if !web.asks() {
            return Ok(None);
        }
        let key = match before {
            Some(before) => before.key.clone(),
            None => {
                Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| AccessError::Random)?
            }
        };
        let (mut tokens, mut users, mut most) = (Vec::new(), HashMap::new(), LEAST_COST);
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
            match cost(hash) {
                Some(cost @ LEAST_COST..=COST) => most = most.max(cost),
                Some(_) => return Err("the hash's cost is above 14, which takes too long for each request"),
                None => return Err("this is no bcrypt hash: make it by `htpasswd -nB NAME`"),
            }
            users.insert(name.to_owned(), hash.to_owned());
            Ok(())
        })?;
        let mut known = HashMap::new();
        if let Some(before) = before {
            known.clone_from(&before.known.lock().unwrap_or_else(PoisonError::into_inner));
            known.retain(|name, _| users.contains_key(name) && users.get(name) == before.users.get(name));
        }
        Ok(Some(Arc::new(Self { key, tokens, users, cost: most, known: Mutex::new(known) })))
    }

    /// What a client may answer a refusal with.
    pub(super) fn challenge(&self) -> &'static str {
        match (self.users.is_empty(), self.tokens.is_empty()) {
            (false, false) => "Basic realm=\"flowd\", charset=\"UTF-8\", Bearer realm=\"flowd\"",
            (false, true) => "Basic realm=\"flowd\", charset=\"UTF-8\"",
            (true, _) => "Bearer realm=\"flowd\"",
        }
    }

    /// Whether who was let in before would be so now.
    pub(super) fn knows(&self, identity: &Identity) -> bool {
        match identity {
            Identity::Anyone => false,
            Identity::Token(token) => self.tokens.iter().any(|tag| tag.as_ref() == token),
            Identity::User { name, hash } => self.users.get(name) == Some(hash),
        }
    }

    /// Whether a request with this Authorization field, from that address, is answered.
    pub(super) async fn judge(
        &self,
        field: &str,
        address: IpAddr,
        logins: &Logins,
        checks: &Arc<Checks>,
    ) -> Verdict {
        let Some((scheme, credentials)) = field.split_once(' ') else { return Verdict::Unasked };
        let credentials = credentials.trim();
        let verdict = if scheme.eq_ignore_ascii_case("bearer") {
            self.bearer(credentials)
        } else if scheme.eq_ignore_ascii_case("basic") {
            self.basic(credentials, address, logins, checks).await
        } else {
            Verdict::Unasked
        };
        if let Verdict::Wrong(what) = verdict {
            logins.failed(address, what);
        }
        verdict
    }

    fn bearer(&self, token: &str) -> Verdict {
        // Every token, so that the time does not tell which one it was.
        match self.tokens.iter().filter(|tag| self.is(token, tag)).last() {
            Some(tag) => Verdict::Allowed(Identity::Token(tag.as_ref().to_vec())),
            None => Verdict::Wrong("a wrong token"),
        }
    }

    async fn basic(
        &self,
        credentials: &str,
        address: IpAddr,
        logins: &Logins,
        checks: &Arc<Checks>,
    ) -> Verdict {
        const WRONG: Verdict = Verdict::Wrong("a wrong user name or password");
        let text = STANDARD.decode(credentials).ok().and_then(|text| String::from_utf8(text).ok());
        let Some((name, password)) = text.as_deref().and_then(|text| text.split_once(':')) else {
            return WRONG;
        };
        let text = text.as_deref().unwrap_or_default();
        let user =
            self.users.get(name).map(|hash| Identity::User { name: name.to_owned(), hash: hash.clone() });
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        if let (Some(user), Some(tag)) = (&user, known)
            && self.is(text, &tag)
        {
            return Verdict::Allowed(user.clone());
        }
        if self.users.is_empty() {
            return WRONG;
        }
        if let Err(wait) = logins.admit(address) {
            return Verdict::Later(wait);
        }
        let (hashes, password) = (self.hashes(name), password.to_owned());
        let right = checks.run(move || {
            let is = |hash: &String| bcrypt::verify(&password, hash).unwrap_or(false);
            let right = hashes.first().is_some_and(is);
            if !right {
                // The rest of the work, whatever comes of it.
                hashes.iter().skip(1).for_each(|hash| _ = std::hint::black_box(is(hash)));
            }
            right
        });
        match (right.await, user) {
            (Ok(true), Some(user)) => {
                logins.passed(address);
                let tag = hmac::sign(&self.key, text.as_bytes());
                self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), tag);
                Verdict::Allowed(user)
            }
            (Ok(_), _) => WRONG,
            (Err(Crowded), _) => {
                logins.put_off(address);
                Verdict::Later(CROWDED)
            }
        }
    }

    /// What a password for that name is verified against: the user's hash, and then as many others that the work of a
    /// wrong one is the same for each name, whatever the cost of its hash, and whether there is such a user.
    fn hashes(&self, name: &str) -> Vec<String> {
        let decoy = |cost: u32| format!("$2b${cost:02}${DECOY}");
        let Some(hash) = self.users.get(name) else { return vec![decoy(self.cost)] };
        // A hash of cost n takes 2^n rounds: 2^a + (2^a + ... + 2^(b - 1)) = 2^b.
        let own = cost(hash).unwrap_or(self.cost);
        std::iter::once(hash.clone()).chain((own..self.cost).map(decoy)).collect()
    }

    fn is(&self, secret: &str, tag: &Tag) -> bool {
        hmac::verify(&self.key, secret.as_bytes(), tag.as_ref()).is_ok()
    }
}

fn cost(hash: &str) -> Option<u32> {
    hash.parse::<bcrypt::HashParts>().ok().map(|parts| parts.get_cost())
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
    let text =
        files::read_text(path).map_err(|source| AccessError::Read { key, path: path.to_owned(), source })?;
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
mod tests;
