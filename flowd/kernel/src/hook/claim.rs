//! Who watches an interface: one flowd per interface, or packets count twice and filters replace each other.
//!
//! The claim is a name among abstract Unix sockets (unix(7)) at which its holder listens. Such names are told apart by
//! network namespace, as interface indices are; they need no file and no privilege, and they go with the process, however
//! it ends. Anybody can take one: a holder that is neither root nor this process's own user is passed over, and the next
//! of some names is taken.

use std::{
    fmt, io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixListener},
    },
    thread,
    time::Duration,
};

use crate::{
    KernelError,
    sys::owner::{self, Owner},
};

/// Names of one claim.
const NAMES: usize = 8;
/// How often a name is asked whose holder has not begun to listen, and the pause between.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_millis(10);

/// Nobody else watches the interface until this is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    _name: UnixListener,
}

impl Claim {
    /// Claims an interface of this network namespace.
    ///
    /// # Errors
    /// Names the process that has it, or the users that hold all names.
    pub(crate) fn take(interface: &str, ifindex: u32) -> Result<Self, KernelError> {
        let (mut taken, mut strangers) = (None, Vec::new());
        for number in 0..NAMES {
            let name = name(ifindex, number);
            if taken.is_none() {
                match bind(&name) {
                    Ok(socket) => {
                        taken = Some(socket);
                        continue;
                    }
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                    Err(error) => {
                        let detail = format!("its name for other flowds: {error}");
                        return Err(KernelError::Attach { interface: interface.to_owned(), detail });
                    }
                }
            }
            match holder(&name) {
                Holder::Nobody => {}
                Holder::Stranger(user) => strangers.push(user),
                Holder::Trusted(owner) => {
                    let holder = describe(owner);
                    return Err(KernelError::InUse { interface: interface.to_owned(), holder });
                }
            }
        }
        let Some(name) = taken else {
            let users: Vec<String> = strangers.iter().map(ToString::to_string).collect();
            return Err(KernelError::Claimed { interface: interface.to_owned(), users: users.join(", ") });
        };
        Ok(Self { _name: name })
    }
}

/// Whether this process has the interface.
pub(crate) fn is_own(ifindex: u32) -> bool {
    let process = std::process::id();
    let mut names = (0..NAMES).map(|number| name(ifindex, number));
    names.any(|name| owner::of(&name).ok().flatten().is_some_and(|owner| owner.process == process))
}

enum Holder {
    Nobody,
    /// Root, or this process's own user.
    Trusted(Owner),
    Stranger(User),
}

/// A user who holds a name.
enum User {
    Known(u32),
    /// It does not listen, as a flowd would.
    Unknown,
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(user) => write!(f, "uid {user}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

fn holder(name: &str) -> Holder {
    for _ in 0..TRIES {
        match owner::of(name) {
            Ok(Some(owner)) if is_trusted(owner, owner::user()) => return Holder::Trusted(owner),
            Ok(Some(owner)) => return Holder::Stranger(User::Known(owner.user)),
            Err(_) => return Holder::Stranger(User::Unknown),
            // Nobody has it, or its holder is about to listen.
            Ok(None) if is_free(name) => return Holder::Nobody,
            Ok(None) => thread::sleep(PAUSE),
        }
    }
    Holder::Stranger(User::Unknown)
}

/// Whether it may be a flowd, for a process that acts as `own`.
const fn is_trusted(owner: Owner, own: u32) -> bool {
    owner.user == 0 || owner.user == own
}

/// Whether the name can be had; gives it back at once.
fn is_free(name: &str) -> bool {
    bind(name).is_ok()
}

fn bind(name: &str) -> io::Result<UnixListener> {
    UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)
}

fn name(ifindex: u32, number: usize) -> String {
    format!("flowd/interface/{ifindex}/{number}")
}

fn describe(owner: Owner) -> String {
    match owner {
        Owner { process: 0, user } => format!("a process of another PID namespace, uid {user}"),
        Owner { process, user } => format!("process {process}, uid {user}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    /// No interface has it.
    fn ifindex(number: u32) -> u32 {
        u32::MAX - std::process::id() * 4 - number
    }

    #[test]
    fn an_interface_has_one_holder_at_a_time() {
        let ifindex = ifindex(0);
        let first = Claim::take("x0", ifindex).unwrap();
        Claim::take("x1", ifindex - 1).unwrap();
        let error = Claim::take("x0", ifindex).unwrap_err().to_string();
        let process = format!("process {}, uid {}", std::process::id(), owner::user());
        assert!(error.contains("x0") && error.contains(&process), "{error}");
        assert!(is_own(ifindex));
        drop(first);
        assert!(!is_own(ifindex));
        Claim::take("x0", ifindex).unwrap();
    }

    #[test]
    fn who_holds_a_name_and_is_no_flowd_is_passed_over() {
        let ifindex = ifindex(2);
        // Has the name and does not listen.
        let take = |number| owner::tests::bound(&name(ifindex, number));
        let mut strangers: Vec<OwnedFd> = vec![take(0)];
        let second = Claim::take("x0", ifindex).unwrap();
        // The claim holds although the first name is free again.
        strangers.clear();
        let error = Claim::take("x0", ifindex).unwrap_err().to_string();
        assert!(error.contains("another flowd"), "{error}");
        drop(second);
        strangers.extend((0..NAMES).map(take));
        let error = Claim::take("x0", ifindex).unwrap_err().to_string();
        assert!(error.contains("unknown, unknown") && error.contains("ss -xlp"), "{error}");
    }

    #[test]
    fn root_and_the_own_user_are_trusted() {
        let owner = |user| Owner { process: 7, user };
        for (user, own, trusted) in [(0, 998, true), (998, 998, true), (1_000, 998, false), (998, 0, false)] {
            assert_eq!(is_trusted(owner(user), own), trusted, "{user} by {own}");
        }
    }
}
