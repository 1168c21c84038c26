//! The rules as their files say. They are written in one form, so that lines are enough to read them; promtool
//! reads them as YAML.

use std::{
    fs,
    path::{Path, PathBuf},
};

pub struct Rule {
    pub name: String,
    pub alert: bool,
    pub expr: String,
    /// All of its lines.
    pub text: String,
}

fn yaml(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "yml")).collect();
    assert!(!files.is_empty());
    files.sort();
    files
}

pub fn files() -> Vec<PathBuf> {
    yaml("rules")
}

pub fn tests() -> Vec<PathBuf> {
    yaml("rules/tests")
}

pub fn all() -> Vec<Rule> {
    files().into_iter().flat_map(|file| read(&fs::read_to_string(file).unwrap())).collect()
}

fn read(text: &str) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut in_expr = false;
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let head =
            ["      - record: ", "      - alert: "].into_iter().find_map(|head| line.strip_prefix(head));
        if let Some(name) = head {
            let alert = line.contains("- alert: ");
            rules.push(Rule { name: name.to_owned(), alert, expr: String::new(), text: String::new() });
            in_expr = false;
        }
        let Some(rule) = rules.last_mut() else { continue };
        rule.text.push_str(line);
        rule.text.push('\n');
        if let Some(expr) = line.strip_prefix("        expr: ") {
            in_expr = expr == ">-";
            rule.expr = if in_expr { String::new() } else { expr.to_owned() };
        } else if in_expr && line.starts_with("          ") {
            rule.expr.push_str(line.trim());
            rule.expr.push(' ');
        } else {
            in_expr = false;
        }
    }
    rules
}
