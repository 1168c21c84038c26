//! Imports go one way: no files of a crate import each other in a circle, and no neighbouring files and folders do.
//!
//! An import is a path that leads to another file of the crate, in a `use` or in code. Re-exports are followed to the file
//! that defines the item. No imports are `mod child;`, what a file hands on of its own children (`pub use child::Item`),
//! and what only tests see.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]
#![allow(unreachable_pub, reason = "the readers are modules here")]

mod allowed;
mod circle;
mod source;
mod tree;

use std::{fs, path::Path};

use allowed::ALLOWED;
use tree::{Tree, named};

/// The folder of each crate of the workspace.
fn crates() -> Vec<String> {
    let workspace: toml::Table = include_str!("../../../Cargo.toml").parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap().iter();
    members.map(|member| member.as_str().unwrap().to_owned()).collect()
}

fn tree(krate: &str) -> Tree {
    Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(krate).join("src"))
}

/// The arrows of a crate between its files, and between neighbours.
fn arrows(krate: &str) -> [tree::Arrows; 2] {
    named(&tree(krate).files())
}

/// What the list allows in a crate.
fn allowed(krate: &str) -> tree::Arrows {
    let rows = ALLOWED.iter().filter(|(home, ..)| *home == krate);
    rows.map(|(_, from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
}

#[test]
fn files_and_folders_import_each_other_in_no_circle() {
    let mut circles = Vec::new();
    for krate in crates() {
        let allowed = allowed(&krate);
        for mut arrows in arrows(&krate) {
            arrows.retain(|arrow| !allowed.contains(arrow));
            while let Some(way) = circle::shortest(&arrows) {
                circles.push(format!("{krate}: {}", way.join(" -> ")));
                let last = [way.len() - 2, way.len() - 1].map(|at| way[at].to_owned());
                arrows.remove(&last.into());
            }
        }
    }
    assert!(circles.is_empty(), "import only downwards:\n{}", circles.join("\n"));
}

/// The list gets shorter, never longer: an arrow that has gone, or closes no circle any more, leaves it.
#[test]
fn every_allowed_arrow_still_closes_a_circle() {
    let mut idle = Vec::new();
    for krate in crates() {
        let allowed = allowed(&krate);
        let graphs = arrows(&krate);
        for arrow in &allowed {
            let closes = graphs.iter().any(|arrows| {
                let mut rest = arrows.clone();
                rest.retain(|other| !allowed.contains(other));
                arrows.contains(arrow) && circle::closes(&rest, arrow)
            });
            if !closes {
                idle.push(format!("{krate}: {} -> {}", arrow.0, arrow.1));
            }
        }
    }
    assert!(idle.is_empty(), "take these out of allowed.rs:\n{}", idle.join("\n"));
    let crates = crates();
    assert!(ALLOWED.iter().all(|(krate, ..)| crates.iter().any(|known| known == krate)));
}

/// The readers find what there is: known arrows of this workspace.
#[test]
fn known_imports_are_found() {
    for (krate, files, from, to) in [
        ("flow-common", 30, "tcp", "record"),
        ("flowd", 100, "run", "config"),
        ("flowd/protocols", 20, "http/stream", "http/span"),
    ] {
        assert!(tree(krate).len() > files, "{krate} has more than {files} files");
        let [named, _] = arrows(krate);
        assert!(named.contains(&(from.to_owned(), to.to_owned())), "{krate}: {from} imports {to}");
    }
}

/// Files by name and text as a crate, and its arrows as `from to` in their order.
fn crate_of(files: &[(&str, &str)]) -> [Vec<String>; 2] {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let files = Tree::read(folder.path()).files();
    named(&files).map(|arrows| arrows.into_iter().map(|(from, to)| format!("{from} {to}")).collect())
}

#[test]
fn imports_are_read_in_every_form() {
    let [files, neighbours] = crate_of(&[
        ("lib.rs", "pub mod a; mod b; pub mod c; pub use c::deep::Deep;"),
        ("a.rs", "use crate::{b::{self, Other as _}, c::{Item, deep}};\npub struct Mine;"),
        // By a re-export of the root, by one of a folder, and by an inline module.
        (
            "b.rs",
            "use std::fmt;\nuse crate::Deep;\nmod inner { use super::super::c::Handed; fn f() {} }\npub struct Other;",
        ),
        ("c/mod.rs", "pub mod deep; mod far; pub use far::*; pub(crate) use far::Handed; pub struct Item;"),
        (
            "c/deep.rs",
            "pub struct Deep; impl Deep { fn f<'a>(x: &'a u8) -> char { super::far::call(); '{' } }",
        ),
        (
            "c/far.rs",
            "use super::Item; // use crate::a;\n/* use crate::a; */ const TEXT: &str = r#\"use crate::a;\"#; pub struct Handed;",
        ),
    ]);
    assert_eq!(files, ["a b", "a c", "a c/deep", "b c/deep", "b c/far", "c/deep c/far", "c/far c"]);
    assert_eq!(neighbours, ["a b", "a c/", "b c/", "c/deep c/far"]);
}

#[test]
fn what_only_tests_see_is_no_import() {
    let [files, _] = crate_of(&[
        ("lib.rs", "mod a; mod b;"),
        (
            "a.rs",
            "#[cfg(test)]\nuse crate::b::B;\n#[cfg(test)]\nmod tests;\npub struct A;\n#[cfg(test)]\nmod more { use crate::b::B; }",
        ),
        ("a/tests.rs", "use super::*; use crate::b::B;"),
        ("b.rs", "#[derive(Debug)] #[cfg(not(test))]\nuse crate::a::A;"),
    ]);
    assert_eq!(files, ["b a"]);
}

#[test]
fn circles_are_found_at_their_shortest() {
    let [files, neighbours] = crate_of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::one::One; fn f() { child::g(); } mod child; pub struct A;"),
        ("a/child.rs", "use super::A; pub fn g() {}"),
        ("b/mod.rs", "pub mod one; pub mod two;"),
        ("b/one.rs", "pub struct One;"),
        ("b/two.rs", "use crate::c::C;"),
        ("c.rs", "use crate::a::A; pub struct C;"),
    ])
    .map(|arrows| {
        let arrows = arrows.iter().map(|arrow| arrow.split_once(' ').unwrap());
        arrows.map(|(from, to)| (from.to_owned(), to.to_owned())).collect()
    });
    // A file and its child; and neighbours whose files make none.
    assert_eq!(circle::shortest(&files).unwrap(), ["a", "a/child", "a"]);
    assert_eq!(circle::shortest(&neighbours).unwrap(), ["a/", "b/", "c", "a/"]);
    assert!(circle::closes(&files, &("a/child".to_owned(), "a".to_owned())));
    assert!(!circle::closes(&files, &("c".to_owned(), "a".to_owned())));
}
