//! Where the BPF toolchain is and how the BPF object is built with it. `flowd/kernel/build.rs` includes this very
//! file, so that a plain `cargo build` and `cargo xtask build` cannot differ; hence std only, errors as text.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The linker's version is part of its path: another version is another install, never a stale one.
pub(crate) const BPF_LINKER_VERSION: &str = "0.13.0";
pub(crate) const TARGET: &str = "bpfel-unknown-none";
pub(crate) const DEBIAN_LLVM: &str = "/usr/lib/llvm-22";
const DEBIAN_RUSTLIB: &str = "/usr/lib/rustlib/bpfel-unknown-none/lib";

/// Kernels from 5.10 on accept v3 instructions. Packet bytes are read as unaligned words: without the
/// feature, and with bpf-linker's expansion of copies in order, each word would be read byte by byte.
const RUSTFLAGS: &str = "-C debuginfo=2 -C target-cpu=v3 -C link-arg=--btf \
     -C link-arg=--cpu-features=+allows-misaligned-mem-access -C link-arg=--disable-expand-memcpy-in-order";

/// A compiler that has, or can build, `core` for BPF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Compiler {
    /// Debian's own, with a prebuilt `core`.
    Debian,
    /// A rustup nightly with `rust-src`, which builds `core` itself; holds the toolchain's folder.
    Nightly(PathBuf),
}

impl Compiler {
    /// Debian's if it is complete, else a nightly; `None` if neither can build BPF.
    pub(crate) fn find() -> Option<Self> {
        let debian =
            ["/usr/bin/rustc", "/usr/bin/cargo", DEBIAN_RUSTLIB].iter().all(|p| Path::new(p).exists());
        if debian { Some(Self::Debian) } else { Self::find_nightly() }
    }

    fn find_nightly() -> Option<Self> {
        let home = |name: &str| env::var_os(name).map(PathBuf::from);
        let rustup = home("RUSTUP_HOME").or_else(|| Some(home("HOME")?.join(".rustup")))?;
        let prefix = format!("nightly-{}", env::consts::ARCH);
        let folders = fs::read_dir(rustup.join("toolchains")).ok()?.filter_map(Result::ok);
        folders
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
            .map(|entry| entry.path())
            .find(|path| path.join("lib/rustlib/src/rust/library/core").exists())
            .map(Self::Nightly)
    }

    fn program(&self, name: &str) -> PathBuf {
        match self {
            Self::Debian => Path::new("/usr/bin").join(name),
            Self::Nightly(folder) => folder.join("bin").join(name),
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Debian => "Debian's rustc with its prebuilt core".to_owned(),
            Self::Nightly(folder) => format!("rustup nightly with -Z build-std ({})", folder.display()),
        }
    }
}

/// The outer target folder: `CARGO_TARGET_DIR` if set, `target` if not.
pub(crate) fn target_dir(root: &Path) -> PathBuf {
    // join() keeps an absolute path as it is
    root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Tools that are this checkout's own.
pub(crate) fn tools(root: &Path) -> PathBuf {
    target_dir(root).join("tools")
}

/// What `cargo install --root` gets, and where the linker is found afterwards.
pub(crate) fn linker_root(root: &Path) -> PathBuf {
    tools(root).join(format!("bpf-linker-{BPF_LINKER_VERSION}"))
}

pub(crate) fn linker(root: &Path) -> PathBuf {
    linker_root(root).join("bin").join("bpf-linker")
}

/// Takes away what an outer cargo (or clippy, or a test) has set for its own build; how to reach the
/// network, where the registry cache is and where to build stays.
pub(crate) fn clean_env(command: &mut Command) -> &mut Command {
    const KEPT: [&str; 7] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
        "CARGO_TARGET_DIR",
        "CARGO_TERM_",
    ];
    const OTHER: [&str; 9] = [
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "RUSTUP_TOOLCHAIN",
        "HOST",
        "TARGET",
        "PROFILE",
        "OPT_LEVEL",
        "NUM_JOBS",
        "OUT_DIR",
    ];
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let outer = text == "CARGO" || text.starts_with("CARGO_") || text.starts_with("RUSTC");
        // HOST and its like are for build scripts; those of the inner build would be run again for them
        let other = OTHER.contains(&&*text);
        if (outer || other) && !KEPT.iter().any(|kept| text.starts_with(kept)) {
            command.env_remove(&name);
        }
    }
    command
}

/// What an object is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    /// The daemon embeds it.
    Shipped,
    /// The same programs, and beside them those that measure them.
    #[allow(dead_code, reason = "xtask builds none")]
    Measure,
}

/// Compiles the BPF programs, checks the object and gives its path.
pub(crate) fn build_object(root: &Path, object: Object) -> Result<PathBuf, String> {
    const REMEDY: &str = "run `cargo xtask setup`";
    let compiler = Compiler::find().ok_or(format!("no Rust compiler for BPF found: {REMEDY}"))?;
    if !linker(root).exists() {
        return Err(format!("bpf-linker {BPF_LINKER_VERSION} is missing: {REMEDY}"));
    }
    // Own folder: the outer cargo holds the lock of its target folder while a build script runs.
    // And one for each object: one does not build the other anew.
    let (folder, features) = match object {
        Object::Shipped => ("bpf", ""),
        Object::Measure => ("bpf-measure", "measure"),
    };
    let target_dir = target_dir(root).join(folder);
    let mut command = Command::new(compiler.program("cargo"));
    clean_env(&mut command)
        .current_dir(root)
        .args(["build", "--release", "--locked", "--package", "xdp-ebpf", "--target", TARGET])
        .args(["--features", features])
        .env("PATH", path_with(&linker_root(root).join("bin"))?)
        .env("CARGO_TARGET_DIR", &target_dir)
        .env("RUSTC", compiler.program("rustc"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", encoded(RUSTFLAGS, root))
        // the workspace strips its release binaries; the loader and the verifier's log need BTF
        .envs([("CARGO_PROFILE_RELEASE_STRIP", "false"), ("CARGO_PROFILE_RELEASE_DEBUG", "2")])
        .envs([("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"), ("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "false")]);
    if let Compiler::Nightly(_) = compiler {
        command.args(["-Z", "build-std=core"]);
    }
    let status = command.status().map_err(|e| format!("{}: {e}", compiler.program("cargo").display()))?;
    if !status.success() {
        return Err(format!("the BPF programs do not compile ({status})"));
    }
    let object = target_dir.join(TARGET).join("release").join("flowd-ebpf");
    let bytes = fs::read(&object).map_err(|e| format!("{}: {e}", object.display()))?;
    for section in [".BTF", ".BTF.ext"] {
        if section_size(&bytes, section).unwrap_or(0) == 0 {
            return Err(format!(
                "{} has no {section} section: are its programs compiled in?",
                object.display()
            ));
        }
    }
    Ok(object)
}

/// Flags for `CARGO_ENCODED_RUSTFLAGS`, with other names in place of this machine's folders: what is built does not
/// tell where. The workspace is ".", from where the linker still finds the source lines for the verifier's log.
pub(crate) fn encoded(flags: &str, root: &Path) -> OsString {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cargo")));
    let mut all = OsString::from(flags.split_whitespace().collect::<Vec<_>>().join("\x1f"));
    for (folder, name) in [(Some(root.to_owned()), "."), (home, "/cargo")] {
        if let Some(folder) = folder {
            all.push("\x1f--remap-path-prefix=");
            all.push(folder);
            all.push("=");
            all.push(name);
        }
    }
    all
}

fn path_with(first: &Path) -> Result<OsString, String> {
    let rest = env::var_os("PATH").unwrap_or_default();
    let folders = [first.to_owned()].into_iter().chain(env::split_paths(&rest));
    env::join_paths(folders).map_err(|e| format!("{}: {e}", first.display()))
}

/// Size of a section of a little-endian ELF64 object; `None` where there is none of that name.
pub(crate) fn section_size(elf: &[u8], name: &str) -> Option<u64> {
    let word = |at: usize, len: usize| -> Option<u64> {
        let bytes = elf.get(at..at.checked_add(len)?)?;
        Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    };
    let at = |at: usize, len: usize| usize::try_from(word(at, len)?).ok();
    let (table, size, count, names) = (at(0x28, 8)?, at(0x3a, 2)?, at(0x3c, 2)?, at(0x3e, 2)?);
    let strings = at(table + names * size + 0x18, 8)?;
    (0..count).map(|index| table + index * size).find_map(|header| {
        let found = elf.get(strings + at(header, 4)?..)?.strip_prefix(name.as_bytes())?;
        if found.first() == Some(&0) { word(header + 0x20, 8) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::section_size;

    #[test]
    fn sections_of_this_very_binary() {
        let elf = std::fs::read("/proc/self/exe").unwrap();
        assert!(section_size(&elf, ".text").unwrap() > 0);
        assert_eq!(section_size(&elf, ".tex"), None, "a prefix is another name");
        assert_eq!(section_size(&elf[..40], ".text"), None, "a cut file");
    }
}
