//! `cargo xtask supply`: what the locked dependencies bring along, held against deny.toml. cargo-deny does it where it
//! is installed, advisories included; without it the licences, duplicates, bans and sources are checked here.

mod licence;
pub(crate) mod packages;

use std::collections::BTreeMap;
use std::{fmt, fs};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use self::packages::Package;
use crate::process::{cargo, check, find, output, root};

const FILE: &str = "deny.toml";

/// The part of cargo-deny's configuration that is checked here.
#[derive(Deserialize)]
struct Rules {
    licenses: Licences,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    skip: Vec<Named>,
    deny: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    version: Option<String>,
}

impl Named {
    /// Version 1 stands for 1.2.3, and 0.1 for 0.1.2, as in a dependency.
    fn means(&self, package: &Package) -> bool {
        let same = |version: &String| {
            package
                .version
                .strip_prefix(version.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.name == package.name && self.version.as_ref().is_none_or(same)
    }
}

/// Whether known vulnerabilities were looked for, which takes a program and a database from elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Advisories {
    Checked,
    #[default]
    NotChecked,
}

impl fmt::Display for Advisories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Checked => "advisories checked",
            Self::NotChecked => "advisories NOT CHECKED",
        })
    }
}

pub(crate) fn run() -> Result<Advisories> {
    if find("cargo-deny").is_some() {
        check(&mut cargo(["deny", "--locked", "check", "licenses", "bans", "sources"]))?;
        return advisories();
    }
    let path = root().join(FILE);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let rules: Rules = toml::from_str(&text).with_context(|| format!("{FILE} is not as expected"))?;
    let packages = packages::all()?;
    let complaints = complaints(&rules, &packages);
    for complaint in &complaints {
        println!("{complaint}");
    }
    if !complaints.is_empty() {
        bail!(
            "{} complaints by {FILE}: remove the dependency, or enter it there with the reason",
            complaints.len()
        );
    }
    println!("{} packages: licences, duplicates, bans and sources as {FILE} wants them", packages.len());
    println!("advisories   NOT CHECKED: no cargo-deny here; `cargo install cargo-deny --locked` adds it");
    Ok(Advisories::NotChecked)
}

/// Known vulnerabilities, by a database that cargo-deny fetches; where it cannot, that is said and no failure.
fn advisories() -> Result<Advisories> {
    match output(&mut cargo(["deny", "--locked", "check", "advisories"])) {
        Err(error) if format!("{error:#}").contains("failed to fetch advisory database") => {
            println!("advisories   NOT CHECKED: RustSec's database cannot be fetched; check the network");
            Ok(Advisories::NotChecked)
        }
        other => other.map(|_| Advisories::Checked),
    }
}

fn complaints(rules: &Rules, packages: &[Package]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        let title = format!("{} {}", package.name, package.version);
        match package.license.as_deref().map(|text| licence::allowed(text, &rules.licenses.allow)) {
            Some(Some(true)) => {}
            Some(Some(false)) => complaints.push(format!("{title}: licence {:?}", package.license)),
            Some(None) => complaints.push(format!("{title}: unreadable licence {:?}", package.license)),
            None => complaints.push(format!("{title}: no licence")),
        }
        if package.foreign() {
            complaints.push(format!("{title}: from {:?}", package.source));
        }
        if rules.bans.deny.iter().any(|banned| banned.means(package)) {
            complaints.push(format!("{title}: banned"));
        }
        if !rules.bans.skip.iter().any(|skipped| skipped.means(package)) {
            versions.entry(&package.name).or_default().push(&package.version);
        }
    }
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        complaints.push(format!("{name}: {} versions, {}", versions.len(), versions.join(" and ")));
    }
    for skipped in
        rules.bans.skip.iter().filter(|skipped| !packages.iter().any(|package| skipped.means(package)))
    {
        complaints.push(format!("{}: {FILE} skips it, and nothing asks for it", skipped.name));
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::{Package, Rules, complaints};

    fn rules() -> Rules {
        let text = "[licenses]\nallow = [\"MIT\"]\n[bans]\nskip = [{ name = \"old\", version = \"0.1\" }]\n\
            deny = [{ name = \"bad\" }]";
        toml::from_str(text).unwrap()
    }

    fn package(name: &str, version: &str, license: &str) -> Package {
        let source = Some("registry+x".to_owned());
        Package { name: name.into(), version: version.into(), license: Some(license.into()), source }
    }

    #[test]
    fn each_rule_finds_its_offender() {
        let good =
            [package("a", "1.0.0", "MIT"), package("old", "0.1.9", "MIT"), package("old", "0.2.0", "MIT")];
        assert!(complaints(&rules(), &good).is_empty());
        for bad in
            [package("a", "2.0.0", "MIT"), package("b", "1.0.0", "GPL-3.0"), package("bad", "1.0.0", "MIT")]
        {
            let mut all = good.to_vec();
            all.push(bad);
            assert_eq!(complaints(&rules(), &all).len(), 1, "{all:?}");
        }
        let git = Package { source: Some("git+x".into()), ..package("c", "1.0.0", "MIT") };
        assert!(complaints(&rules(), &[good.to_vec(), vec![git]].concat())[0].contains("git+x"));
        assert!(complaints(&rules(), &good[..1])[0].contains("skips it"));
    }
}
