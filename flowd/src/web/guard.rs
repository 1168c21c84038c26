//! What stands between a client and the answers: TLS and the question who it is, both of which may change
//! while connections are open.

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use tracing::{info, warn};

use super::{
    access::{Access, AccessError},
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
pub struct Guard(Arc<RwLock<Secrets>>);

impl Guard {
    /// Reads the files that are named.
    ///
    /// # Errors
    /// Names the key, the file, and what is wrong with it.
    pub fn load(web: &Web) -> Result<Self, GuardError> {
        Ok(Self(Arc::new(RwLock::new(Secrets::load(web)?))))
    }

    /// Goes on with these; requests under way keep what they began with.
    pub fn take_over(&self, secrets: Secrets) {
        let told = secrets.tls.is_some() || secrets.access.is_some();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = secrets;
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
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Secrets {
    /// Reads the files that are named.
    ///
    /// # Errors
    /// Names the key, the file, and what is wrong with it.
    pub fn load(web: &Web) -> Result<Self, GuardError> {
        Ok(Self { tls: Tls::load(web)?, access: Access::load(web)?, hosts: web.hosts.clone().into() })
    }
}
