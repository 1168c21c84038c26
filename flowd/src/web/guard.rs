//! What stands between a client and the answers: TLS and the question who it is, both of which may change
//! while connections are open.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::sync::Notify;
use tracing::{info, warn};

use super::{
    access::{Access, AccessError, Verdict},
    checks::Checks,
    identity::Identity,
    logins::Logins,
    tls::{Tls, TlsError},
};
use crate::config::Web;

/// Certificates, users or tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// Who asks is not answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stopped {
    /// The request says nothing, or nothing right, about who asks; what it may be answered with.
    Unknown(&'static str),
    /// Not before so much time has passed.
    Later(Duration),
}

impl warp::reject::Reject for Stopped {}

/// What was read from the files.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    tls: Option<Tls>,
    access: Option<Arc<Access>>,
    /// Names that the API answers to.
    hosts: Arc<[String]>,
}

/// The same for every connection; clones are handles to one.
#[derive(Clone, Debug, Default)]
pub struct Guard(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    secrets: RwLock<Secrets>,
    /// Hears of other ones.
    changed: Notify,
    checks: Arc<Checks>,
}

impl Guard {
    /// Reads the files that are named.
    ///
    /// # Errors
    /// Names the key, the file, and what is wrong with it.
    pub fn load(web: &Web) -> Result<Self, GuardError> {
        let secrets = RwLock::new(Secrets::load(web, None)?);
        Ok(Self(Arc::new(Inner { secrets, ..Inner::default() })))
    }

    /// Reads the files again, without taking them over.
    ///
    /// # Errors
    /// Names the key, the file, and what is wrong with it.
    pub fn renewed(&self, web: &Web) -> Result<Secrets, GuardError> {
        Secrets::load(web, self.access().as_deref())
    }

    /// Goes on with these. Answers under way to those who may no longer ask are cut off.
    pub fn take_over(&self, secrets: Secrets) {
        let told = secrets.tls.is_some() || secrets.access.is_some();
        *self.0.secrets.write().unwrap_or_else(PoisonError::into_inner) = secrets;
        self.0.changed.notify_one();
        if told {
            info!("certificate, users and tokens read again");
        }
    }

    /// Says where anyone, or anyone on the way, could read what is not meant for them.
    pub fn warn(&self, address: SocketAddr) {
        let Secrets { tls, access, .. } = self.secrets();
        if address.ip().is_loopback() {
            return;
        }
        if access.is_none() {
            warn!(
                "anyone who reaches {address} may read flows and requests: set web.users or web.tokens, or listen on 127.0.0.1"
            );
        } else if tls.is_none() {
            warn!(
                "passwords and tokens cross the network in clear text: set web.tls_certificate and web.tls_key"
            );
        }
    }

    /// Waits until others were taken over.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Whether who was let in before still may ask.
    pub(super) fn knows(&self, identity: &Identity) -> bool {
        match self.access() {
            Some(access) => access.knows(identity),
            None => true,
        }
    }

    /// Whether a request with this Authorization field, from that address, is answered.
    pub(super) async fn judge(
        &self,
        field: &str,
        address: IpAddr,
        logins: &Logins,
    ) -> Result<Identity, Stopped> {
        let Some(access) = self.access() else { return Ok(Identity::Anyone) };
        match access.judge(field, address, logins, &self.0.checks).await {
            Verdict::Allowed(identity) => Ok(identity),
            Verdict::Later(wait) => Err(Stopped::Later(wait)),
            Verdict::Unasked | Verdict::Wrong(_) => Err(Stopped::Unknown(access.challenge())),
        }
    }

    pub(super) fn tls(&self) -> Option<Tls> {
        self.secrets().tls
    }

    pub(super) fn access(&self) -> Option<Arc<Access>> {
        self.secrets().access
    }

    /// Names that the API answers to beside addresses and localhost.
    pub(super) fn hosts(&self) -> Arc<[String]> {
        self.secrets().hosts
    }

    fn secrets(&self) -> Secrets {
        self.0.secrets.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Secrets {
    fn load(web: &Web, before: Option<&Access>) -> Result<Self, GuardError> {
        Ok(Self { tls: Tls::load(web)?, access: Access::load(web, before)?, hosts: web.hosts.clone().into() })
    }
}
