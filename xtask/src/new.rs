//! `cargo xtask new`: a protocol, a sink or an enricher to begin from. It copies a template that compiles, with its tests, and
//! enters it where flowd looks for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::process::{cargo, check, root};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to make
    #[arg(value_enum)]
    kind: Kind,
    /// Its name in records, metrics, configuration and code: lower-case letters, digits and _
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Follows an application protocol: flowd/protocols/src/NAME/
    Protocol,
    /// Takes records to a kind of peer: flowd/src/sinks/NAME.rs
    Sink,
    /// Adds what it knows of addresses to records: flowd/src/enrich/NAME.rs
    Enricher,
}

/// Adds to the text of a file.
type Edit = fn(&str, &Name) -> Result<String>;

struct Recipe {
    /// Below xtask/templates.
    templates: &'static str,
    /// Where the templates go.
    folder: &'static str,
    /// Files that learn of it.
    edits: &'static [(&'static str, Edit)],
    /// Crates that are formatted afterwards.
    crates: &'static [&'static str],
    next: &'static str,
}

const PROTOCOL: Recipe = Recipe {
    templates: "protocol",
    folder: "flowd/protocols/src",
    edits: &[
        ("flow-common/src/app.rs", |text, name| app(text, name)),
        ("flowd/protocols/src/lib.rs", |text, name| {
            listed(&module(text, "pub mod", name)?, "PROTOCOLS: &[Registered] = &[", &name.path("REGISTERED"))
        }),
        ("config/flowd.toml", |text, name| Ok(format!("{text}{}", name.put(FLOWD_TOML)))),
    ],
    crates: &["flow-common", "flowd-protocols"],
    next: "flow-common/src/sniff.rs decides which payload is copied for it",
};

const SINK: Recipe = Recipe {
    templates: "sink",
    folder: "flowd/src/sinks",
    edits: &[
        ("flowd/src/sinks.rs", |text, name| module(text, "mod", name)),
        ("flowd/src/sinks/registry.rs", |text, name| {
            // Linux shows 15 bytes of a thread's name.
            ensure!(name.snake.len() <= 10, "use at most ten letters: they are in the name of a thread");
            ensure!(!name.snake.contains('_'), "leave _ out: a URL cannot begin with it");
            let text = replaced(text, "use super::{", &format!("use super::{{{}, ", name.snake))?;
            listed(&text, "SCHEMES: &[Scheme] = &[", &name.path("SCHEME"))
        }),
    ],
    crates: &["flowd"],
    next: "its URLs in the README, and what its peer must be told",
};

const ENRICHER: Recipe = Recipe {
    templates: "enricher",
    folder: "flowd/src/enrich",
    edits: &[
        ("flowd/src/enrich.rs", |text, name| module(text, "mod", name)),
        ("flowd/src/enrich/registry.rs", |text, name| {
            let text = replaced(text, "use super::{", &format!("use super::{{{}, ", name.snake))?;
            listed(&text, "ENRICHERS: &[Start] = &[", &name.path("start"))
        }),
    ],
    crates: &["flowd"],
    next: "its field in the README's tables of records",
};

const FLOWD_TOML: &str = include_str!("../templates/protocol/flowd.toml.in");

/// A name in the forms in which templates have it.
struct Name {
    snake: String,
    camel: String,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let root = root();
    let recipe = match options.kind {
        Kind::Protocol => &PROTOCOL,
        Kind::Sink => &SINK,
        Kind::Enricher => &ENRICHER,
    };
    let name = Name::new(&options.name)?;
    // Everything that can fail first, so that there is all of it or nothing.
    let (mut changed, mut made) = (Vec::new(), Vec::new());
    for (path, edit) in recipe.edits {
        let text = read(&root.join(path))?;
        changed.push((
            *path,
            edit(&text, &name).with_context(|| format!("{path} is not as this task knows it"))?,
        ));
    }
    let templates = root.join("xtask/templates").join(recipe.templates);
    for template in files(&templates)? {
        let target = template.strip_prefix(&templates)?.to_string_lossy().into_owned();
        // Others are pieces that edits put into files.
        let Some(target) = target.strip_suffix(".rs.in") else { continue };
        let target = format!("{}/{}.rs", recipe.folder, name.put(target));
        ensure!(!root.join(&target).exists(), "{target} is there already: choose another name");
        made.push((target, name.put(&read(&template)?)));
    }
    for (path, text) in made
        .iter()
        .map(|(path, text)| (path.as_str(), text))
        .chain(changed.iter().map(|(path, text)| (*path, text)))
    {
        let path = root.join(path);
        fs::create_dir_all(path.parent().context("a file without a folder")?)?;
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    let crates = recipe.crates.iter().flat_map(|name| ["--package", name]);
    check(&mut cargo(["fmt"].into_iter().chain(crates)))?;
    made.iter().for_each(|(path, _)| println!("made    {path}"));
    changed.iter().for_each(|(path, _)| println!("changed {path}"));
    println!("next: adapt them; then {}", recipe.next);
    Ok(())
}

impl Name {
    fn new(text: &str) -> Result<Self> {
        const TAKEN: [&str; 12] =
            ["as", "async", "crate", "dyn", "fn", "impl", "in", "mod", "move", "ref", "template", "type"];
        let first = text.starts_with(|letter: char| letter.is_ascii_lowercase());
        let rest =
            text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !first || !rest || TAKEN.contains(&text) {
            bail!("\"{text}\" cannot name a module: use lower-case letters, digits and _, a letter first");
        }
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                format!("{}{}", first.to_ascii_uppercase(), letters.as_str())
            })
        };
        Ok(Self { snake: text.to_owned(), camel: text.split('_').map(capital).collect() })
    }

    /// A template's text with this name.
    fn put(&self, text: &str) -> String {
        text.replace("template", &self.snake)
            .replace("Template", &self.camel)
            .replace("TEMPLATE", &self.snake.to_ascii_uppercase())
    }

    fn path(&self, item: &str) -> String {
        format!("{}::{item}", self.snake)
    }
}

/// One more line in the list of applications, with the next number.
fn app(text: &str, name: &Name) -> Result<String> {
    let (before, list) = text.split_once("\napps! {\n").context("there is no list of applications")?;
    let (list, after) = list.split_once("\n}\n").context("the list of applications has no end")?;
    let numbers =
        list.lines().filter_map(|line| line.split_once(" = ")?.1.split(' ').next()?.parse::<u8>().ok());
    let number = numbers
        .max()
        .context("the list of applications is empty")?
        .checked_add(1)
        .context("no number is left")?;
    ensure!(!list.contains(&format!("\"{}\"", name.snake)), "there is an application {} already", name.snake);
    let line = format!("    /// {}.\n    {} = {number} \"{}\",", name.camel, name.camel, name.snake);
    Ok(format!("{before}\napps! {{\n{list}\n{line}\n}}\n{after}"))
}

/// A declaration of the module before the first of its kind; rustfmt puts it in its place.
fn module(text: &str, keyword: &str, name: &Name) -> Result<String> {
    let first = format!("\n{keyword} ");
    replaced(text, &first, &format!("\n{keyword} {};{first}", name.snake))
}

/// One more item at the end of the list that `opening` opens.
fn listed(text: &str, opening: &str, item: &str) -> Result<String> {
    let (before, list) = text.split_once(opening).with_context(|| format!("there is no {opening}"))?;
    let (list, after) = list.split_once("];").with_context(|| format!("{opening} has no end"))?;
    let list = list.trim_end().trim_end_matches(',');
    Ok(format!("{before}{opening}{list}, {item}];{after}"))
}

fn replaced(text: &str, old: &str, new: &str) -> Result<String> {
    ensure!(text.contains(old), "there is no {old:?}");
    Ok(text.replacen(old, new, 1))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// Every file below `folder`, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in folder.read_dir().with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_modules() {
        for (text, camel) in [("redis", "Redis"), ("mongo_db", "MongoDb"), ("amqp1", "Amqp1")] {
            assert_eq!(Name::new(text).unwrap().camel, camel);
        }
        for text in ["", "Redis", "1st", "a-b", "type", "template", "_x"] {
            assert!(Name::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lists_and_modules_grow_by_one() {
        let name = Name::new("redis").unwrap();
        let apps = "x\napps! {\n    /// A.\n    Tls = 3 \"tls\",\n}\ny\n";
        let grown = app(apps, &name).unwrap();
        assert!(
            grown.contains("    Tls = 3 \"tls\",\n    /// Redis.\n    Redis = 4 \"redis\",\n}\ny\n"),
            "{grown}"
        );
        assert!(app(&grown, &name).is_err());
        assert_eq!(listed("a = &[x, y];\nb", "a = &[", "z").unwrap(), "a = &[x, y, z];\nb");
        assert_eq!(module("\npub mod z;\n", "pub mod", &name).unwrap(), "\npub mod redis;\npub mod z;\n");
    }
}
