//! Files: what the daemon reads and writes, and Landlock (Linux 5.13 and later; for TCP 6.7 and later), which holds it
//! to that.

use std::{
    ffi::CString,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};

/// What the kernel tells of itself: interfaces, BTF, processes, cgroups.
const SYSTEM: [&str; 2] = ["/proc", "/sys"];

/// Folders and files that the daemon uses.
#[derive(Debug, Default)]
pub struct Reach {
    read: Vec<PathBuf>,
    /// Read, without the folders that they are in.
    files: Vec<PathBuf>,
    /// Where files are made, renamed and removed.
    write: Vec<PathBuf>,
    /// Written alone: pipes and devices.
    append: Vec<PathBuf>,
    /// TCP ports to listen on, and to connect to.
    listen: Vec<u16>,
    connect: Vec<u16>,
}

impl Reach {
    /// The log at `path` is written, made, renamed and removed there.
    pub fn writes(&mut self, path: &Path) {
        match path.metadata() {
            Ok(found) if !found.is_file() => self.append.push(path.to_owned()),
            found => {
                self.write.push(folder(path));
                if let Ok(real) = path.canonicalize() {
                    self.write.push(folder(&real));
                }
                if found.is_ok() {
                    self.append.push(path.to_owned());
                }
            }
        }
    }

    /// The file at `path` is read. Its folder and not the file: editors and renewals of certificates put a new file in
    /// the old one's place, often behind a symbolic link.
    pub fn reads(&mut self, path: &Path) {
        let real = path.canonicalize().ok();
        self.read.extend(real.as_deref().map(folder));
        self.read.push(folder(path));
    }

    /// Hosts are looked up by name, for which the C library reads these files, and asks servers, by TCP where an answer
    /// is long.
    pub fn resolves(&mut self) {
        const FILES: [&str; 5] =
            ["/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/host.conf"];
        const DNS: u16 = 53;
        self.files.extend(FILES.map(PathBuf::from));
        self.connects(DNS);
    }

    /// It connects to this port of TCP, of whatever host.
    pub fn connects(&mut self, port: u16) {
        self.connect.push(port);
    }

    /// It listens on this port of TCP.
    pub fn listens(&mut self, port: u16) {
        self.listen.push(port);
    }

    /// True where file permissions let this thread use all that exists of it.
    pub(super) fn is_permitted(&self) -> bool {
        let uses = [
            (&self.read, libc::R_OK | libc::X_OK),
            (&self.files, libc::R_OK),
            (&self.write, libc::W_OK | libc::X_OK),
            (&self.append, libc::W_OK),
        ];
        uses.iter().all(|(paths, how)| paths.iter().all(|path| !path.exists() || may(path, *how)))
    }

    /// Lets this thread, and those that it will start, touch nothing else; says how well that is enforced.
    pub(super) fn restrict(&self) -> Result<&'static str, String> {
        let status = self.ruleset().map_err(|error| error.to_string())?;
        match status {
            RulesetStatus::FullyEnforced => Ok("Landlock"),
            RulesetStatus::PartiallyEnforced => Ok("Landlock, as far as this kernel has it"),
            RulesetStatus::NotEnforced => Err("this kernel has no Landlock".to_owned()),
        }
    }

    fn ruleset(&self) -> Result<RulesetStatus, RulesetError> {
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        let append = AccessFs::WriteFile | AccessFs::Truncate;
        let write = append | AccessFs::ReadDir | AccessFs::MakeReg | AccessFs::RemoveFile;
        // Whatever a kernel lacks of these is left out.
        let mut rules = Ruleset::default()
            .handle_access(AccessFs::from_all(ABI::V5))?
            .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?
            .scope(Scope::Signal)?
            .create()?;
        for (ports, access) in [(&self.listen, AccessNet::BindTcp), (&self.connect, AccessNet::ConnectTcp)] {
            for port in ports {
                rules = rules.add_rule(NetPort::new(*port, access))?;
            }
        }
        let system = SYSTEM.map(PathBuf::from);
        let file = AccessFs::ReadFile.into();
        let uses: [(&[PathBuf], BitFlags<AccessFs>); 5] = [
            (&system, read),
            (&self.read, read),
            (&self.files, file),
            (&self.write, write),
            (&self.append, append),
        ];
        for (paths, access) in uses {
            // What is not there cannot be opened either, and is told then.
            for place in paths.iter().filter_map(|path| PathFd::new(path).ok()) {
                rules = rules.add_rule(PathBeneath::new(place, access))?;
            }
        }
        Ok(rules.restrict_self()?.ruleset)
    }
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether this thread may read the file, or list the folder.
#[must_use]
pub fn may_read(path: &Path) -> bool {
    may(path, libc::R_OK)
}

/// Whether this thread may write the file, or make files in the folder.
#[must_use]
pub fn may_write(path: &Path) -> bool {
    may(path, if path.is_dir() { libc::W_OK | libc::X_OK } else { libc::W_OK })
}

/// Whether this kernel has Landlock, and it is switched on.
pub(super) fn has_landlock() -> bool {
    version() > 0
}

/// The version of this kernel's Landlock; 0 or less where it has none.
fn version() -> libc::c_long {
    const VERSION: libc::c_int = 1;
    // SAFETY: without a ruleset and with this flag the call only answers with its version.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, VERSION) }
}

/// As the effective user and with the effective capabilities, which `access(2)` does not ask about.
fn may(path: &Path, how: i32) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: the path is a string with its end, and lives until the call returns.
    unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), how, libc::AT_EACCESS) == 0 }
}

#[cfg(test)]
mod tests {
    use std::{
        fs, io,
        net::{TcpListener, TcpStream},
        thread,
    };

    use super::*;

    #[test]
    fn only_what_is_named_can_be_touched() {
        let [logs, secrets, other] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let log = logs.path().join("http.log");
        let token = secrets.path().join("tokens");
        let (stranger, elsewhere) = (other.path().join("x"), other.path().join("y"));
        fs::write(&token, "t").unwrap();
        fs::write(&stranger, "x").unwrap();
        let mut reach = Reach::default();
        reach.writes(&log);
        reach.reads(&token);
        reach.resolves();
        assert!(reach.is_permitted());
        // Of its own, as there is no way back.
        let confined = thread::spawn(move || {
            if let Err(reason) = reach.restrict() {
                assert!(reason.contains("no Landlock"), "{reason}");
                return;
            }
            fs::write(&log, "line\n").unwrap();
            fs::rename(&log, log.with_extension("1")).unwrap();
            fs::write(&log, "line\n").unwrap();
            fs::read_to_string(&token).unwrap();
            fs::read_dir("/sys/class/net").unwrap();
            assert!(fs::write(&token, "u").is_err() && fs::remove_file(&token).is_err());
            assert!(fs::read(&stranger).is_err() && fs::write(&elsewhere, "y").is_err());
            assert!(fs::read("/etc/passwd").is_err());
            fs::read("/etc/hosts").unwrap();
        });
        confined.join().unwrap();
        assert!(fs::read("/etc/passwd").is_ok(), "another thread is not confined");
    }

    #[test]
    fn only_its_own_port_is_listened_on_and_nobody_is_called() {
        const TCP: libc::c_long = 4;
        if version() < TCP {
            return;
        }
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let there = other.local_addr().unwrap();
        let own = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut reach = Reach::default();
        reach.listens(own.port());
        let confined = thread::spawn(move || {
            assert_eq!(reach.restrict(), Ok("Landlock"));
            let listener = TcpListener::bind(own).unwrap();
            let denied = Some(io::ErrorKind::PermissionDenied);
            assert_eq!(TcpListener::bind("127.0.0.1:0").err().map(|error| error.kind()), denied);
            for address in [there, own] {
                assert_eq!(TcpStream::connect(address).err().map(|error| error.kind()), denied);
            }
            listener
        });
        let listener = confined.join().unwrap();
        TcpStream::connect(own).unwrap();
        listener.accept().unwrap();
    }
}
