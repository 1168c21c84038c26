//! Compiles the BPF programs and puts the object where `include_bytes_aligned!` embeds it from: `$OUT_DIR/flowd-ebpf`, and
//! with the feature `measure` a second one beside it, `$OUT_DIR/flowd-ebpf-measure`. There is no stub for a missing toolchain: a flowd that cannot load is no flowd.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

#[allow(dead_code, reason = "xtask uses the rest")]
#[path = "../../xtask/src/toolchain.rs"]
mod toolchain;

use toolchain::Object;

fn main() {
    if let Err(message) = embed() {
        println!("cargo::error={message}");
        process::exit(1);
    }
}

fn embed() -> Result<(), String> {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).ok_or(format!("cargo did not set {name}"));
    let manifest = folder("CARGO_MANIFEST_DIR")?;
    let root = manifest.ancestors().nth(2).ok_or("flowd/kernel is outside its workspace")?;
    watch(root);
    let mut objects = vec![(Object::Shipped, "flowd-ebpf")];
    if env::var_os("CARGO_FEATURE_MEASURE").is_some() {
        objects.push((Object::Measure, "flowd-ebpf-measure"));
    }
    for (object, name) in objects {
        let object = toolchain::build_object(root, object)?;
        let embedded = folder("OUT_DIR")?.join(name);
        let bytes = fs::read(&object).map_err(|e| format!("{}: {e}", object.display()))?;
        let small = without_debug(&bytes).ok_or(format!("{} is no object of ELF", object.display()))?;
        fs::write(&embedded, small).map_err(|e| format!("{}: {e}", embedded.display()))?;
    }
    Ok(())
}

/// A little-endian ELF64 object without its DWARF, which is most of it and which nobody reads at run time: the lines in
/// the verifier's log come from .BTF.ext. Section numbers stay, as symbols and relocations go by them: what is left out
/// becomes an empty section of no type.
fn without_debug(elf: &[u8]) -> Option<Vec<u8>> {
    let number = |bytes: &[u8], at: usize, len: usize| -> Option<usize> {
        let bytes = bytes.get(at..at.checked_add(len)?)?;
        Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte)))
    };
    let (table, size, count, names) =
        (number(elf, 0x28, 8)?, number(elf, 0x3a, 2)?, number(elf, 0x3c, 2)?, number(elf, 0x3e, 2)?);
    let strings = number(elf, table + names * size + 0x18, 8)?;
    let mut small = elf.get(..0x40)?.to_vec();
    let mut headers = elf.get(table..table.checked_add(size * count)?)?.to_vec();
    for header in headers.chunks_exact_mut(size) {
        let name = elf.get(strings + number(header, 0, 4)?..)?;
        let place = if name.starts_with(b".debug_") || name.starts_with(b".rel.debug_") {
            // Type SHT_NULL, size 0.
            header.get_mut(0x04..0x08)?.fill(0);
            header.get_mut(0x20..0x28)?.fill(0);
            0
        } else {
            let (from, len) = (number(header, 0x18, 8)?, number(header, 0x20, 8)?);
            small.resize(small.len().next_multiple_of(number(header, 0x30, 8)?.max(1)), 0);
            small.extend(elf.get(from..from.checked_add(len)?)?);
            small.len() - len
        };
        header.get_mut(0x18..0x20)?.copy_from_slice(&u64::try_from(place).ok()?.to_le_bytes());
    }
    small.resize(small.len().next_multiple_of(8), 0);
    let table = u64::try_from(small.len()).ok()?;
    small.get_mut(0x28..0x30)?.copy_from_slice(&table.to_le_bytes());
    small.extend(headers);
    Some(small)
}

/// Everything that the object is made from, the linker included: a build that failed for its absence runs
/// again once it is there.
fn watch(root: &Path) {
    let made_from = [
        "Cargo.toml",
        "Cargo.lock",
        "flow-common/Cargo.toml",
        "flow-common/src",
        "xdp-ebpf/Cargo.toml",
        "xdp-ebpf/src",
        "xtask/src/toolchain.rs",
        "flowd/kernel/build.rs",
    ];
    for path in made_from.map(|path| root.join(path)).into_iter().chain([toolchain::linker(root)]) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_DIR");
}
