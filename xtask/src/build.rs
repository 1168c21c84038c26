//! `cargo xtask build`: the BPF programs, then flowd with them inside.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};

use crate::process::{cargo, check, root};
use crate::{setup, toolchain};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Optimised and stripped: the default
    #[arg(long, conflicts_with = "debug")]
    release: bool,
    /// flowd without optimisation; the BPF programs are always optimised, the verifier wants it so
    #[arg(long)]
    debug: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    setup::toolchain(false)?;
    object()?;
    flowd(if options.debug { "debug" } else { "release" })
}

/// The BPF programs alone, with what they came to.
pub(crate) fn object() -> Result<PathBuf> {
    let start = Instant::now();
    let object =
        toolchain::build_object(&root(), toolchain::Object::Shipped).map_err(|message| anyhow!(message))?;
    let bytes = fs::read(&object).with_context(|| object.display().to_string())?;
    let size = |section| toolchain::section_size(&bytes, section).unwrap_or(0);
    let (btf, ext) = (size(".BTF"), size(".BTF.ext"));
    println!(
        "BPF object   {} bytes, .BTF {btf}, .BTF.ext {ext}, in {:.1} s: {}",
        bytes.len(),
        start.elapsed().as_secs_f64(),
        object.display()
    );
    Ok(object)
}

/// flowd in `target/<profile>/flowd`.
pub(crate) fn flowd(profile: &str) -> Result<()> {
    let start = Instant::now();
    let mut command = cargo(["build", "--locked", "--package", "flowd"]);
    if profile == "release" {
        command.arg("--release");
    } else {
        // Beside a test the crates have the features that tests ask for: what the tests have built serves here too.
        command.args(["--bin", "flowd", "--test", "readme"]);
    }
    check(&mut command)?;
    let binary = toolchain::target_dir(&root()).join(profile).join("flowd");
    let size = fs::metadata(&binary).with_context(|| binary.display().to_string())?.len();
    println!("flowd        {size} bytes, in {:.1} s: {}", start.elapsed().as_secs_f64(), binary.display());
    Ok(())
}
