//! How many files this process may have open, and has.

use std::{fs, io};

/// Raises the limit of this process to the highest that it may have, and gives it back.
///
/// # Errors
/// Fails only where the kernel refuses to tell the limit.
pub fn raise_limit() -> io::Result<usize> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is ours, lives through the call, and is of the type that the call fills.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let raised = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
    // SAFETY: `raised` is ours and only read; what the process may have open grows, and nothing else changes.
    let now =
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) } == 0 { raised } else { limit };
    Ok(usize::try_from(now.rlim_cur).unwrap_or(usize::MAX))
}

/// Files that are open.
///
/// # Errors
/// Fails where /proc cannot be read.
pub fn open() -> io::Result<usize> {
    // One of them is the folder itself.
    Ok(fs::read_dir("/proc/self/fd")?.count().saturating_sub(1))
}

/// Whether one more file could not be opened because so many are.
#[must_use]
pub fn is_exhausted(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_files_are_counted_and_below_the_limit() {
        let before = open().unwrap();
        // Other tests open and close theirs meanwhile.
        let files: Vec<_> = (0..200).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        let with = open().unwrap();
        assert!(with >= before + 100 && with < raise_limit().unwrap(), "{before}, {with}");
        drop(files);
        assert!(is_exhausted(&io::Error::from_raw_os_error(libc::EMFILE)));
    }
}
