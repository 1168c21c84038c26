//! `file:PATH`: lines in a file or on standard output, with rotation.

use std::{io, path::PathBuf, sync::Arc};

use super::{
    files::{Files, SharedFile},
    lines::{FORMATS, Lines},
    scheme::{Halves, Reach, Scheme},
    transport::{Failure, Transport},
    url::Url,
};

/// The line of the registry.
pub(super) const SCHEME: Scheme = Scheme {
    name: "file",
    thread: "sink file",
    form: "file:PATH (file:- is standard output)",
    remedy: "make the folder, or name a path this user may write, or - for standard output",
    formats: FORMATS,
    options: &[],
    check,
    reach,
    open,
};

/// The same, for what has no URL.
pub(super) static SCHEME_OF_LOGS: Scheme = SCHEME;

fn check(url: &Url) -> Result<(), String> {
    if url.path()?.is_empty() { Err(format!("write {}", SCHEME.form)) } else { Ok(()) }
}

fn reach(url: &Url) -> Reach {
    let path = url.path().ok().filter(|path| path != "-");
    Reach { writes: path.map(PathBuf::from), resolves: false }
}

fn open(url: &Url, format: &str, files: &mut Files) -> io::Result<Halves> {
    let path = url.path().map_err(io::Error::other)?;
    let file = files.open(&path)?;
    Ok((Box::new(Lines::new(format)), Box::new(ToFile(file))))
}

/// Appends batches to a file, which other sinks may write to as well.
struct ToFile(Arc<SharedFile>);

impl Transport for ToFile {
    fn peer(&self) -> &str {
        self.0.name()
    }

    fn limit(&self) -> usize {
        self.0.batch()
    }

    fn tend(&mut self) -> io::Result<()> {
        self.0.reopen_if_asked()
    }

    /// A disk that is full says so at once and takes the next batch as soon as it can: what failed is not tried again,
    /// so that newer records find their place.
    fn send(&mut self, batch: &[u8]) -> Result<(), Failure> {
        self.0.write(batch).map_err(Failure::Lost)
    }
}
