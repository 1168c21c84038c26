//! Who watches an interface: one flowd per interface, or packets count twice and filters replace each other.
//!
//! The claim is a name among abstract Unix sockets (unix(7)). Such names are told apart by network namespace,
//! as interface indices are; they need no file and no privilege, and they go with the process, however it ends.

use std::{
    fs, io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram},
    },
};

use crate::KernelError;

/// Nobody else watches the interface until this is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    _name: UnixDatagram,
    /// Tells a second flowd who has the first.
    _holder: Option<UnixDatagram>,
}

impl Claim {
    /// Claims an interface of this network namespace.
    ///
    /// # Errors
    /// Names the process that has it.
    pub(crate) fn take(interface: &str, ifindex: u32) -> Result<Self, KernelError> {
        let name = match bind(&name(ifindex)) {
            Ok(name) => name,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(KernelError::InUse { interface: interface.to_owned(), holder: holder(ifindex) });
            }
            Err(error) => {
                let detail = format!("its name for other flowds: {error}");
                return Err(KernelError::Attach { interface: interface.to_owned(), detail });
            }
        };
        // Without it the other is only less well known.
        let holder = bind(&format!("{}{}", holders(ifindex), std::process::id())).ok();
        Ok(Self { _name: name, _holder: holder })
    }
}

/// Whether this process has the interface.
pub(crate) fn is_own(ifindex: u32) -> bool {
    let sockets = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let own = format!("@{}{}", holders(ifindex), std::process::id());
    sockets.lines().any(|line| line.ends_with(&own))
}

fn bind(name: &str) -> io::Result<UnixDatagram> {
    UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name)?)
}

fn name(ifindex: u32) -> String {
    format!("flowd/interface/{ifindex}")
}

/// What the names of the holder's second socket begin with; its process id follows.
fn holders(ifindex: u32) -> String {
    format!("{}/process/", name(ifindex))
}

fn holder(ifindex: u32) -> String {
    let sockets = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    // The kernel shows the zero byte that such names begin with as "@".
    let prefix = format!("@{}", holders(ifindex));
    let mut words = sockets.lines().filter_map(|line| line.split_whitespace().last());
    words.find_map(|word| word.strip_prefix(&prefix)).map_or_else(
        || "of unknown process id".to_owned(),
        // It may be that of another PID namespace.
        |process| format!("process {process}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_has_one_holder_at_a_time() {
        // No interface has this index.
        let ifindex = u32::MAX - std::process::id();
        let first = Claim::take("x0", ifindex).unwrap();
        Claim::take("x1", ifindex - 1).unwrap();
        let error = Claim::take("x0", ifindex).unwrap_err().to_string();
        let process = format!("process {}", std::process::id());
        assert!(error.contains("x0") && error.contains(&process), "{error}");
        assert!(is_own(ifindex));
        drop(first);
        assert!(!is_own(ifindex));
        Claim::take("x0", ifindex).unwrap();
    }
}
