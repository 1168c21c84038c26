#!/usr/bin/env bash
# The hpack crate decodes static table entry 15 as "accept-"; every other of the 61 entries is right.
#
# Expected: RFC 7541 appendix A: entry 15 is accept-charset.
# Seen (crate hpack 0.3.0, beside fluke-hpack 0.3.1 and httlib-hpack 0.1.3): octet 0x8f, or a literal with that name,
#   gives "accept-" in hpack and "accept-charset" in the two others. The encoder has the same table, so hpack against
#   itself shows nothing.
# For a flow monitor: two HPACK decoders that agree with each other prove little; walk the static table in a test.
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
hpack = "=0.3.0"
fluke-hpack = "=0.3.1"
httlib-hpack = "=0.1.3"
[profile.dev]
debug = 0
T
cat > src/main.rs <<'R'
type Field = (String, String);

fn text(name: &[u8], value: &[u8]) -> Field {
    (String::from_utf8_lossy(name).into(), String::from_utf8_lossy(value).into())
}
fn hpack(block: &[u8]) -> Field {
    let fields = hpack::Decoder::new().decode(block).expect("hpack decodes");
    text(&fields[0].0, &fields[0].1)
}
fn fluke(block: &[u8]) -> Field {
    let fields = fluke_hpack::Decoder::new().decode(block).expect("fluke-hpack decodes");
    text(&fields[0].0, &fields[0].1)
}
fn httlib(block: &[u8]) -> Field {
    let mut fields = vec![];
    httlib_hpack::Decoder::default().decode(&mut block.to_vec(), &mut fields).expect("httlib-hpack decodes");
    text(&fields[0].0, &fields[0].1)
}

fn main() {
    let mut differing = vec![];
    for index in 1..=61u8 {
        let block = [0x80 | index];
        let (a, b, c) = (hpack(&block), fluke(&block), httlib(&block));
        if a != b || b != c {
            println!("entry {index}: hpack {a:?}, fluke-hpack {b:?}, httlib-hpack {c:?}");
            differing.push((index, a.0, b.0, c.0));
        }
    }
    // A literal without indexing whose name is entry 15 (4-bit prefix: 15 and 0 more) and whose value is "utf-8".
    let literal = hpack(b"\x0f\x00\x05utf-8");
    println!("literal with the name of entry 15: hpack {literal:?}");
    let recorded = (15, "accept-".to_string(), "accept-charset".to_string(), "accept-charset".to_string());
    if differing != [recorded] || literal != ("accept-".into(), "utf-8".into()) {
        eprintln!("CHANGED: recorded that entry 15 alone differs, as \"accept-\"");
        std::process::exit(1);
    }
    println!("as recorded: 60 entries agree");
}
R
CARGO_TARGET_DIR=$dir/target cargo build -q -j 1 2>build.log || { cat build.log >&2; exit 2; }
target/debug/finding
