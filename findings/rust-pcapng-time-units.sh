#!/usr/bin/env bash
# Two Rust crates and the units of pcapng timestamps: pcap-file takes all for nanoseconds, pcap-parser knows no binary.
#
# Expected: pcapng, option if_tsresol (9): units of 10^-n s, or of 2^-n s if the top bit is set; microseconds if the
#   option is absent, which is how most files are. pcap-file gives EnhancedPacketBlock::timestamp as a Duration since
#   1970. pcap-parser's ts_resolution() gives units per second, None "if the resolution is invalid".
# Seen (pcap-file 2.0.0, pcap-parser 0.17.0): of a packet at 1,767,225,600.5 s, pcap-file makes 1,767,225.6005 s in
#   the default unit (20 days after 1970): it reads every stamp as nanoseconds, whatever the interface says.
#   pcap-parser is right in all decimal units, and answers None for every binary one: its bound of 63 is applied
#   before the top bit is taken off.
# For a flow monitor: apply the resolution yourself with pcap-file; with pcap-parser treat None as "not known", not as
#   the default of microseconds.
# Needs: cargo; half a minute for the build.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src
cat > Cargo.toml <<'T'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
pcap-file = "=2.0.0"
pcap-parser = "=0.17.0"
[profile.dev]
debug = 0
T
cat > src/main.rs <<'R'
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = (12 + body.len() as u32).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, body, &length].concat()
}

/// A section with one interface of the given if_tsresol (none: no option) and one packet with this stamp.
fn capture(resolution: Option<u8>, stamp: u64) -> Vec<u8> {
    let section = [&0x1A2B3C4Du32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let option = resolution.map_or(vec![], |r| vec![9, 0, 1, 0, r, 0, 0, 0, 0, 0, 0, 0]);
    let interface = [&[1, 0, 0, 0, 0, 0, 0, 0][..], &option].concat();
    let mut packet = [0u32, (stamp >> 32) as u32, stamp as u32, 60, 60].iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    packet.extend([0; 60]);
    [block(0x0A0D0D0A, &section), block(1, &interface), block(6, &packet)].concat()
}

fn pcap_file(bytes: &[u8]) -> f64 {
    let mut reader = pcap_file::pcapng::PcapNgReader::new(bytes).expect("a pcapng file");
    while let Some(block) = reader.next_block() {
        if let pcap_file::pcapng::Block::EnhancedPacket(packet) = block.expect("a block") {
            return packet.timestamp.as_secs_f64();
        }
    }
    panic!("no packet")
}

fn pcap_parser(bytes: &[u8]) -> Option<f64> {
    let (mut rest, mut units) = (bytes, None);
    loop {
        let (after, block) = pcap_parser::pcapng::parse_block_le(rest).expect("a block");
        match block {
            pcap_parser::pcapng::Block::InterfaceDescription(interface) => units = interface.ts_resolution(),
            pcap_parser::pcapng::Block::EnhancedPacket(packet) => return units.map(|units| packet.decode_ts_f64(0, units)),
            _ => {}
        }
        rest = after;
    }
}

fn main() {
    let second = 1_767_225_600u64;
    let cases = [
        ("no option (microseconds)", None, second * 1_000_000 + 500_000),
        ("10^-3 s", Some(3), second * 1_000 + 500),
        ("10^-9 s", Some(9), second * 1_000_000_000 + 500_000_000),
        ("2^-10 s", Some(0x80 | 10), second * 1024 + 512),
        ("2^-30 s", Some(0x80 | 30), (second << 30) + (1 << 29)),
    ];
    let mut same = true;
    println!("packet of second {second}.5:");
    for (what, resolution, stamp) in cases {
        let bytes = capture(resolution, stamp);
        let (file, parser) = (pcap_file(&bytes), pcap_parser(&bytes));
        println!("  {what:26} pcap-file {file:<18} pcap-parser {parser:?}");
        same &= (file - stamp as f64 / 1e9).abs() < 1e-3 * file;
        same &= match resolution {
            Some(r) if r & 0x80 != 0 => parser.is_none(),
            _ => parser == Some(second as f64 + 0.5),
        };
    }
    if !same {
        eprintln!("CHANGED: recorded stamp / 10^9 by pcap-file, the right second or (binary units) None by pcap-parser");
        std::process::exit(1);
    }
    println!("as recorded");
}
R
CARGO_TARGET_DIR=$dir/target cargo build -q -j 1 2>build.log || { cat build.log >&2; exit 2; }
target/debug/finding
