//! TLS for the web server.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{self, PemObject as _},
        },
    },
    server::TlsStream,
};

use super::certificate::Validity;
use crate::{config::Web, files};

/// How long a client may take for the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot use {key} {}: {source}; name a PEM file that this user may read", path.display())]
    Pem { key: &'static str, path: PathBuf, source: pem::Error },
    #[error("cannot read {key} {}: {source}; name a PEM file that this user may read", path.display())]
    Read { key: &'static str, path: PathBuf, source: io::Error },
    #[error("web.tls_certificate {} holds no certificate; name a PEM file of the certificate and its chain", path.display())]
    Empty { path: PathBuf },
    #[error("web.tls_certificate and web.tls_key: {0}; do they belong together?")]
    Pair(rustls::Error),
}

/// Speaks TLS with a certificate.
#[derive(Clone)]
pub(super) struct Tls(TlsAcceptor);

impl Tls {
    /// Reads certificate and key; `None` where none is named.
    pub(super) fn load(web: &Web) -> Result<Option<Self>, TlsError> {
        if !web.tls() {
            return Ok(None);
        }
        let (certificate, key) = (Path::new(&web.tls_certificate), Path::new(&web.tls_key));
        let fail = |key, path: &Path| {
            let path = path.to_owned();
            move |source| TlsError::Pem { key, path, source }
        };
        let read = |key, path: &Path| {
            files::read(path).map_err(|source| TlsError::Read { key, path: path.to_owned(), source })
        };
        let chain = CertificateDer::pem_slice_iter(&read("web.tls_certificate", certificate)?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(fail("web.tls_certificate", certificate))?;
        if chain.is_empty() {
            return Err(TlsError::Empty { path: certificate.to_owned() });
        }
        let key =
            PrivateKeyDer::from_pem_slice(&read("web.tls_key", key)?).map_err(fail("web.tls_key", key))?;
        // TLS 1.2 and 1.3.
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Pair)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(TlsError::Pair)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Self(TlsAcceptor::from(Arc::new(config)))))
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let handshake = tokio::time::timeout(HANDSHAKE, self.0.accept(stream));
        handshake.await.map_err(|_| io::ErrorKind::TimedOut)?
    }
}

/// What is to be said of how long the certificates of the file hold: of the first of its chain of which there is
/// something to say. Nothing where it cannot be read, which is told elsewhere.
#[must_use]
pub fn certificate_remark(file: &Path, now: SystemTime) -> Option<String> {
    let text = files::read(file).ok()?;
    CertificateDer::pem_slice_iter(&text)
        .flatten()
        .find_map(|certificate| Validity::of(&certificate)?.remark(now))
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}
