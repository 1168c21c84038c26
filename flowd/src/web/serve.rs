//! Accepts connections and bounds what a client can take: places, size and time of a request's head.

mod request;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{MissedTickBehavior, timeout},
};
use tracing::{debug, warn};
use warp::{filters::BoxedFilter, reply::Response};

pub(super) use request::Gate;

use super::{
    patient::Patient,
    places::{Places, Seat},
};
use crate::telemetry::Part;

/// Bytes of a request's head.
const HEAD: usize = 16 * 1024;
/// Bytes that wait in the kernel for a client, of which it takes twice as many for its own account.
const SEND_BUFFER: u32 = 64 * 1024;
/// Connections that wait in the kernel to be accepted.
const BACKLOG: u32 = 1_024;
/// Header fields of a request.
const FIELDS: usize = 64;
/// How long a head may take, and a connection stay open without a request. Above the usual scrape interval.
const PATIENCE: Duration = Duration::from_secs(75);
/// How long a client may take nothing of its answer.
const STALLED: Duration = Duration::from_secs(30);
/// After a failed accept, as without free descriptors: until some are free again.
const PAUSE: Duration = Duration::from_millis(100);
/// Clients that are told so at once; more are cut off.
const REFUSING: usize = 16;
/// How long that may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// What a client is told for whom there is no place.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The address cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; {}", remedy(source))]
pub struct WebError {
    pub address: SocketAddr,
    pub source: io::Error,
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program, or another flowd, has this port: stop it or choose another with --listen"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE: choose one above",
        io::ErrorKind::AddrNotAvailable => {
            "this host does not have the address: choose another with --listen"
        }
        _ => "choose another address with --listen",
    }
}

/// Takes the address, so that a busy port is known before anything is attached.
///
/// # Errors
/// Names the address and the remedy.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, WebError> {
    listen(address).map_err(|source| WebError { address, source })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // Connections have it from here. Else the kernel lets it grow to megabytes for each client that does not read.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Answers with `routes` until `stop` is done, then finishes what is under way. Calls `beat` while it goes on.
pub(super) async fn accept(
    listener: TcpListener,
    routes: BoxedFilter<(Response,)>,
    gate: Gate,
    places: Arc<Places>,
    beat: impl Fn() + Send,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let (shutdown, refusing) = (GracefulShutdown::new(), Arc::new(Semaphore::new(REFUSING)));
    let mut stop = std::pin::pin!(stop);
    let mut beats = tokio::time::interval(Part::BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            _ = beats.tick() => {
                beat();
                places.sweep();
                continue;
            }
            () = gate.guard.changed() => {
                places.revoke(|identity| gate.guard.knows(identity));
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!("cannot accept a connection: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(place) = places.take(address.ip()) else {
            // In TLS the answer could not be read.
            if let (None, Ok(turn)) = (gate.guard.tls(), Arc::clone(&refusing).try_acquire_owned()) {
                tokio::spawn(refuse(stream, turn));
            }
            continue;
        };
        let connection =
            connection(stream, routes.clone(), gate.clone(), Arc::clone(place.seat()), shutdown.watcher());
        tokio::spawn(async move {
            tokio::select! {
                () = connection => {}
                () = place.seat().leaves() => debug!("connection: others need its place"),
            }
        });
    }
    drop(listener);
    shutdown.shutdown().await;
}

/// Tells a client that there is no place for it. What it has said already is read: else the end of the connection
/// would reach it before the answer does (RFC 9112 section 9.6).
async fn refuse(mut stream: TcpStream, _turn: OwnedSemaphorePermit) {
    let told = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        let mut said = [0; 1_024];
        while stream.read(&mut said).await? > 0 {}
        io::Result::Ok(())
    };
    let _ = timeout(GOODBYE, told).await;
}

/// Serves one connection to its end.
async fn connection(
    stream: TcpStream,
    routes: BoxedFilter<(Response,)>,
    gate: Gate,
    seat: Arc<Seat>,
    watcher: Watcher,
) {
    let tls = gate.guard.tls();
    let (protocol, service) = (protocol(), request::service(routes, gate, Arc::clone(&seat)));
    let done = match tls {
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => watcher.watch(protocol.serve_connection(patient(stream, seat), service)).await,
            Err(error) => {
                debug!("TLS: {error}");
                return;
            }
        },
        None => watcher.watch(protocol.serve_connection(patient(stream, seat), service)).await,
    };
    if let Err(error) = done {
        // The client's doing: gone, too slow, or no HTTP.
        debug!("connection: {error}");
    }
}

fn patient<S>(stream: S, seat: Arc<Seat>) -> TokioIo<Patient<S>> {
    TokioIo::new(Patient::new(stream, STALLED, seat))
}

fn protocol() -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    protocol.max_buf_size(HEAD).max_headers(FIELDS);
    protocol
}

/// Answers the requests of one stream, as [`accept`] does those of each connection.
pub(super) async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    routes: BoxedFilter<(Response,)>,
    gate: Gate,
) {
    let seat = Arc::new(Seat::alone());
    let service = request::service(routes, gate, Arc::clone(&seat));
    // Such a stream says all at once, and ends with that.
    let connection = protocol().half_close(true).serve_connection(patient(stream, seat), service);
    if let Err(error) = connection.await {
        debug!("connection: {error}");
    }
}
