//! The guest's file system: a cpio archive in the "newc" format, which the kernel unpacks at boot
//! (Documentation/driver-api/early-userspace/buffer-format.rst).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// File types of `st_mode`.
const FOLDER: u32 = 0o040_000;
const DEVICE: u32 = 0o020_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

struct Entry {
    mode: u32,
    content: Vec<u8>,
    /// Major and minor number of a device.
    device: (u32, u32),
}

/// Paths without the leading slash; the folders that they lie in are made by themselves.
#[derive(Default)]
pub(crate) struct Archive(BTreeMap<String, Entry>);

impl Archive {
    pub(crate) fn file(&mut self, path: &str, content: impl Into<Vec<u8>>, permissions: u32) {
        self.put(path, Entry { mode: FILE | permissions & 0o777, content: content.into(), device: (0, 0) });
    }

    pub(crate) fn link(&mut self, path: &str, to: &str) {
        self.put(path, Entry { mode: LINK | 0o777, content: to.into(), device: (0, 0) });
    }

    pub(crate) fn device(&mut self, path: &str, major: u32, minor: u32) {
        self.put(path, Entry { mode: DEVICE | 0o600, content: Vec::new(), device: (major, minor) });
    }

    pub(crate) fn folder(&mut self, path: &str) {
        self.put(path, Entry { mode: FOLDER | 0o755, content: Vec::new(), device: (0, 0) });
    }

    /// A file of this machine.
    pub(crate) fn copy(&mut self, from: &Path, to: &str) -> Result<()> {
        let named = || from.display().to_string();
        let permissions = fs::metadata(from).with_context(named)?.permissions().mode();
        self.file(to, fs::read(from).with_context(named)?, permissions);
        Ok(())
    }

    fn put(&mut self, path: &str, entry: Entry) {
        self.0.insert(path.trim_start_matches('/').to_owned(), entry);
    }

    /// The archive's bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut folders = BTreeSet::new();
        for path in self.0.keys() {
            folders.extend(path.match_indices('/').filter_map(|(end, _)| path.get(..end)));
        }
        let mut bytes = Vec::new();
        let made = Entry { mode: FOLDER | 0o755, content: Vec::new(), device: (0, 0) };
        // Sorted, a folder comes before what it holds.
        folders.extend(
            self.0.iter().filter(|(_, entry)| entry.mode & FOLDER != 0).map(|(path, _)| path.as_str()),
        );
        for (index, folder) in folders.iter().enumerate() {
            write(&mut bytes, index, folder, &made);
        }
        let others = self.0.iter().filter(|(path, _)| !folders.contains(path.as_str()));
        for (index, (path, entry)) in others.enumerate() {
            write(&mut bytes, 10_000 + index, path, entry);
        }
        write(&mut bytes, 0, "TRAILER!!!", &Entry { mode: 0, ..made });
        bytes
    }
}

/// Header of 110 characters, name with its zero, content; the last two each filled up to four bytes.
fn write(into: &mut Vec<u8>, inode: usize, name: &str, entry: &Entry) {
    let (major, minor) = entry.device;
    let numbers = [
        inode,
        entry.mode as usize,
        0, // owner
        0,
        1, // links
        0, // time
        entry.content.len(),
        0, // device that the file is on
        0,
        major as usize,
        minor as usize,
        name.len() + 1,
        0, // checksum
    ];
    into.extend_from_slice(b"070701");
    for number in numbers {
        into.extend_from_slice(format!("{number:08X}").as_bytes());
    }
    into.extend_from_slice(name.as_bytes());
    into.push(0);
    into.resize(into.len().next_multiple_of(4), 0);
    into.extend_from_slice(&entry.content);
    into.resize(into.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::Archive;

    #[test]
    fn headers_stand_at_multiples_of_four_and_folders_come_first() {
        let mut archive = Archive::default();
        archive.file("/a/b/c", "12345", 0o755);
        archive.link("/a/d", "b/c");
        let bytes = archive.bytes();
        let text = String::from_utf8_lossy(&bytes);
        let headers: Vec<usize> = text.match_indices("070701").map(|(at, _)| at).collect();
        assert_eq!(headers.len(), 5);
        assert!(headers.iter().all(|at| at % 4 == 0), "{headers:?}");
        let names = ["a\0", "a/b\0", "a/b/c\0", "a/d\0", "TRAILER!!!\0"];
        for (at, name) in headers.iter().zip(names) {
            assert!(text[at + 110..].starts_with(name), "{name}");
        }
        assert!(text.contains("000081ED"), "a file that may be run");
    }
}
