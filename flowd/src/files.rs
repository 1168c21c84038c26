//! Small files that flowd is told of by name: configuration, secrets, certificates.
//!
//! Read without ever waiting: to open a pipe waits for its other end (fifo(7)), and to read a terminal for who sits
//! before it. Either would hold up the thread that hears of signals, so that flowd could neither reload nor end.

use std::{
    fs::OpenOptions,
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// Bytes of such a file at most.
const LARGEST: u64 = 16 << 20;

/// The whole file.
///
/// # Errors
/// Says what is in the way: also that this is no regular file, or a very large one.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is no regular file, as a pipe, a device or a folder is none"));
    }
    if found.len() > LARGEST {
        return Err(io::Error::other(format!("it has more than {} MiB", LARGEST >> 20)));
    }
    let mut bytes = Vec::new();
    // It may grow meanwhile.
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read`], and where it is no UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no text in UTF-8"))
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command, sync::mpsc, thread, time::Duration};

    use super::*;

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let [text, pipe, link, large] =
            ["text", "pipe", "link", "large"].map(|name| folder.path().join(name));
        fs::write(&text, "ä").unwrap();
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::os::unix::fs::symlink(&text, &link).unwrap();
        fs::File::create(&large).unwrap().set_len(LARGEST + 1).unwrap();
        let (told, hear) = mpsc::channel();
        let folder = folder.path().to_owned();
        thread::spawn(move || {
            let (zero, none) = (Path::new("/dev/zero").to_owned(), folder.join("none"));
            let all = [text, link, pipe, zero, folder, large, none].map(|path| read_text(&path));
            told.send(all).unwrap();
        });
        let [text, link, pipe, device, folder, large, none] =
            hear.recv_timeout(Duration::from_secs(10)).expect("nothing waits");
        assert_eq!([text.unwrap(), link.unwrap()], ["ä", "ä"]);
        for problem in [pipe, device, folder] {
            assert!(problem.unwrap_err().to_string().contains("no regular file"));
        }
        assert!(large.unwrap_err().to_string().contains("16 MiB"));
        assert_eq!(none.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
