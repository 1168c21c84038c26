//! TLS to a daemon whose certificate is trusted: by the system's authorities, or by a file that the user names.

use std::{
    fmt, io,
    net::TcpStream,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_rustls::rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme, StreamOwned,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};

use super::{error::TailError, url::Url};

/// Where distributions keep the authorities that the system trusts: Debian, Fedora, openSUSE, others.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Shakes hands over `socket`. Trusts the certificates of the PEM file `ca`, or those of the system.
pub(super) fn shake(
    socket: TcpStream,
    url: &Url,
    ca: Option<&Path>,
) -> Result<StreamOwned<ClientConnection, TcpStream>, TailError> {
    let path = ca.map(Path::to_owned).or_else(system).unwrap_or_else(|| PathBuf::from(SYSTEM[0]));
    let trusted = trusted(&path)?;
    let tls = |source: Box<dyn std::error::Error + Send + Sync>| TailError::Tls {
        url: url.to_string(),
        path: path.clone(),
        source,
    };
    let name = ServerName::try_from(url.host.clone()).map_err(|error| tls(error.into()))?;
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    // The verifier is that of rustls but for one rule, which it tells itself.
    let config = config.map_err(|error| tls(error.into()))?.dangerous();
    let config = config.with_custom_certificate_verifier(trusted).with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), name).map_err(|error| tls(error.into()))?;
    let mut stream = StreamOwned::new(connection, socket);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => tls(error.into()),
            // Of the connection: it may work later.
            _ => TailError::Connect { url: url.to_string(), source: error },
        })?;
    }
    Ok(stream)
}

fn system() -> Option<PathBuf> {
    SYSTEM.iter().map(PathBuf::from).find(|path| path.exists())
}

fn trusted(path: &Path) -> Result<Arc<Trusted>, TailError> {
    let fail = |problem: String| TailError::Ca { path: path.to_owned(), problem };
    let named = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let named = named.map_err(|error| fail(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    // Some of a system's many may be of a kind that cannot be read; the others are good all the same.
    let (taken, _) = roots.add_parsable_certificates(named.iter().cloned());
    if taken == 0 {
        return Err(fail("there is no certificate in it".to_owned()));
    }
    let provider = Arc::new(ring::default_provider());
    let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    Ok(Arc::new(Trusted { chains: chains.map_err(|error| fail(error.to_string()))?, named }))
}

/// Chains to a trusted authority; or the very certificate that was named, which may be its own authority: `openssl req
/// -x509` makes such, marked as an authority's, which no server may show by the rules of chains (RFC 5280 section
/// 4.2.1.9).
struct Trusted {
    chains: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Trusted {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.chains.verify_server_cert(shown, between, name, ocsp, now) {
            // Its dates were found good before its kind was looked at: else the error is another.
            Err(Error::InvalidCertificate(CertificateError::Other(_))) if self.named.contains(shown) => {
                verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, shown, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, shown, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

impl fmt::Debug for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trusted")
    }
}
