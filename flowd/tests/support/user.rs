//! flowd as another user: with `FLOWD_TEST_USER=nobody` every daemon of these tests runs as nobody, with the
//! three capabilities that the README names and no others.

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use tempfile::TempDir;

use super::{
    namespace::Namespace,
    process::{attempt, run},
};

const VARIABLE: &str = "FLOWD_TEST_USER";
const CAPABILITIES: &str = "-all,+bpf,+perfmon,+net_admin";

struct User {
    uid: u32,
    gid: u32,
}

fn user() -> Option<&'static User> {
    static USER: OnceLock<Option<User>> = OnceLock::new();
    let ask = || {
        let name = env::var(VARIABLE).ok()?;
        let id = |what: &str| run(Command::new("id").args([what, &*name])).trim().parse().unwrap();
        Some(User { uid: id("-u"), gid: id("-g") })
    };
    USER.get_or_init(ask).as_ref()
}

/// True if flowd runs as another user.
pub fn is_other() -> bool {
    user().is_some()
}

/// A copy where everybody may run it, which a build folder may not be.
fn binary() -> &'static Path {
    static COPY: OnceLock<PathBuf> = OnceLock::new();
    extern "C" fn remove() {
        if let Some(copy) = COPY.get() {
            let _ = fs::remove_file(copy);
        }
    }
    COPY.get_or_init(|| {
        let copy = env::temp_dir().join(format!("flowd-test-{}", std::process::id()));
        // By a program of its own: a descriptor for writing, inherited by whatever starts meanwhile, would keep
        // the copy busy.
        run(Command::new("cp").arg(env!("CARGO_BIN_EXE_flowd")).arg(&copy));
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
        // SAFETY: the function takes nothing and does not unwind.
        unsafe { libc::atexit(remove) };
        copy
    })
}

/// The binary under test, as that user.
pub fn command(namespace: &Namespace) -> Command {
    let Some(User { uid, gid }) = user() else { return namespace.command(env!("CARGO_BIN_EXE_flowd")) };
    let mut command = namespace.command("setpriv");
    command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()]);
    command
        .args(["--inh-caps", "--ambient-caps", "--bounding-set"].map(|set| format!("{set}={CAPABILITIES}")));
    command.arg("--no-new-privs").arg(binary());
    command
}

/// A scratch folder that belongs to that user.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    own(folder.path());
    folder
}

/// Gives a file or folder to that user.
pub fn own(path: &Path) {
    if let Some(User { uid, gid }) = user() {
        chown(path, Some(*uid), Some(*gid)).unwrap();
    }
}

/// Self-signed, for 127.0.0.1: certificate and key under these names in `folder`.
pub fn certificate(folder: &Path, name: &str) -> [PathBuf; 2] {
    certified(folder, name, &[])
}

/// The same of a server, signed by another.
pub fn signed(folder: &Path, name: &str, issuer: &[PathBuf; 2]) -> [PathBuf; 2] {
    let [issuer, key] = issuer.each_ref().map(|path| path.to_str().unwrap());
    certified(folder, name, &["-addext", "basicConstraints=critical,CA:FALSE", "-CA", issuer, "-CAkey", key])
}

fn certified(folder: &Path, name: &str, more: &[&str]) -> [PathBuf; 2] {
    let [certificate, key] = ["pem", "key"].map(|kind| folder.join(format!("{name}.{kind}")));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    openssl.args(["-days", "2", "-subj", &format!("/CN={name}"), "-addext", "subjectAltName=IP:127.0.0.1"]);
    let made = attempt(openssl.args(more).arg("-out").arg(&certificate).arg("-keyout").arg(&key));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    own(&certificate);
    own(&key);
    [certificate, key]
}
