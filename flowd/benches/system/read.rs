//! `flowd read` of a large capture, beside the programs that do the like.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{
    Bench,
    captures::{self, Written},
    machine,
    row::{Row, median},
    sys::{self, Usage},
};

/// tshark gets a tenth: it takes 20 times as long.
const TENTH: u64 = 10;

/// A program that reads a capture.
struct Reader {
    name: &'static str,
    command: Command,
    packets: u64,
    note: &'static str,
    rounds: u32,
}

pub(crate) fn run(bench: &Bench) -> Result<Vec<Row>> {
    fs::create_dir_all(&bench.folder)?;
    let [large, small] = ["large.pcap", "tenth.pcap"].map(|name| bench.folder.join(name));
    let size = bench.or(100_000_000, 1_000_000_000);
    let cases = bench.cases.as_deref();
    let all = captures::write(&large, cases, size)?;
    let tenth = captures::write(&small, cases, size / TENTH)?;
    let rows = measure(bench, (&large, all), (&small, tenth));
    if !bench.keep {
        fs::remove_dir_all(&bench.folder)?;
    }
    rows
}

fn measure(bench: &Bench, large: (&Path, Written), small: (&Path, Written)) -> Result<Vec<Row>> {
    let (path, written) = large;
    // Also brings the file into memory.
    let summary = summary(bench, path)?;
    let number = |name: &str| summary.get(name).and_then(Value::as_u64);
    ensure!(
        number("packets") == Some(written.packets),
        "flowd read counts {:?} packets of {}",
        number("packets"),
        written.packets
    );
    let of = format!(
        "{} MB, {} packets of {}, {} flows",
        written.bytes / 1_000_000,
        written.packets,
        if written.real { "real captures" } else { "made traffic" },
        number("flows").unwrap_or(0)
    );
    let mut readers = readers(bench, path, written.packets, small);
    machine::forget_peak()?;
    let mut runs: Vec<Vec<(f64, Usage)>> = readers.iter().map(|_| Vec::new()).collect();
    for round in 0..bench.or(2, 5) {
        for (reader, runs) in readers.iter_mut().zip(&mut runs) {
            if round < reader.rounds {
                let started = Instant::now();
                let child = reader.command.spawn().with_context(|| reader.name.to_owned())?;
                let usage = sys::wait(&child)?;
                ensure!(usage.success, "{} failed: {:?}", reader.name, reader.command);
                runs.push((started.elapsed().as_secs_f64(), usage));
            }
        }
    }
    let mut rows = Vec::new();
    for (reader, runs) in readers.iter().zip(runs) {
        let rate = runs.iter().map(|(time, _)| reader.packets as f64 / time / 1e6).collect();
        let cpu: Vec<f64> = runs.iter().map(|(_, usage)| usage.cpu * 1e9 / reader.packets as f64).collect();
        let resident = runs.iter().map(|(_, usage)| usage.resident as f64 / f64::from(1 << 20)).collect();
        let cpu_rate = cpu.iter().map(|each| 1e3 / each).collect();
        let note = if reader.note.is_empty() { of.as_str() } else { reader.note };
        rows.push(Row::more(format!("{}: rate", reader.name), "Mpps", rate).note(note));
        rows.push(
            Row::more(format!("{}: rate per core", reader.name), "Mpps", cpu_rate)
                .note(format!("{:.0} ns of CPU per packet", median(&cpu))),
        );
        rows.push(Row::less(format!("{}: memory", reader.name), "MiB", resident));
    }
    Ok(rows)
}

fn readers(bench: &Bench, large: &Path, packets: u64, (small, tenth): (&Path, Written)) -> Vec<Reader> {
    let quiet = |program: &Path, arguments: &[&str], file: &Path| {
        let mut command = Command::new(program);
        command.args(arguments).arg(file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let reader = |name, command, packets, note, rounds| Reader { name, command, packets, note, rounds };
    let rounds = u32::MAX;
    let mut readers = vec![
        reader("flowd read", quiet(&bench.flowd, &["read"], large), packets, "", rounds),
        reader(
            "flowd read --metrics",
            quiet(&bench.flowd, &["read", "--metrics"], large),
            packets,
            "no records are printed",
            1,
        ),
    ];
    if let Some(program) = find("nfpcapd") {
        let flows = bench.folder.join("nfpcapd");
        let made = fs::create_dir_all(&flows).is_ok();
        let flows = flows.display().to_string();
        if made {
            let command = quiet(&program, &["-w", &flows, "-r"], large);
            readers.push(reader("nfpcapd", command, packets, "of nfdump; writes its files", rounds));
        }
    }
    if let Some(program) = find("softflowd") {
        // To a port where nobody listens: only the work of exporting counts. Room for every flow, times of the file.
        let pid = bench.folder.join("softflowd.pid").display().to_string();
        let arguments = ["-d", "-a", "-6", "-v", "9", "-m", "1000000", "-c", "none", "-p", &pid];
        let command = quiet(&program, &[&arguments[..], &["-n", "127.0.0.1:9", "-r"]].concat(), large);
        readers.push(reader("softflowd", command, packets, "exports netflow 9 to nobody", rounds));
    }
    if let Some(program) = find("tshark") {
        let command = quiet(&program, &["-q", "-z", "conv,tcp", "-r"], small);
        readers.push(reader("tshark", command, tenth.packets, "conversations of a tenth of the capture", 1));
    }
    readers
}

/// A program on PATH or in the folders of system tools.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The last line of `flowd read`.
fn summary(bench: &Bench, path: &Path) -> Result<Value> {
    let output = bench.folder.join("records.jsonl");
    let status = Command::new(&bench.flowd)
        .arg("read")
        .arg(path)
        .stdout(File::create(&output)?)
        .stderr(Stdio::null())
        .status()?;
    ensure!(status.success(), "flowd read failed ({status})");
    let mut last = String::new();
    for line in BufReader::new(File::open(&output)?).lines() {
        last = line?;
    }
    fs::remove_file(&output)?;
    serde_json::from_str(&last).context("flowd read ended without a summary")
}
