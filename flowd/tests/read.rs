//! The real executable over captures: what it prints, and how it ends.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/skip.rs"]
mod skip;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use skip::{ROOT, skip};

/// Two HTTP exchanges on one connection over IPv4, a POST and a HEAD over IPv6, a refused connection, and
/// datagrams to a closed port with the ICMP errors they brought; taken on a loopback device.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn flowd(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flowd")).arg("read").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn lines(output: &Output) -> Vec<serde_json::Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Captures whose lines are known: HTTP; and names, which has DNS over UDP and TCP, TLS, SSH, and a datagram that only
/// goes to the port of DNS.
const GOLDEN: [&str; 2] = ["http", "names"];

#[test]
fn prints_the_golden_lines() {
    for name in GOLDEN {
        let output = flowd(&[golden(&format!("{name}.pcap")).to_str().unwrap()]);
        assert!(output.status.success());
        assert_eq!(text(&output.stdout), fs::read_to_string(golden(&format!("{name}.jsonl"))).unwrap());
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn the_kernel_engine_prints_the_same() {
    for name in GOLDEN {
        let output = flowd(&[golden(&format!("{name}.pcap")).to_str().unwrap(), "--engine", "kernel"]);
        if text(&output.stderr).contains("not allowed to load BPF programs") {
            skip(ROOT, "the kernel engine needs root");
            return;
        }
        assert_eq!(text(&output.stderr), "");
        assert_eq!(text(&output.stdout), fs::read_to_string(golden(&format!("{name}.jsonl"))).unwrap());
    }
}

/// The records, and the summary, of the golden lines.
fn golden_parts() -> (String, String) {
    let all = fs::read_to_string(golden("http.jsonl")).unwrap();
    let (records, summary) = all.trim_end().rsplit_once('\n').unwrap();
    (format!("{records}\n"), format!("{summary}\n"))
}

#[test]
fn sinks_get_the_records_and_standard_output_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (capture, all, log) = (golden("http.pcap"), path("all"), path("access.log"));
    let sinks = [format!("file:{all}"), format!("file:{log}?format=common")];
    let output = flowd(&[capture.to_str().unwrap(), "--sink", &sinks[0], "--sink", &sinks[1]]);
    let (records, summary) = golden_parts();
    assert_eq!((text(&output.stderr), output.status.code()), (String::new(), Some(0)));
    assert_eq!((text(&output.stdout), fs::read_to_string(&all).unwrap()), (summary, records.clone()));
    let requests = records.lines().filter(|line| line.contains("\"type\":\"http\"")).count();
    let access = fs::read_to_string(&log).unwrap();
    assert_eq!((access.lines().count(), access.lines().all(|line| line.contains("] \""))), (requests, true));

    // Kinds that nobody asked for are not written; on one output nothing is mixed.
    let output = flowd(&[capture.to_str().unwrap(), "--sink", "file:-?records=flow"]);
    let types: Vec<String> =
        lines(&output).iter().map(|line| line["type"].as_str().unwrap().to_owned()).collect();
    let (last, flows) = types.split_last().unwrap();
    assert!(!flows.is_empty() && flows.iter().all(|kind| kind == "flow"), "{types:?}");
    assert_eq!(last, "summary");
}

#[test]
fn a_sink_that_fails_is_told_and_what_cannot_be_a_sink_is_a_usage_error() {
    let capture = golden("http.pcap");
    let ends = |sink: &str| {
        let output = flowd(&[capture.to_str().unwrap(), "--sink", sink]);
        (output.status.code(), text(&output.stderr), text(&output.stdout))
    };
    let records = golden_parts().0.lines().count();
    let (code, told, printed) = ends("file:/dev/full");
    assert_eq!((code, told.lines().count()), (Some(1), 1), "{told}");
    assert!(
        told.contains(&format!("file:/dev/full: {records} records were not written: /dev/full: No space")),
        "{told}"
    );
    assert!(printed.contains("\"summary\""), "{printed}");
    for (sink, code, part) in [
        ("file:/no/such/file", 1, "cannot write records to /no/such/file"),
        ("fiel:/x", 2, "did you mean file?"),
        ("file:/x?records=flows", 2, "did you mean flow?"),
        ("/x", 2, "write a URL"),
    ] {
        let (status, told, _) = ends(sink);
        assert_eq!((status, told.lines().count()), (Some(code), 1), "{told}");
        assert!(told.contains(part), "{told}");
    }
}

/// The oracle reads the file by itself: a header of 24 bytes, then packets with one of 16 (seconds, microseconds or
/// nanoseconds, captured, original).
#[test]
fn peaks_are_those_of_the_file() {
    let path = golden("http.pcap");
    let bytes = fs::read(&path).unwrap();
    let word = |at: usize| u64::from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()));
    let per_millisecond = if word(0) == 0xa1b2_3c4d { 1_000_000 } else { 1_000 };
    let (mut at, mut packets) = (24, Vec::new());
    while at < bytes.len() {
        packets.push((word(at) * 1_000 + word(at + 4) / per_millisecond, word(at + 12)));
        at += 16 + word(at + 8) as usize;
    }
    let output = flowd(&[path.to_str().unwrap(), "--metrics"]);
    let shown = text(&output.stdout);
    for len in [1, 10, 100] {
        let window = |end: u64| packets.iter().filter(move |(time, _)| *time <= end && *time + len > end);
        let most = packets.iter().map(|(end, _)| window(*end).map(|(_, bytes)| bytes).sum::<u64>()).max();
        let labels = format!("iface=\"capture\",direction=\"ingress\",window=\"{len}ms\"");
        let line = format!("flowd_interface_peak_bytes{{{labels}}} {}.0", most.unwrap());
        assert!(shown.lines().any(|shown| shown == line), "{line}");
    }
}

#[test]
fn standard_input_is_a_capture_too() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_flowd"))
        .args(["read", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(golden("http.pcap")).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), fs::read_to_string(golden("http.jsonl")).unwrap());
}

#[test]
fn a_cut_capture_gives_its_complete_records_and_then_an_error_with_the_offset() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.pcap");
    let whole = fs::read(golden("http.pcap")).unwrap();
    // Into the middle of the third packet.
    let packets = offsets(&whole);
    fs::write(&path, &whole[..packets[2] + 20]).unwrap();
    let output = flowd(&[path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let summary = lines(&output).pop().unwrap();
    assert_eq!((&summary["type"], &summary["packets"]), (&"summary".into(), &2.into()));
    let error = text(&output.stderr);
    assert!(error.contains(&format!("byte {}", packets[2])) && error.contains("cut.pcap"), "{error}");
    assert_eq!(error.lines().count(), 1);
}

/// Where the packets of a little-endian pcap begin.
fn offsets(pcap: &[u8]) -> Vec<usize> {
    let mut offsets = Vec::new();
    let mut at = 24;
    while at + 16 <= pcap.len() {
        offsets.push(at);
        at += 16 + u32::from_le_bytes(pcap[at + 8..at + 12].try_into().unwrap()) as usize;
    }
    offsets
}

#[test]
fn a_link_type_that_nobody_reads_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usb.pcap");
    let mut capture = fs::read(golden("http.pcap")).unwrap();
    capture[20..24].copy_from_slice(&220_u32.to_le_bytes());
    fs::write(&path, capture).unwrap();
    let output = flowd(&[path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("link type 220"), "{}", text(&output.stderr));
}

#[test]
fn what_is_no_capture_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    fs::write(&path, "Dear reader").unwrap();
    for (path, words) in [(path.as_path(), "letter.txt"), (Path::new("/no/such/file"), "cannot open")] {
        let output = flowd(&[path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr).lines().count(), 1);
    }
}

#[test]
fn the_table_has_a_row_per_flow_and_the_metrics_a_sum_over_all() {
    let path = golden("http.pcap");
    let flows = fs::read_to_string(golden("http.jsonl")).unwrap().matches(r#""type":"flow""#).count();
    let table = text(&flowd(&[path.to_str().unwrap(), "--format", "table"]).stdout);
    assert_eq!(table.lines().count(), flows + 1);
    let metrics = text(&flowd(&[path.to_str().unwrap(), "--metrics"]).stdout);
    let sum = |family: &str| -> u64 {
        let rows = metrics.lines().filter(|line| line.starts_with(family));
        rows.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    };
    assert_eq!(sum("flowd_flow_packets_total{"), sum("flowd_interface_packets_total{"));
    assert_eq!(sum("flowd_http_requests_total{"), 4);
}

#[test]
fn secrets_in_a_query_stay_out_unless_asked_for() {
    let path = golden("http.pcap");
    let path = path.to_str().unwrap();
    assert!(!text(&flowd(&[path]).stdout).contains("secret"));
    assert!(!text(&flowd(&[path, "--query", "keys"]).stdout).contains("secret"));
    // What is kept is kept, but for the values of parameters that `[http] redact` names.
    assert!(text(&flowd(&[path, "--query", "keep"]).stdout).contains("/index.html?token=***"));
}

/// The packets of a golden capture: their times in nanoseconds, and bytes.
fn packets(name: &str) -> Vec<(u64, Vec<u8>)> {
    let pcap = fs::read(golden(name)).unwrap();
    let word = |at: usize| u32::from_le_bytes(pcap[at..at + 4].try_into().unwrap());
    let unit = if word(0) == 0xa1b2_3c4d { 1 } else { 1_000 };
    let mut packets = Vec::new();
    let ends = [offsets(&pcap), vec![pcap.len()]].concat();
    for at in ends.windows(2) {
        let time = u64::from(word(at[0])) * 1_000_000_000 + u64::from(word(at[0] + 4)) * unit;
        packets.push((time, pcap[at[0] + 16..at[1]].to_vec()));
    }
    packets
}

/// A pcapng file of interfaces with these link types, in nanoseconds: interface, time and bytes of each packet.
fn pcapng(links: &[u16], packets: &[(u32, u64, Vec<u8>)]) -> tempfile::NamedTempFile {
    fn block(kind: u32, body: &[u8]) -> Vec<u8> {
        let total = (body.len() + 12) as u32;
        [&kind.to_le_bytes()[..], &total.to_le_bytes(), body, &total.to_le_bytes()].concat()
    }
    let mut file =
        block(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
    for link in links {
        let head = [link.to_le_bytes(), [0; 2], [0; 2], [0; 2]].concat();
        file.extend(block(1, &[&head[..], &[9, 0, 1, 0, 9, 0, 0, 0], &[0; 4]].concat()));
    }
    for (interface, time, data) in packets {
        let len = (data.len() as u32).to_le_bytes();
        let (high, low) = ((time >> 32) as u32, *time as u32);
        let head = [interface.to_le_bytes(), high.to_le_bytes(), low.to_le_bytes(), len, len].concat();
        let padding = vec![0; data.len().next_multiple_of(4) - data.len()];
        file.extend(block(6, &[&head[..], data, &padding].concat()));
    }
    let path = tempfile::Builder::new().suffix(".pcapng").tempfile().unwrap();
    fs::write(path.path(), file).unwrap();
    path
}

fn read(file: &tempfile::NamedTempFile, arguments: &[&str]) -> Output {
    let output = flowd(&[&[file.path().to_str().unwrap()], arguments].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    output
}

/// All but the summary.
fn records(output: &Output) -> Vec<serde_json::Value> {
    lines(output).into_iter().filter(|line| line["type"] != "summary").collect()
}

#[test]
fn copies_of_a_mirror_are_left_out_on_request() {
    let golden_lines = records(&flowd(&[golden("http.pcap").to_str().unwrap()]));
    let twice: Vec<_> = packets("http.pcap")
        .into_iter()
        .flat_map(|(time, data)| [(0, time, data.clone()), (0, time + 300, data)])
        .collect();
    let file = pcapng(&[1], &twice);
    let output = read(&file, &["--deduplicate"]);
    assert_eq!(records(&output), golden_lines);
    let summary = lines(&output).pop().unwrap();
    assert_eq!((&summary["packets"], &summary["skipped"]["duplicate"]), (&90.into(), &45.into()));
    assert_ne!(records(&read(&file, &[])), golden_lines);
}

#[test]
fn interfaces_are_one_on_request() {
    let by_turns = |(number, (time, data))| (number, time, data);
    let packets: Vec<_> = (0..).map(|number| number % 2).zip(packets("http.pcap")).map(by_turns).collect();
    let file = pcapng(&[1, 1], &packets);
    let output = read(&file, &["--merge-interfaces"]);
    assert_eq!(text(&output.stdout), fs::read_to_string(golden("http.jsonl")).unwrap());
    assert_ne!(records(&read(&file, &[])).len(), records(&output).len());
}

#[test]
fn vlans_are_one_on_request() {
    let tagged: Vec<_> = (0..)
        .zip(packets("http.pcap"))
        .map(|(number, (time, data))| {
            let tag = [0x81, 0, 0, 100 + number % 2];
            (0, time, [&data[..12], &tag, &data[12..]].concat())
        })
        .collect();
    let file = pcapng(&[1], &tagged);
    let flows = |arguments: &[&str]| lines(&read(&file, arguments)).pop().unwrap()["flows"].as_u64().unwrap();
    assert_eq!(flows(&["--ignore-vlan"]), 6);
    assert!(flows(&[]) > 6);
}

/// The kernel engine takes Ethernet alone; the rest of a capture is counted, and the native engine reads it.
#[test]
fn an_interface_that_the_engine_does_not_read_stops_nothing() {
    let mut packets: Vec<_> = packets("http.pcap").into_iter().map(|(time, data)| (0, time, data)).collect();
    let (_, time, data) = packets[3].clone();
    packets.insert(4, (1, time, data[14..].to_vec()));
    packets.insert(9, (2, time, data));
    let file = pcapng(&[1, 101, 220], &packets);
    for (engine, unread) in [("native", 1), ("kernel", 2)] {
        let output = flowd(&[file.path().to_str().unwrap(), "--engine", engine]);
        if text(&output.stderr).contains("not allowed to load BPF programs") {
            skip(ROOT, "the kernel engine needs root");
            return;
        }
        assert!(output.status.success(), "{}", text(&output.stderr));
        let summary = lines(&output).pop().unwrap();
        assert_eq!((&summary["packets"], &summary["skipped"]["link_type"]), (&47.into(), &unread.into()));
        assert_eq!(summary["flows"], if engine == "native" { 7 } else { 6 });
    }
}
