//! When a log file makes room for a new one, and how: `log` becomes `log.1`, `log.1` becomes `log.2`.

use std::{fs, io, path::Path};

/// Bounds of one log's files; the default rotates nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Bytes of a file; 0: no bound.
    pub max_size: u64,
    /// Earlier files that are kept.
    pub keep: u32,
}

impl Rotation {
    /// Whether a file of `size` bytes is to be left before `more` bytes come to it. A line that is larger
    /// than a file gets one of its own.
    pub(super) const fn is_due(self, size: u64, more: u64) -> bool {
        self.max_size > 0 && size > 0 && size.saturating_add(more) > self.max_size
    }
}

/// Renames `path` to its first earlier file, that to the second and so on; the last is replaced.
pub(super) fn shift(path: &Path, keep: u32) -> io::Result<()> {
    let earlier = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        name
    };
    for number in (1..keep).rev() {
        match fs::rename(earlier(number), earlier(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    match fs::rename(path, earlier(1)) {
        // Somebody else has moved it: there is nothing in the way of a new one.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_move_up_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        for number in 1..=5 {
            fs::write(&path, number.to_string()).unwrap();
            shift(&path, 3).unwrap();
        }
        let content = |number: u32| fs::read_to_string(folder.path().join(format!("log.{number}")));
        assert_eq!([1, 2, 3].map(|number| content(number).unwrap()), ["5", "4", "3"]);
        assert!(content(4).is_err() && !path.exists());
        shift(&path, 3).unwrap();
    }

    #[test]
    fn a_file_is_left_before_it_grows_too_large() {
        let rotation = Rotation { max_size: 100, keep: 1 };
        assert!(rotation.is_due(60, 41) && !rotation.is_due(60, 40) && !rotation.is_due(0, 500));
        assert!(!Rotation::default().is_due(u64::MAX, u64::MAX));
    }
}
