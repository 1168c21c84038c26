//! Sums over log files, which are removed as they are read: there are millions of lines.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::Path,
};

use serde::Deserialize;

use super::support::namespace::Counts;

/// What was logged.
#[derive(Default)]
pub struct Logged {
    /// Both directions of flows, by interface.
    pub flows: BTreeMap<String, Counts>,
    /// Lines of the flow log.
    pub lines: u64,
    /// Lines of the HTTP log with both request and response.
    pub exchanges: u64,
}

#[derive(Deserialize)]
struct Line<'a> {
    iface: &'a str,
    sent: Side,
    received: Side,
}

#[derive(Deserialize)]
struct Side {
    packets: u64,
    frame_bytes: u64,
}

impl Logged {
    /// Adds up and removes the files of `folder` with such names.
    pub fn take(&mut self, folder: &Path, wanted: impl Fn(&str) -> bool) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if !wanted(name) {
                continue;
            }
            for line in BufReader::new(File::open(&path).unwrap()).lines() {
                let line = line.unwrap();
                if name.starts_with("flow-") {
                    self.flow(&line);
                } else {
                    self.exchanges += u64::from(line.contains("\"outcome\":\"complete\""));
                }
            }
            fs::remove_file(&path).unwrap();
        }
    }

    fn flow(&mut self, line: &str) {
        let flow: Line<'_> = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if !self.flows.contains_key(flow.iface) {
            self.flows.insert(flow.iface.to_owned(), Counts::default());
        }
        let sum = self.flows.get_mut(flow.iface).unwrap();
        sum.packets += flow.sent.packets + flow.received.packets;
        sum.bytes += flow.sent.frame_bytes + flow.received.frame_bytes;
        self.lines += 1;
    }
}

/// Whether a process has the file open.
pub fn is_open(process: u32, file: &Path) -> bool {
    let entries = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    // Some are closed meanwhile.
    entries.flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|path| path == file))
}
