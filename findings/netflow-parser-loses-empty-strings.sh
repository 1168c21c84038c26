#!/usr/bin/env bash
# netflow_parser drops every record of an IPFIX set in which a variable-length field is empty, and reports no error.
#
# Expected: RFC 7011 section 7: a field of variable length carries its length in one octet if that is below 255; 0 is
#   such a length. An interface without a description, a request without a user agent: an empty string is ordinary.
# Seen (crate netflow_parser 1.0.6): a set of three records (interfaceName, octetDeltaCount) with the names "eth0", ""
#   and "eth1" yields the first record alone; with the empty name first it yields none. `error` is None and the set
#   is there, so nothing tells that records are missing. Long names (the 3-octet form too) are right.
# For a flow monitor: a test that reads IPFIX back through this crate sees records vanish; and an exporter that wants
#   its data read by everyone writes "-" for an empty string, or leaves the field out by another template.
# Needs: cargo, a minute for the build.
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
netflow_parser = "=1.0.6"
[profile.dev]
debug = 0
T
cat > src/main.rs <<'R'
use netflow_parser::NetflowParser;

fn set(id: u16, body: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes()[..], &(4 + body.len() as u16).to_be_bytes(), body].concat()
}

/// One IPFIX message: template 256 (interfaceName of variable length, octetDeltaCount of 8) and its records.
fn message(names: &[&str]) -> Vec<u8> {
    let template = set(2, &[1, 0, 0, 2, 0, 82, 0xff, 0xff, 0, 1, 0, 8]);
    let records: Vec<u8> = names
        .iter()
        .flat_map(|name| {
            let length = if name.len() < 255 { vec![name.len() as u8] } else { vec![255, (name.len() >> 8) as u8, name.len() as u8] };
            [&length[..], name.as_bytes(), &1500u64.to_be_bytes()].concat()
        })
        .collect();
    let body = [template, set(256, &records)].concat();
    let length = 16 + body.len() as u16;
    [&[0, 10][..], &length.to_be_bytes(), &1_800_000_000u32.to_be_bytes(), &[0; 4], &[0, 0, 0, 1], &body].concat()
}

/// How many records come out, counted by their octetDeltaCount in the debug form; and whether an error was given.
fn read(names: &[&str]) -> (usize, bool) {
    let result = NetflowParser::default().parse_bytes(&message(names));
    (format!("{:?}", result.packets).matches("U64(1500)").count(), result.error.is_some())
}

fn main() {
    let long = "x".repeat(300);
    let cases: [(&str, Vec<&str>, usize); 5] = [
        ("eth0 eth1", vec!["eth0", "eth1"], 2),
        ("eth0 and 300 octets", vec!["eth0", &long], 2),
        ("empty", vec![""], 0),
        ("eth0, empty, eth1", vec!["eth0", "", "eth1"], 1),
        ("empty, eth0, eth1", vec!["", "eth0", "eth1"], 0),
    ];
    let mut same = true;
    for (what, names, recorded) in cases {
        let (seen, error) = read(&names);
        println!("{what:22} {} records sent, {seen} read, error: {error}", names.len());
        same &= seen == recorded && !error;
    }
    if !same {
        eprintln!("CHANGED: recorded 2, 2, 0, 1 and 0 records read, without an error");
        std::process::exit(1);
    }
    println!("as recorded");
}
R
CARGO_TARGET_DIR=$dir/target cargo build -q -j 1 2>build.log || { cat build.log >&2; exit 2; }
target/debug/finding
