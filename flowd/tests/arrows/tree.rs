//! The modules of a crate by the files that hold them, and which file imports which.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path as FilePath,
};

use crate::source::{Path, Source};

/// The path of a module, without `crate`.
pub type Module = Vec<String>;

/// From one file or folder to another.
pub type Arrows = BTreeSet<(String, String)>;

/// The modules of a crate, each in a file of its own, without those of tests.
pub struct Tree(BTreeMap<Module, Source>);

/// What a path leads to.
enum End {
    /// This file, by a path through these re-exports.
    File(Module),
    Elsewhere,
}

impl Tree {
    /// The crate whose root is `lib.rs` in this folder, or `main.rs`.
    pub fn read(src: &FilePath) -> Self {
        let root =
            ["lib.rs", "main.rs"].map(|name| src.join(name)).into_iter().find(|file| file.exists()).unwrap();
        let mut modules = BTreeMap::new();
        modules.insert(Module::new(), Source::read(&fs::read_to_string(root).unwrap()));
        folder(src, &Module::new(), &mut modules);
        Self(modules)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// From each file to those that it imports from.
    pub fn files(&self) -> BTreeSet<(Module, Module)> {
        let mut arrows = BTreeSet::new();
        for (module, source) in &self.0 {
            for path in &source.paths {
                if let End::File(to) = self.follow(module, path)
                    && to != *module
                    && !self.is_re_export(module, path, &to)
                {
                    arrows.insert((module.clone(), to));
                }
            }
        }
        arrows
    }

    /// What a module hands on of its own children is no import.
    fn is_re_export(&self, module: &Module, path: &Path, to: &Module) -> bool {
        path.public && to.starts_with(module)
    }

    fn follow(&self, module: &Module, path: &Path) -> End {
        self.resolve(module, path, path.depth, 0)
    }

    fn resolve(&self, module: &Module, path: &Path, mut depth: usize, hops: usize) -> End {
        let Some((first, mut rest)) = path.words.split_first() else { return End::Elsewhere };
        let mut at = module.clone();
        match first.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                let ups = 1 + rest.iter().take_while(|word| *word == "super").count();
                rest = &rest[ups - 1..];
                for _ in 0..ups {
                    if depth > 0 {
                        depth -= 1;
                    } else if at.pop().is_none() {
                        return End::Elsewhere;
                    }
                }
            }
            child if self.has(&at, child) => at.push(child.to_owned()),
            // The name of something imported, or of another crate.
            name => {
                let known = path.name.is_none().then(|| self.imported(&at, name)).flatten();
                return match known {
                    Some(import) if hops < HOPS => {
                        let words = import.words.iter().chain(rest).cloned().collect();
                        self.resolve(module, &Path { words, name: None, ..*import }, import.depth, hops + 1)
                    }
                    _ => End::Elsewhere,
                };
            }
        }
        self.descend(at, rest, hops)
    }

    /// Goes on from a module through children, and through what modules import under a name.
    fn descend(&self, mut at: Module, mut rest: &[String], hops: usize) -> End {
        while let Some((word, behind)) = rest.split_first() {
            if self.has(&at, word) {
                at.push(word.clone());
                rest = behind;
                continue;
            }
            let source = &self.0[&at];
            if source.items.contains(word) || hops >= HOPS {
                break;
            }
            let Some(import) = self.imported(&at, word) else {
                return self.by_glob(at, rest, hops);
            };
            let words = import.words.iter().chain(behind).cloned().collect();
            // A `use` begins with a module of its own, whatever else has that name here.
            let path = Path { words, name: Some(word.clone()), ..*import };
            return self.resolve(&at, &path, import.depth, hops + 1);
        }
        End::File(at)
    }

    /// What a glob of this module brings, else the module itself.
    fn by_glob(&self, at: Module, rest: &[String], hops: usize) -> End {
        let globs = self.0[&at].paths.iter().filter(|path| path.words.last().is_some_and(|last| last == "*"));
        for glob in globs {
            let words = [&glob.words[..glob.words.len() - 1], rest].concat();
            let path = Path { words, name: Some(String::new()), ..*glob };
            if let End::File(to) = self.resolve(&at, &path, glob.depth, hops + 1)
                && rest.first().is_some_and(|word| self.0[&to].items.contains(word))
            {
                return End::File(to);
            }
        }
        End::File(at)
    }

    fn has(&self, module: &Module, child: &str) -> bool {
        let mut path = module.clone();
        path.push(child.to_owned());
        self.0.contains_key(&path)
    }

    /// The `use` of this module that brings this name.
    fn imported(&self, module: &Module, name: &str) -> Option<&Path> {
        let paths = &self.0.get(module)?.paths;
        paths.iter().find(|path| path.name.as_deref() == Some(name) && path.words != [name])
    }
}

/// Names that lead to names that lead to names: more are a circle.
const HOPS: usize = 16;

fn folder(path: &FilePath, module: &Module, into: &mut BTreeMap<Module, Source>) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_root = module.is_empty() && matches!(name.as_str(), "lib" | "main");
        let child = [module.as_slice(), std::slice::from_ref(&name)].concat();
        if into.get(module).is_some_and(|source| source.tests.contains(&name)) || is_root {
            continue;
        }
        if path.is_dir() {
            let inside = path.join("mod.rs");
            let file = if inside.exists() { inside } else { path.with_extension("rs") };
            if file.exists() {
                into.insert(child.clone(), Source::read(&fs::read_to_string(file).unwrap()));
                folder(&path, &child, into);
            }
        } else if name != "mod" && path.extension().is_some_and(|extension| extension == "rs") {
            into.entry(child).or_insert_with(|| Source::read(&fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The name of a file in lists.
pub fn name(module: &Module) -> String {
    if module.is_empty() { "root".to_owned() } else { module.join("/") }
}

/// The same arrows between files by name, and between neighbours: files and whole folders, which end in `/`.
pub fn named(files: &BTreeSet<(Module, Module)>) -> [Arrows; 2] {
    let is_folder = |module: &[String]| {
        files
            .iter()
            .flat_map(|(from, to)| [from, to])
            .any(|file| file.len() > module.len() && file.starts_with(module))
    };
    let (mut named, mut neighbours) = (Arrows::new(), Arrows::new());
    for (from, to) in files {
        named.insert((name(from), name(to)));
        let common = from.iter().zip(to).take_while(|(one, other)| one == other).count();
        if common < from.len().min(to.len()) {
            let part = |module: &Module| {
                let part = &module[..=common];
                if is_folder(part) { format!("{}/", part.join("/")) } else { part.join("/") }
            };
            neighbours.insert((part(from), part(to)));
        }
    }
    [named, neighbours]
}
