//! `cargo xtask setup`: the BPF toolchain and the tools that tests need. Looks at files only when all is
//! there, so every other task calls it first. Never removes a package.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{as_root, cargo, check, find, output, root};
use crate::toolchain::{self, BPF_LINKER_VERSION, Compiler, DEBIAN_LLVM};

const COMPILER_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "libstd-rust-web-dev-bpf", LLVM_PACKAGE];
const LLVM_PACKAGE: &str = "llvm-22-dev";

/// Program that a test or the demo starts, and the Debian package that has it.
const TEST_TOOLS: &[(&str, &str)] = &[
    ("nginx", "nginx-light"),
    ("iperf3", "iperf3"),
    ("wrk", "wrk"),
    ("curl", "curl"),
    ("openssl", "openssl"),
    ("ethtool", "ethtool"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("prometheus", "prometheus"),
    ("goaccess", "goaccess"),
    ("nfcapd", "nfdump"),
    ("redis-server", "redis-server"),
    ("redis-benchmark", "redis-tools"),
    ("h2load", "nghttp2-client"),
    ("nghttpd", "nghttp2-server"),
    ("nghttpx", "nghttp2-proxy"),
    ("postgres", "postgresql"),
    ("pgbench", "postgresql"),
    ("mariadbd", "mariadb-server"),
    ("mariadb-slap", "mariadb-client"),
    ("sysbench", "sysbench"),
    ("memcached", "memcached"),
    ("mosquitto", "mosquitto"),
    ("mosquitto_pub", "mosquitto-clients"),
];

/// Modules of Debian's Python that tests run, and the Debian package of each, or what pip installs for this checkout alone
/// where Debian has none.
const TEST_MODULES: &[(&str, Module)] =
    &[("grpc", Module::Debian("python3-grpcio")), ("aioquic", Module::Pip("aioquic==1.2.0"))];

/// Where a module of Python comes from.
enum Module {
    Debian(&'static str),
    Pip(&'static str),
}

/// The Python whose modules Debian packages are.
const PYTHON: &str = "/usr/bin/python3";

/// Programs that the bench compares flowd with, where they are there.
const BENCH_TOOLS: [(&str, &str); 3] =
    [("nfpcapd", "nfdump"), ("softflowd", "softflowd"), ("tshark", "tshark")];

pub(crate) fn run() -> Result<()> {
    toolchain(true)?;
    test_tools(true)?;
    bench_tools(true);
    Ok(())
}

/// Makes what is missing of the BPF toolchain. `report` says what was found, too.
pub(crate) fn toolchain(report: bool) -> Result<()> {
    let compiler = match Compiler::find() {
        Some(found) => found,
        None => install_compiler()?,
    };
    if report {
        println!("compiler     {}", compiler.describe());
    }
    let linker = toolchain::linker(&root());
    if linker.exists() {
        if report {
            println!("bpf-linker   {BPF_LINKER_VERSION} found: {}", linker.display());
        }
        return Ok(());
    }
    install_linker()?;
    println!("bpf-linker   {BPF_LINKER_VERSION} installed: {}", linker.display());
    Ok(())
}

/// Makes what is missing of the programs that tests and the demo run.
pub(crate) fn test_tools(report: bool) -> Result<()> {
    let installed = packages(TEST_TOOLS)?;
    modules()?;
    if report && !installed {
        println!(
            "test tools   found: {}",
            TEST_TOOLS.iter().map(|(program, _)| *program).collect::<Vec<_>>().join(" ")
        );
    }
    Ok(())
}

/// Installs the packages of those programs that are missing; whether there were any.
pub(crate) fn packages(programs: &[(&str, &str)]) -> Result<bool> {
    let missing = |(program, _): &&(&str, &str)| find(program).is_none();
    let packages: Vec<_> = programs.iter().filter(missing).map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return Ok(false);
    }
    let list = packages.join(" ");
    if !available(&packages) {
        bail!("test tools are missing and this system has no such Debian packages; install: {list}");
    }
    install(&packages)?;
    println!("test tools   installed: {list}");
    Ok(true)
}

/// Makes what is missing of Python's modules.
fn modules() -> Result<()> {
    let folder = toolchain::tools(&root()).join("python");
    for (module, from) in TEST_MODULES {
        let mut import = Command::new(PYTHON);
        import.args(["-c", &format!("import {module}")]).env("PYTHONPATH", &folder);
        if output(&mut import).is_ok() {
            continue;
        }
        match from {
            Module::Debian(package) => install(&[package])?,
            Module::Pip(package) => {
                if output(Command::new(PYTHON).args(["-m", "pip", "--version"])).is_err() {
                    install(&["python3-pip"])?;
                }
                let mut pip = Command::new(PYTHON);
                pip.args(["-m", "pip", "install", "--quiet", "--only-binary=:all:", "--target"])
                    .arg(&folder)
                    .arg(package);
                check(&mut pip).with_context(|| {
                    format!(
                        "test tools are missing: {package} from PyPI; check the network, and run this again"
                    )
                })?;
            }
        }
        println!("test tools   installed: {module} for Python");
    }
    Ok(())
}

/// Makes what is missing of the programs that the bench compares with. It goes without those that cannot be had.
pub(crate) fn bench_tools(report: bool) {
    for (program, package) in BENCH_TOOLS {
        if find(program).is_some() {
            if report {
                println!("bench tools  found: {program}");
            }
            continue;
        }
        match install(&[package]) {
            Ok(()) => println!("bench tools  installed: {package}"),
            Err(error) => println!("bench tools  {program} is missing, the bench goes without it: {error:#}"),
        }
    }
}

fn install_compiler() -> Result<Compiler> {
    if available(&COMPILER_PACKAGES) {
        install(&COMPILER_PACKAGES)?;
        println!("compiler     installed from Debian: {}", COMPILER_PACKAGES.join(" "));
    } else {
        println!("compiler     this system has no rustc-web package, so a rustup nightly builds core itself");
        let nightly = ["toolchain", "install", "nightly", "--profile", "minimal", "--component", "rust-src"];
        check(Command::new("rustup").args(nightly)).context(
            "a nightly with rust-src is missing: install rustup, check the network, and run this again",
        )?;
    }
    Compiler::find()
        .context("the compiler was installed, yet it has no core for BPF: see what was printed above")
}

/// bpf-linker is linked with an LLVM that must be at least the compiler's own.
fn install_linker() -> Result<()> {
    // the compiler may be there without the LLVM to link with
    let found = llvm().or_else(|error| {
        if !available(&[LLVM_PACKAGE]) {
            return Err(error);
        }
        install(&[LLVM_PACKAGE]).and_then(|()| llvm())
    });
    let (prefix, version) = found?;
    println!("bpf-linker   building {BPF_LINKER_VERSION} with LLVM {version}, a minute or two");
    let feature = format!("llvm-{version}");
    let mut install =
        cargo(["install", "bpf-linker", "--version", BPF_LINKER_VERSION, "--locked", "--force"]);
    install.args(["--no-default-features", "--features", &feature, "--root"]);
    install.arg(toolchain::linker_root(&root())).env("LLVM_PREFIX", prefix);
    // cargo install builds in a temporary folder of its own unless told otherwise
    check(install.env_remove("CARGO_TARGET_DIR"))
        .context("bpf-linker is missing: check the network and the C++ compiler, and run this again")
}

/// Folder and major version of the LLVM to link with; only from 22 on it can read unaligned words.
fn llvm() -> Result<(PathBuf, &'static str)> {
    let given = env::var_os("LLVM_PREFIX").map(PathBuf::from);
    let usual = [DEBIAN_LLVM, "/usr/lib/llvm-23", "/usr/lib/llvm/22", "/usr/lib64/llvm22", "/usr"];
    for prefix in given.into_iter().chain(usual.map(PathBuf::from)) {
        let config = prefix.join("bin/llvm-config");
        let version = output(Command::new(&config).arg("--version")).unwrap_or_default();
        let known = ["22", "23"].into_iter().find(|major| version.split('.').next() == Some(major));
        // the tool alone is in smaller packages, too
        if let (Some(major), true) = (known, prefix.join("include/llvm-c").exists()) {
            return Ok((prefix, major));
        }
    }
    bail!(
        "LLVM 22 or 23 with its headers is missing: install it ({LLVM_PACKAGE}) or set LLVM_PREFIX to its folder"
    )
}

/// True where apt offers every package, after a fresh list if the present one does not know them.
fn available(packages: &[&str]) -> bool {
    if !Path::new("/usr/bin/apt-get").exists() {
        return false;
    }
    let known = || output(Command::new("apt-cache").arg("show").args(packages)).is_ok();
    // with some sources out of reach the others may still be enough
    known() || (as_root(&["apt-get", "update"]).is_ok_and(|mut update| check(&mut update).is_ok()) && known())
}

pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    println!("apt          installing {list}");
    let apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install"];
    let options = ["--yes", "--quiet", "--no-remove", "--no-install-recommends"];
    let attempt =
        || check(as_root(&[&apt[..], &options[..], packages].concat())?.stdin(std::process::Stdio::null()));
    // package lists that are too old name files that are gone
    attempt().or_else(|_| check(&mut as_root(&["apt-get", "update"])?).and_then(|()| attempt())).with_context(
        || {
            format!(
                "missing: {list}. Nothing was removed; see what apt said, install them, and run this again"
            )
        },
    )
}
