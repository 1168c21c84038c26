//! Compiles the BPF programs and puts the object where `include_bytes_aligned!` embeds it from:
//! `$OUT_DIR/flowd-ebpf`. There is no stub for a missing toolchain: a flowd that cannot load is no flowd.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

#[allow(dead_code, reason = "xtask uses the rest")]
#[path = "../xtask/src/toolchain.rs"]
mod toolchain;

fn main() {
    if let Err(message) = embed() {
        println!("cargo::error={message}");
        process::exit(1);
    }
}

fn embed() -> Result<(), String> {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).ok_or(format!("cargo did not set {name}"));
    let manifest = folder("CARGO_MANIFEST_DIR")?;
    let root = manifest.parent().ok_or("flowd is outside its workspace")?;
    watch(root);
    let object = toolchain::build_object(root)?;
    let embedded = folder("OUT_DIR")?.join("flowd-ebpf");
    fs::copy(&object, &embedded).map_err(|e| format!("{}: {e}", embedded.display()))?;
    Ok(())
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
        "flowd/build.rs",
    ];
    for path in made_from.map(|path| root.join(path)).into_iter().chain([toolchain::linker(root)]) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_DIR");
}
