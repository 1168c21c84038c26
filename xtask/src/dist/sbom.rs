//! The software bill of materials: CycloneDX 1.5 of everything in the lock file that flowd is built from.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;

use crate::process::{cargo, output, root};
use crate::supply::packages;

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    /// SHA-256 of the package's archive.
    checksum: Option<String>,
}

/// The document. It has neither time nor serial number: the same lock file gives the same bytes.
pub(crate) fn cyclone() -> Result<String> {
    let path = root().join("Cargo.lock");
    let lock: Lock = toml::from_str(&fs::read_to_string(&path).with_context(|| path.display().to_string())?)?;
    let checksums: BTreeMap<_, _> =
        lock.package.into_iter().map(|one| ((one.name, one.version), one.checksum)).collect();
    let shipped = shipped()?;
    let mut components = Vec::new();
    let mut version = String::new();
    for package in packages::all()? {
        if package.name == "flowd" {
            version.clone_from(&package.version);
        }
        let key = (package.name.clone(), package.version.clone());
        if package.name == "flowd" || !shipped.contains(&format!("{} v{}", package.name, package.version)) {
            continue;
        }
        let purl = format!("pkg:cargo/{}@{}", package.name, package.version);
        let mut component = json!({
            "type": "library", "bom-ref": purl, "name": package.name, "version": package.version, "purl": purl,
            "licenses": [{ "expression": package.license.unwrap_or_default().replace('/', " OR ") }],
        });
        if let (Some(Some(checksum)), Some(object)) = (checksums.get(&key), component.as_object_mut()) {
            object.insert("hashes".to_owned(), json!([{ "alg": "SHA-256", "content": checksum }]));
        }
        components.push(component);
    }
    let document = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": { "component": {
            "type": "application", "bom-ref": format!("pkg:cargo/flowd@{version}"), "name": "flowd", "version": version,
            "licenses": [{ "expression": "Apache-2.0 OR MIT" }],
        }},
        "components": components,
    });
    Ok(format!("{document:#}\n"))
}

/// What is built into flowd and its BPF programs, or runs while they are built: no tests, no tasks.
fn shipped() -> Result<Vec<String>> {
    let mut all = Vec::new();
    for package in ["flowd", "xdp-ebpf"] {
        let tree = [
            "tree",
            "--locked",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--target",
            "all",
            "-p",
            package,
        ];
        let listed = output(&mut cargo(tree))?;
        // "name v1.2.3 (proc-macro)"
        all.extend(listed.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")));
    }
    Ok(all)
}
