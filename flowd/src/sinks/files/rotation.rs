//! When a log file makes room for a new one, and how: `log` becomes `log.1`, `log.1` becomes `log.2`.

use std::{
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

/// Bounds of one log's files; the default rotates nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Bytes of a file; 0: no bound.
    pub max_size: u64,
    /// After this time a file is left however small it is, and earlier ones go; zero: no bound.
    pub max_age: Duration,
    /// Earlier files that are kept.
    pub keep: u32,
}

impl Rotation {
    /// Whether a file of `size` bytes and that age is to be left before `more` bytes come to it. A line that is larger
    /// than a file gets one of its own.
    pub(super) fn is_due(self, size: u64, more: u64, age: Duration) -> bool {
        let large = self.max_size > 0 && size.saturating_add(more) > self.max_size;
        let old = !self.max_age.is_zero() && age >= self.max_age;
        size > 0 && (large || old)
    }
}

/// Renames `path` to its first earlier file, that to the second and so on; the last is replaced, and those that are too
/// old are removed. Gives back how long ago the last line of what was replaced came.
pub(super) fn shift(path: &Path, rotation: Rotation) -> io::Result<Option<Duration>> {
    let Rotation { keep, max_age, .. } = rotation;
    let earlier = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        name
    };
    let age = |number: u32| {
        let changed = fs::metadata(earlier(number)).and_then(|found| found.modified()).ok()?;
        // Nothing is old to a clock that was set back.
        Some(SystemTime::now().duration_since(changed).unwrap_or_default())
    };
    let old = |number: &u32| !max_age.is_zero() && age(*number).is_some_and(|age| age >= max_age);
    for number in (1..=keep).filter(old) {
        fs::remove_file(earlier(number))?;
    }
    let replaced = age(keep);
    for number in (1..keep).rev() {
        match fs::rename(earlier(number), earlier(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    match fs::rename(path, earlier(1)) {
        // Somebody else has moved it: there is nothing in the way of a new one.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(replaced),
        other => other.map(|()| replaced),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_move_up_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let three = Rotation { keep: 3, ..Rotation::default() };
        for number in 1..=5 {
            fs::write(&path, number.to_string()).unwrap();
            let replaced = shift(&path, three).unwrap();
            assert_eq!(replaced.is_some(), number > 3, "{number}");
        }
        let content = |number: u32| fs::read_to_string(folder.path().join(format!("log.{number}")));
        assert_eq!([1, 2, 3].map(|number| content(number).unwrap()), ["5", "4", "3"]);
        assert!(content(4).is_err() && !path.exists());
        shift(&path, three).unwrap();
    }

    #[test]
    fn what_is_too_old_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let file = |name: &str, age: u64| {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        };
        for (name, age) in [("log", 5), ("log.1", 50), ("log.2", 150), ("log.3", 250), ("log.4", 999)] {
            file(name, age);
        }
        let rotation = Rotation { max_age: Duration::from_secs(100), keep: 3, ..Rotation::default() };
        assert_eq!(shift(&path, rotation).unwrap(), None);
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        // What is beyond those that flowd keeps is somebody else's.
        assert_eq!(left, ["log.1", "log.2", "log.4"]);
    }

    #[test]
    fn a_file_is_left_before_it_grows_too_large() {
        let rotation = Rotation { max_size: 100, keep: 1, max_age: Duration::from_secs(9) };
        let new = Duration::ZERO;
        let due = |size, more| rotation.is_due(size, more, new);
        assert!(due(60, 41) && !due(60, 40) && !due(0, 500));
        assert!(rotation.is_due(1, 1, rotation.max_age) && !rotation.is_due(0, 1, rotation.max_age));
        assert!(!Rotation::default().is_due(u64::MAX, u64::MAX, Duration::MAX));
    }
}
