//! What is opened once, whichever sinks write to it: standard output, or a file with its rotation.

mod rotation;

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use tracing::{error, info, warn};

use crate::privileges;
pub use rotation::Rotation;

/// Lines of this age may make room for new ones without a word.
const YOUNG: Duration = Duration::from_secs(86_400);
/// How often it is said that younger ones do.
const AGAIN: Duration = Duration::from_secs(3_600);
/// How often a file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Bytes that are written at once at most, so that a burst does not pile up in memory.
const BATCH: usize = 256 * 1024;

/// Every file that sinks write to, standard output among them.
#[derive(Debug, Default)]
pub struct Files {
    rotation: Arc<Mutex<Rotation>>,
    /// Each is open as long as a sink writes to it.
    open: Vec<Weak<SharedFile>>,
}

/// Device and inode: what two paths of one file have in common.
type Inode = (u64, u64);

/// One output. Whole batches are written under its lock, so that two sinks do not mix their lines.
#[derive(Debug)]
pub(super) struct SharedFile {
    name: String,
    rotation: Arc<Mutex<Rotation>>,
    reopen: AtomicBool,
    target: Mutex<Target>,
    /// Of the file in use; none for standard output. Apart from the file, whose lock a stuck pipe holds.
    inode: Mutex<Option<Inode>>,
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
    inode: Inode,
    /// Devices and pipes have no size and no name to change.
    rotates: bool,
    /// Bytes in it, as far as flowd wrote them or found them.
    size: u64,
    /// When it was last looked whether the file still has a name.
    looked: Instant,
    /// It has none, and cannot be made again.
    gone: bool,
    /// When its first line came, about.
    begun: SystemTime,
    /// When it was last said that young lines make room.
    told: Option<Instant>,
}

impl Files {
    /// None yet; their files will be rotated like this.
    #[must_use]
    pub fn new(rotation: Rotation) -> Self {
        Self { rotation: Arc::new(Mutex::new(rotation)), open: Vec::new() }
    }

    /// The output at `path`; the one that is open already where another path led to the same file.
    pub(super) fn open(&mut self, path: &str) -> io::Result<Arc<SharedFile>> {
        // Of sinks that have ended.
        self.open.retain(|file| file.strong_count() > 0);
        let (inode, target) = if path == "-" {
            (None, Target::Stdout)
        } else {
            let file = LogFile::open(Path::new(path))?;
            (Some(file.inode), Target::File(file))
        };
        if let Some(file) = self.in_use().find(|file| file.inode() == inode) {
            return Ok(file);
        }
        let file = Arc::new(SharedFile {
            name: if path == "-" { "standard output".to_owned() } else { path.to_owned() },
            rotation: Arc::clone(&self.rotation),
            reopen: AtomicBool::new(false),
            target: Mutex::new(target),
            inode: Mutex::new(inode),
        });
        self.open.push(Arc::downgrade(&file));
        Ok(file)
    }

    fn in_use(&self) -> impl Iterator<Item = Arc<SharedFile>> {
        self.open.iter().filter_map(Weak::upgrade)
    }

    /// Opens every path again before the next line, as after a rotation by someone else.
    pub fn reopen(&self) {
        for file in self.in_use() {
            file.reopen.store(true, Ordering::Release);
        }
    }

    /// Rotates all files like this from now on.
    pub fn set_rotation(&self, rotation: Rotation) {
        *self.rotation.lock().unwrap_or_else(PoisonError::into_inner) = rotation;
    }
}

impl SharedFile {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Bytes after which a batch is closed. Its last line may reach beyond that, and a file must hold all of it: so it is
    /// half a file at most.
    pub(super) fn batch(&self) -> usize {
        let size = usize::try_from(self.rotation().max_size).ok().filter(|size| *size > 0);
        size.map_or(BATCH, |size| (size / 2).clamp(1, BATCH))
    }

    fn rotation(&self) -> Rotation {
        *self.rotation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inode(&self) -> Option<Inode> {
        *self.inode.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uses(&self, file: &LogFile) {
        *self.inode.lock().unwrap_or_else(PoisonError::into_inner) = Some(file.inode);
    }

    pub(super) fn write(&self, lines: &[u8]) -> io::Result<()> {
        match &mut *self.target.lock().unwrap_or_else(PoisonError::into_inner) {
            Target::Stdout => write_all(io::stdout().lock(), lines).map_err(|(_, error)| error),
            Target::File(file) => {
                if file.is_made_again()? {
                    self.uses(file);
                }
                let rotation = self.rotation();
                if file.rotates && rotation.is_due(file.size, lines.len() as u64, file.age()) {
                    file.rotate(rotation);
                    self.uses(file);
                }
                file.write(lines)
            }
        }
    }

    /// Opens the path again if that was asked for.
    pub(super) fn reopen_if_asked(&self) -> io::Result<()> {
        if !self.reopen.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let Target::File(file) = &mut *self.target.lock().unwrap_or_else(PoisonError::into_inner) else {
            return Ok(());
        };
        match LogFile::open(&file.path) {
            Ok(opened) => {
                *file = opened;
                self.uses(file);
                info!("{} opened again", self.name);
                Ok(())
            }
            Err(problem) => {
                error!("cannot open {} again: {}; the old file stays in use", self.name, hinted(&problem));
                Err(problem)
            }
        }
    }
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        let _reader = read_by_someone(path)?;
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let found = file.metadata()?;
        let inode = (found.dev(), found.ino());
        let (looked, gone, told) = (Instant::now(), false, None);
        // Not every file system knows when a file was made.
        let begun = found.created().or_else(|_| found.modified()).unwrap_or_else(|_| SystemTime::now());
        Ok(Self {
            path: path.to_owned(),
            file,
            inode,
            rotates: found.is_file(),
            size: found.len(),
            looked,
            gone,
            begun,
            told,
        })
    }

    /// Looks now and then whether somebody has deleted the file, for then lines would be lost in what has no name any
    /// more; makes it again where it can. A file that was only renamed is written on: whoever did that will say when to
    /// leave it.
    fn is_made_again(&mut self) -> io::Result<bool> {
        if !self.rotates || self.looked.elapsed() < LOOK {
            return if self.gone { Err(io::ErrorKind::NotFound.into()) } else { Ok(false) };
        }
        self.looked = Instant::now();
        if self.file.metadata()?.nlink() > 0 {
            return Ok(false);
        }
        match Self::open(&self.path) {
            Ok(opened) => {
                info!("{} was deleted, and made again", self.path.display());
                *self = opened;
                Ok(true)
            }
            Err(problem) => {
                self.gone = true;
                Err(io::Error::other(format!(
                    "the file was deleted, and cannot be made again ({})",
                    hinted(&problem)
                )))
            }
        }
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        write_all(&self.file, lines).map_err(|(written, error)| {
            self.take_back(written as u64);
            error
        })?;
        self.size += lines.len() as u64;
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

    fn age(&self) -> Duration {
        SystemTime::now().duration_since(self.begun).unwrap_or_default()
    }

    fn rotate(&mut self, rotation: Rotation) {
        let renamed = rotation::shift(&self.path, rotation);
        match renamed.and_then(|replaced| Ok((replaced, Self::open(&self.path)?))) {
            Ok((replaced, opened)) => {
                let told = self.told;
                *self = Self { told, ..opened };
                if let Some(age) = replaced {
                    self.tell(age);
                }
            }
            Err(problem) => {
                error!("cannot rotate {}: {problem}; the file grows on", self.path.display());
                // Not again with every batch.
                self.size = 0;
            }
        }
    }

    /// Says now and then that lines of that age have made room for new ones, where somebody might still want them.
    fn tell(&mut self, age: Duration) {
        if age < YOUNG && self.told.is_none_or(|told| told.elapsed() >= AGAIN) {
            self.told = Some(Instant::now());
            warn!(
                "{}: lines no older than {} s are dropped from the earlier files to stay within log_max_size and log_keep: \
                 raise these to keep more",
                self.path.display(),
                age.as_secs()
            );
        }
    }
}

/// The error, and what to do where the sandbox is in the way: it knows folders themselves and not their names.
fn hinted(problem: &io::Error) -> String {
    if problem.kind() == io::ErrorKind::PermissionDenied && privileges::is_confined() {
        format!(
            "{problem}; if its folder was made anew, start flowd again: its sandbox knows the one that was there at the start"
        )
    } else {
        problem.to_string()
    }
}

/// A pipe for writing waits in open(2) for its reader (fifo(7)), and no signal would end flowd meanwhile. So
/// it is opened without waiting first, which fails where nobody reads.
fn read_by_someone(path: &Path) -> io::Result<Option<File>> {
    if !path.metadata().is_ok_and(|found| found.file_type().is_fifo()) {
        return Ok(None);
    }
    match OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Ok(pipe) => Ok(Some(pipe)),
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {
            Err(io::Error::other("nobody reads this pipe yet: start its reader first"))
        }
        Err(error) => Err(error),
    }
}

/// Writes all of `lines` and says how much was written where that fails.
fn write_all(mut out: impl Write, lines: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut done = 0;
    while let Some(rest) = lines.get(done..).filter(|rest| !rest.is_empty()) {
        match out.write(rest) {
            Ok(0) => return Err((done, io::ErrorKind::WriteZero.into())),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((done, error)),
        }
    }
    out.flush().map_err(|error| (done, error))
}
