//! What flowd tells the service manager that started it, by sd_notify(3)'s protocol: a datagram of lines to the
//! socket that the environment names. Nothing is told, and nothing fails, where there is none.

use std::{
    env, io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram},
    },
    path::Path,
    time::Duration,
};

use tracing::debug;

/// A service manager, or none.
#[derive(Debug, Default)]
pub struct Service {
    manager: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Service {
    /// The one that started this process.
    #[must_use]
    pub fn of_environment() -> Self {
        let variable = |name| env::var(name).ok().filter(|text: &String| !text.is_empty());
        let Some(address) = variable("NOTIFY_SOCKET") else { return Self::default() };
        // Inherited, it would be meant for another process.
        let ours = variable("WATCHDOG_PID").is_none_or(|id| id == std::process::id().to_string());
        let limit = variable("WATCHDOG_USEC").filter(|_| ours).and_then(|limit| limit.parse().ok());
        Self::at(&address, limit.filter(|limit| *limit > 0).map(Duration::from_micros)).unwrap_or_else(
            |error| {
                debug!("NOTIFY_SOCKET={address}: {error}");
                Self::default()
            },
        )
    }

    /// The one that listens at `address`, a path or a name in the abstract namespace after "@", and ends this
    /// process where it has not heard of it for the time of `watchdog`.
    ///
    /// # Errors
    /// The address is none, or there are no descriptors left.
    pub fn at(address: &str, watchdog: Option<Duration>) -> io::Result<Self> {
        let address = match address.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(Path::new(address))?,
        };
        let socket = UnixDatagram::unbound()?;
        // A manager that does not read holds nobody up.
        socket.set_nonblocking(true)?;
        Ok(Self { manager: Some((socket, address)), watchdog })
    }

    /// Within which it wants to hear that flowd is alive.
    #[must_use]
    pub const fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Started, or through with a reload.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// A reload has begun at `now`, ns of CLOCK_MONOTONIC, by which the manager knows whether it was the one that
    /// it asked for.
    pub fn reloading(&self, now: u64) {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", now / 1_000));
    }

    /// The end has begun.
    pub fn stopping(&self, why: &str) {
        self.tell(&format!("STOPPING=1\nSTATUS={why}"));
    }

    /// How it goes, in one line; `alive` also for the watchdog.
    pub fn status(&self, status: &str, alive: bool) {
        self.tell(&format!("STATUS={status}{}", if alive { "\nWATCHDOG=1" } else { "" }));
    }

    fn tell(&self, text: &str) {
        if let Some((socket, address)) = &self.manager
            && let Err(error) = socket.send_to_addr(text.as_bytes(), address)
        {
            debug!("the service manager was not told: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 512];
        let len = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..len].to_vec()).unwrap()
    }

    #[test]
    fn what_is_told_is_heard_at_a_path_and_at_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("flowd-test-{}", std::process::id());
        let named = SocketAddr::from_abstract_name(&name).unwrap();
        for (manager, address) in [
            (UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap().to_owned()),
            (UnixDatagram::bind_addr(&named).unwrap(), format!("@{name}")),
        ] {
            let service = Service::at(&address, None).unwrap();
            service.ready("watching lo");
            assert_eq!(heard(&manager), "READY=1\nSTATUS=watching lo");
            service.reloading(1_234_567);
            assert_eq!(heard(&manager), "RELOADING=1\nMONOTONIC_USEC=1234");
            service.status("well", true);
            assert_eq!(heard(&manager), "STATUS=well\nWATCHDOG=1");
            service.status("not so well", false);
            assert_eq!(heard(&manager), "STATUS=not so well");
            service.stopping("SIGTERM");
            assert_eq!(heard(&manager), "STOPPING=1\nSTATUS=SIGTERM");
            // Gone, or deaf: nobody waits.
            drop(manager);
            service.ready("");
        }
    }

    #[test]
    fn a_manager_that_does_not_read_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let _deaf = UnixDatagram::bind(&path).unwrap();
        let service = Service::at(path.to_str().unwrap(), None).unwrap();
        (0..10_000).for_each(|_| service.status("", true));
    }
}
