#!/usr/bin/env bash
# etherparse's two parsers disagree on one packet: SlicedPacket finds UDP, PacketHeaders finds no transport header.
#
# Expected: RFC 8200 section 4.1: a node must attempt to process extension headers in any order and occurring any number
#   of times. The crate describes SlicedPacket and PacketHeaders as two forms of the same result, one with slices and one
#   with decoded structs.
# Seen (etherparse 0.21.0): with two destination-options headers in a row, two routing headers, or two authentication
#   headers, SlicedPacket goes through to UDP and its ports, PacketHeaders stops in silence: Ok, and transport None.
#   Its Ipv6Extensions struct has one place for each kind, so a repeated kind ends the walk (said at
#   Ipv6Extensions::from_slice, not at PacketHeaders). Chains with each kind once are the same in both, destination
#   options before and behind a routing header too.
# For a flow monitor: a test oracle built on PacketHeaders calls such flows "no transport"; use SlicedPacket.
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
etherparse = "=0.21.0"
[profile.dev]
debug = 0
T
cat > src/main.rs <<'R'
use etherparse::{PacketHeaders, SlicedPacket, TransportHeader, TransportSlice};

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const UDP: u8 = 17;

/// An Ethernet frame: IPv6, this chain of extension headers, UDP from port 1000.
fn frame(chain: &[u8]) -> Vec<u8> {
    let mut payload = vec![];
    for (at, kind) in chain.iter().enumerate() {
        let next = *chain.get(at + 1).unwrap_or(&UDP);
        payload.extend(match *kind {
            ROUTING => vec![next, 0, 253, 0, 0, 0, 0, 0],                        // experimental type, no segments left
            AUTHENTICATION => vec![next, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0], // 16 octets
            _ => vec![next, 0, 1, 4, 0, 0, 0, 0],                                // options: PadN
        });
    }
    payload.extend([3, 232, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4]);
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60, 0, 0, 0, 0, payload.len() as u8];
    frame.extend([*chain.first().unwrap_or(&UDP), 64]);
    frame.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    frame.extend(payload);
    frame
}

fn main() {
    let chains: [(&str, &[u8], bool); 7] = [
        ("none", &[], true),
        ("hop-by-hop, routing", &[HOP_BY_HOP, ROUTING], true),
        ("destination, routing, destination", &[DESTINATION, ROUTING, DESTINATION], true),
        ("hop-by-hop, authentication", &[HOP_BY_HOP, AUTHENTICATION], true),
        ("destination twice", &[DESTINATION, DESTINATION], false),
        ("routing twice", &[ROUTING, ROUTING], false),
        ("authentication twice", &[AUTHENTICATION, AUTHENTICATION], false),
    ];
    let mut same = true;
    println!("source port by SlicedPacket and by PacketHeaders:");
    for (what, chain, both) in chains {
        let bytes = frame(chain);
        let sliced = match SlicedPacket::from_ethernet(&bytes).expect("no error").transport {
            Some(TransportSlice::Udp(udp)) => Some(udp.source_port()),
            _ => None,
        };
        let headers = match PacketHeaders::from_ethernet_slice(&bytes).expect("no error").transport {
            Some(TransportHeader::Udp(udp)) => Some(udp.source_port),
            _ => None,
        };
        println!("  {what:34} {sliced:?} {headers:?}");
        same &= sliced == Some(1000) && headers == both.then_some(1000);
    }
    if !same {
        eprintln!("CHANGED: recorded Some(1000) everywhere but for PacketHeaders on the last three");
        std::process::exit(1);
    }
    println!("as recorded");
}
R
CARGO_TARGET_DIR=$dir/target cargo build -q -j 1 2>build.log || { cat build.log >&2; exit 2; }
target/debug/finding
