//! Kernel modules that the guest loads, with what they depend on, in that order. From each module's own `.modinfo`, so
//! that no `depmod` is needed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::bytes_of;

/// Names and contents of `wanted` and all that they need, those first that others need. What is built into the kernel
/// or unknown to it is left out.
pub(crate) fn collect(folder: &Path, wanted: &[&str]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = BTreeMap::new();
    find(&folder.join("kernel"), &mut files)?;
    let mut found = Vec::new();
    for name in wanted {
        add(&files, name, &mut found)?;
    }
    Ok(found)
}

fn add(files: &BTreeMap<String, PathBuf>, name: &str, found: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let name = name.replace('-', "_");
    let Some(path) = files.get(&name).filter(|_| found.iter().all(|(other, _)| *other != name)) else {
        return Ok(());
    };
    let module = read(path)?;
    for needed in depends(&module) {
        add(files, &needed, found)?;
    }
    found.push((name, module));
    Ok(())
}

/// `name.ko`, `.ko.xz` or `.ko.zst` below a folder.
fn find(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    let Ok(entries) = folder.read_dir() else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if let Some((name, _)) =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once(".ko"))
        {
            files.insert(name.replace('-', "_"), path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let program = match path.extension().and_then(|extension| extension.to_str()) {
        Some("xz") => "xz",
        Some("zst") => "zstd",
        _ => return fs::read(path).with_context(|| path.display().to_string()),
    };
    bytes_of(Command::new(program).arg("-dcq").arg(path))
}

/// The modules that this one names after `depends=`.
fn depends(module: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(at) = module.windows(KEY.len()).position(|window| window == KEY) else { return Vec::new() };
    let rest = module.get(at + KEY.len()..).unwrap_or_default();
    let value = rest.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(value).split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::depends;

    #[test]
    fn dependencies_are_read_from_the_module() {
        assert_eq!(depends(b"ELF\0license=GPL\0depends=nf_tables,llc\0name=x\0"), ["nf_tables", "llc"]);
        assert!(depends(b"ELF\0depends=\0name=x\0").is_empty());
        assert!(depends(b"ELF").is_empty());
    }
}
