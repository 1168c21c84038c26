//! What is opened once, whichever logs write to it: standard output, or a file with its rotation.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tracing::{error, info};

use super::{Rotation, rotation, write_all};

/// Bytes that are written at once at most, so that a burst does not pile up in memory.
const BATCH: usize = 256 * 1024;

/// Everything that logs write to.
#[derive(Debug, Default)]
pub struct Outlets {
    rotation: Rotation,
    open: Vec<(Option<Inode>, Arc<Outlet>)>,
}

/// Device and inode: what two paths of one file have in common.
type Inode = (u64, u64);

/// Asks for every file to be opened again, as after a rotation.
#[derive(Clone, Debug)]
pub struct Reopen(Vec<Arc<Outlet>>);

/// One output. Whole batches are written under its lock, so that two logs do not mix their lines.
#[derive(Debug)]
pub(super) struct Outlet {
    name: String,
    batch: usize,
    reopen: AtomicBool,
    target: Mutex<Target>,
}

#[derive(Debug)]
enum Target {
    Stdout,
    File(LogFile),
}

#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
    rotation: Rotation,
    /// Bytes in it, as far as flowd wrote them or found them.
    size: u64,
}

impl Outlets {
    /// None yet; their files will be rotated like this.
    #[must_use]
    pub const fn new(rotation: Rotation) -> Self {
        Self { rotation, open: Vec::new() }
    }

    /// The output at `path`; the one that is open already where another path led to the same file.
    pub(super) fn open(&mut self, path: &str) -> io::Result<Arc<Outlet>> {
        let (inode, target) = if path == "-" {
            (None, Target::Stdout)
        } else {
            let file = LogFile::open(Path::new(path), self.rotation)?;
            let found = file.file.metadata()?;
            (Some((found.dev(), found.ino())), Target::File(file))
        };
        if let Some((_, outlet)) = self.open.iter().find(|(open, _)| *open == inode) {
            return Ok(Arc::clone(outlet));
        }
        // No batch may be larger than a file.
        let limit = usize::try_from(self.rotation.max_size).ok().filter(|size| *size > 0);
        let outlet = Arc::new(Outlet {
            name: if path == "-" { "standard output".to_owned() } else { path.to_owned() },
            batch: limit.map_or(BATCH, |size| size.min(BATCH)),
            reopen: AtomicBool::new(false),
            target: Mutex::new(target),
        });
        self.open.push((inode, Arc::clone(&outlet)));
        Ok(outlet)
    }

    /// A handle for signals to those that are open by now.
    #[must_use]
    pub fn reopener(&self) -> Reopen {
        Reopen(self.open.iter().map(|(_, outlet)| Arc::clone(outlet)).collect())
    }
}

impl Reopen {
    /// Opens every path again before the next line.
    pub fn reopen(&self) {
        for outlet in &self.0 {
            outlet.reopen.store(true, Ordering::Release);
        }
    }
}

impl Outlet {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of a batch, about.
    pub(super) const fn batch(&self) -> usize {
        self.batch
    }

    pub(super) fn write(&self, lines: &[u8]) -> io::Result<()> {
        match &mut *self.target.lock().unwrap_or_else(PoisonError::into_inner) {
            Target::Stdout => write_all(io::stdout().lock(), lines).map_err(|(_, error)| error),
            Target::File(file) => file.write(lines),
        }
    }

    /// Opens the path again if that was asked for.
    pub(super) fn follow(&self) -> Result<(), ()> {
        if !self.reopen.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let Target::File(file) = &mut *self.target.lock().unwrap_or_else(PoisonError::into_inner) else {
            return Ok(());
        };
        match LogFile::open(&file.path, file.rotation) {
            Ok(opened) => {
                *file = opened;
                info!("{} opened again", self.name);
                Ok(())
            }
            Err(problem) => {
                error!("cannot open {} again: {problem}; the old file stays in use", self.name);
                Err(())
            }
        }
    }
}

impl LogFile {
    fn open(path: &Path, rotation: Rotation) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let found = file.metadata()?;
        // Devices and pipes have no size and no name to change.
        let rotation = if found.is_file() { rotation } else { Rotation::default() };
        Ok(Self { path: path.to_owned(), file, rotation, size: found.len() })
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let bytes = lines.len() as u64;
        if self.rotation.is_due(self.size, bytes) {
            self.rotate();
        }
        write_all(&self.file, lines).map_err(|(written, error)| {
            self.take_back(written as u64);
            error
        })?;
        self.size += bytes;
        Ok(())
    }

    /// Removes the part of a batch that still found room on a full disk, so that no line is torn.
    fn take_back(&self, written: u64) {
        if let Ok(found) = self.file.metadata()
            && found.is_file()
            && written > 0
        {
            // Where this fails as well, the write's error has been told already.
            let _ = self.file.set_len(found.len().saturating_sub(written));
        }
    }

    fn rotate(&mut self) {
        let renamed = rotation::shift(&self.path, self.rotation.keep);
        match renamed.and_then(|()| Self::open(&self.path, self.rotation)) {
            Ok(opened) => *self = opened,
            Err(problem) => {
                error!("cannot rotate {}: {problem}; the file grows on", self.path.display());
                // Not again with every batch.
                self.size = 0;
            }
        }
    }
}
