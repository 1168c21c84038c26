#!/usr/bin/env bash
# simple-dns takes the upper bits of a DNS response code from the wrong octet: BADVERS and BADCOOKIE read as NOERROR
# and YXRRSET.
#
# Expected: RFC 6891 section 6.1.3: with EDNS the response code has 12 bits; the upper 8 are the FIRST octet of the OPT
#   record's TTL, the lower 4 stand in the header. BADVERS is 16 (1 and 0), BADCOOKIE 23 (1 and 7, RFC 7873).
# Seen (crate simple-dns 0.13.0): the upper bits come from the TTL's LAST octet, which holds reserved flags. BADVERS (16)
#   gives NoError, BADCOOKIE (23) gives YXRRSET (7, the header's part alone). Its writer puts them there too, so what
#   it writes it reads back.
# For a flow monitor: a count of failed look-ups made with simple-dns takes a refused EDNS version for success.
# Needs: cargo; ten seconds for the build.
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
simple-dns = "=0.13.0"
[profile.dev]
debug = 0
T
cat > src/main.rs <<'R'
/// A response to "example.org A" with this 12-bit response code and an OPT record.
fn response(code: u16) -> Vec<u8> {
    let header = [0, 1, 0x81, 0x80 | (code & 15) as u8, 0, 1, 0, 0, 0, 0, 0, 1];
    let opt = [0, 0, 41, 4, 208, (code >> 4) as u8, 0, 0, 0, 0, 0];
    [&header[..], b"\x07example\x03org\x00\x00\x01\x00\x01", &opt].concat()
}

fn main() {
    let mut seen = vec![];
    for code in [0u16, 3, 16, 23] {
        let bytes = response(code);
        let simple = format!("{:?}", simple_dns::Packet::parse(&bytes).expect("simple-dns parses").rcode());
        println!("response code {code:2}: simple-dns reads {simple}");
        seen.push(simple);
    }
    // Written by simple-dns: where do the upper bits of BADVERS go? The OPT record ends the message: TTL, then length 0.
    let mut packet = simple_dns::Packet::new_reply(1);
    *packet.opt_mut() = Some(simple_dns::rdata::OPT { opt_codes: vec![], udp_packet_size: 1232, version: 0 });
    *packet.rcode_mut() = simple_dns::RCODE::BADVERS;
    let bytes = packet.build_bytes_vec().expect("simple-dns writes");
    let ttl = &bytes[bytes.len() - 6..bytes.len() - 2];
    println!("BADVERS written by simple-dns: TTL octets {ttl:?} (RFC 6891: [1, 0, 0, 0])");
    if seen != ["NoError", "NameError", "NoError", "YXRRSET"] || ttl != [0, 0, 0, 1] {
        eprintln!("CHANGED: recorded NoError, NameError, NoError, YXRRSET, and a TTL of 0 0 0 1");
        std::process::exit(1);
    }
    println!("as recorded");
}
R
CARGO_TARGET_DIR=$dir/target cargo build -q -j 1 2>build.log || { cat build.log >&2; exit 2; }
target/debug/finding
