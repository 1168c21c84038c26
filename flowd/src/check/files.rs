//! Files of logs and secrets.

use std::{fs::Metadata, os::unix::fs::PermissionsExt as _, path::Path, time::SystemTime};

use super::requirement::Check;
use crate::{
    config::Config,
    privileges::{may_read, may_write},
    web::{self, Guard},
};

/// The key of the one file that is no secret.
const CERTIFICATE: &str = "web.tls_certificate";
/// What others than owner and group may do.
const OTHERS: u32 = 0o007;

pub(super) fn logs(config: &Config) -> Vec<Check> {
    let sinks = config.sinks("").unwrap_or_default();
    let written = sinks.iter().filter_map(|sink| {
        let key = if *sink.label == sink.url.address() { "sink" } else { &*sink.label };
        (sink.scheme.reach)(&sink.url).writes.map(|path| log(key, &path))
    });
    written.collect()
}

fn log(key: &str, path: &Path) -> Check {
    let name = format!("{key} {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = folder.display();
    if !folder.is_dir() {
        return Check::missing(name, format!("{shown} is no folder"), format!("make it: mkdir -p {shown}"));
    }
    match path.metadata() {
        Ok(found) if found.is_dir() => Check::missing(name, "it is a folder", "name a file in it"),
        Ok(_) if !may_write(path) => Check::missing(
            name,
            "this user may not write it",
            format!("chown it to flowd's user: {}", path.display()),
        ),
        Ok(found) if found.is_file() && open_to_others(&found) => {
            let remedy = format!("chmod o= {}: it tells who talked to whom", path.display());
            Check::warning(name, format!("anyone may read it (mode {:03o})", mode(&found)), remedy)
        }
        found if !may_write(folder) => {
            let remedy = format!("let flowd's user write to {shown}");
            let detail = format!("this user may not make files in {shown}");
            match found {
                // It goes on for as long as nobody renames the file.
                Ok(_) => Check::warning(name, format!("{detail}: it cannot be rotated"), remedy),
                Err(_) => Check::missing(name, detail, remedy),
            }
        }
        _ => Check::ok(name, "this user may write it"),
    }
}

/// Certificates, keys, users, tokens: whether they can be read, by whom else, and how long certificates hold.
pub(super) fn secrets(config: &Config) -> Vec<Check> {
    config.web.files().map(|(key, path)| secret(key, Path::new(path))).collect()
}

/// The same, and whether they can be used.
pub(super) fn usable_secrets(config: &Config) -> Vec<Check> {
    let mut checks = secrets(config);
    if let Err(error) = Guard::load(&config.web) {
        checks.push(Check::missing("web", "its files cannot be used", error.to_string()));
    }
    checks
}

fn secret(key: &str, path: &Path) -> Check {
    let name = format!("{key} {}", path.display());
    match path.metadata() {
        Err(error) => Check::missing(name, error.to_string(), "name a file that is there"),
        Ok(_) if !may_read(path) => {
            Check::missing(name, "this user may not read it", "give it to flowd's user or a group of it")
        }
        // A certificate is public.
        Ok(_) if key == CERTIFICATE => match web::certificate_remark(path, SystemTime::now()) {
            Some(remark) => Check::warning(name, remark, "renew it, and send SIGHUP to flowd"),
            None => Check::ok(name, "this user may read it"),
        },
        Ok(found) if open_to_others(&found) => {
            let remedy = format!("chmod o= {}", path.display());
            Check::warning(name, format!("anyone may read it (mode {:03o})", mode(&found)), remedy)
        }
        Ok(_) => Check::ok(name, "this user may read it"),
    }
}

fn mode(found: &Metadata) -> u32 {
    found.permissions().mode() & 0o777
}

fn open_to_others(found: &Metadata) -> bool {
    mode(found) & OTHERS != 0
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;
    use crate::check::Status;

    #[test]
    fn logs_and_secrets_by_what_is_wrong_with_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            fs::write(&path, "0123456789abcdef\n").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        };
        let absent = folder.path().join("absent");
        for (check, status, part) in [
            (log("l", &file("own", 0o640)), Status::Ok, "may write"),
            (log("l", &absent), Status::Ok, "may write"),
            (log("l", &file("open", 0o644)), Status::Warning, "644"),
            (log("l", folder.path()), Status::Missing, "folder"),
            (log("l", &absent.join("x")), Status::Missing, "no folder"),
            (secret("web.tokens", &file("open", 0o644)), Status::Warning, "644"),
            (secret("web.tokens", &file("own", 0o600)), Status::Ok, "may read"),
            (secret("web.tls_certificate", &file("open", 0o644)), Status::Ok, "may read"),
            (secret("web.tokens", &absent), Status::Missing, "No such file"),
        ] {
            assert_eq!(check.status, status, "{check:?}");
            assert!(check.detail.contains(part), "{check:?}");
            assert_eq!(check.remedy.is_none(), status == Status::Ok);
        }
    }
}
