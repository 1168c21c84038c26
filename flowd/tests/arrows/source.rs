//! One source file, as far as imports go: its words, what it defines, and the paths that it names.

/// A path that a file names, from `use` or in its code, and under which inline modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// `crate`, `self`, `super`, a module, a crate: the first word is not resolved. `*` is the last of a glob.
    pub words: Vec<String>,
    /// The name that a `use` gives it here; none for paths in code.
    pub name: Option<String>,
    /// A `use` with a visibility.
    pub public: bool,
    /// How many inline modules stand around it.
    pub depth: usize,
}

/// What a file says, without what only tests see.
#[derive(Debug, Default)]
pub struct Source {
    pub paths: Vec<Path>,
    /// Items of the file itself.
    pub items: Vec<String>,
    /// Child modules that only tests see.
    pub tests: Vec<String>,
}

const ITEMS: [&str; 9] = ["fn", "struct", "enum", "trait", "const", "static", "type", "union", "macro_rules"];

impl Source {
    pub fn read(text: &str) -> Self {
        let words = words(text);
        let mut source = Self::default();
        let (mut at, mut braces, mut inline) = (0, 0_usize, Vec::new());
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        while at < words.len() {
            match word(at) {
                "#" => {
                    let end = past(&words, at + 1 + usize::from(word(at + 1) == "!"));
                    if words[at..end].join("") == "#[cfg(test)]" {
                        if word(end) == "mod" && word(end + 2) == ";" {
                            source.tests.push(word(end + 1).to_owned());
                        }
                        at = past_item(&words, end);
                    } else {
                        at = end;
                    }
                    continue;
                }
                "{" => braces += 1,
                "}" => {
                    braces = braces.saturating_sub(1);
                    inline.pop_if(|depth| *depth == braces);
                }
                // Of a visibility, only that there is one.
                "pub" if word(at + 1) == "(" => {
                    at = past(&words, at + 1);
                    continue;
                }
                "mod" if word(at + 2) == "{" => inline.push(braces),
                "use" => {
                    let public = at > 0 && matches!(word(at - 1), "pub" | ")");
                    let mut names = Vec::new();
                    at = tree(&words, at + 1, &mut Vec::new(), &mut names);
                    source.paths.extend(names.into_iter().map(|(words, name)| {
                        let name = Some(name).filter(|name| name != "_");
                        Path { words, name, public, depth: inline.len() }
                    }));
                    continue;
                }
                item if ITEMS.contains(&item) && braces == 0 => {
                    let name = if word(at + 1) == "!" { word(at + 2) } else { word(at + 1) };
                    source.items.push(name.to_owned());
                }
                _ if starts_path(&words, at) => {
                    let mut path = vec![word(at).to_owned()];
                    while word(at + 1) == "::" && is_name(word(at + 2)) {
                        path.push(word(at + 2).to_owned());
                        at += 2;
                    }
                    source.paths.push(Path { words: path, name: None, public: false, depth: inline.len() });
                }
                _ => {}
            }
            at += 1;
        }
        source
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn starts_path(words: &[String], at: usize) -> bool {
    let follows = at > 0 && words[at - 1] == "::";
    !follows && is_name(&words[at]) && words.get(at + 1).is_some_and(|next| next == "::")
}

/// Behind the group that begins at `at`, if one does.
fn past(words: &[String], at: usize) -> usize {
    let mut open = 0_usize;
    for (place, word) in words.iter().enumerate().skip(at) {
        match word.as_str() {
            "(" | "[" | "{" => open += 1,
            ")" | "]" | "}" => open = open.saturating_sub(1),
            _ => {}
        }
        if open == 0 {
            return place + 1;
        }
    }
    words.len()
}

/// Behind the item that begins at `at`, its other attributes included.
fn past_item(words: &[String], mut at: usize) -> usize {
    while let Some(word) = words.get(at) {
        match word.as_str() {
            ";" | "," => return at + 1,
            "{" => return past(words, at),
            // The end of what it stands in.
            "}" => return at,
            "(" | "[" => at = past(words, at),
            _ => at += 1,
        }
    }
    at
}

/// A tree of `use` from `at` on, each leaf with its path and its name; gives the place behind.
fn tree(
    words: &[String],
    mut at: usize,
    stem: &mut Vec<String>,
    into: &mut Vec<(Vec<String>, String)>,
) -> usize {
    let depth = stem.len();
    while let Some(word) = words.get(at) {
        at += 1;
        match word.as_str() {
            "::" => {}
            "{" => {
                while words.get(at).is_some_and(|word| word != "}") {
                    at = tree(words, at, stem, into);
                    at += usize::from(words.get(at).is_some_and(|word| word == ","));
                }
                stem.truncate(depth);
                return at + 1;
            }
            "as" => {
                let name = words.get(at).cloned().unwrap_or_default();
                into.push((stem.clone(), name));
                stem.truncate(depth);
                return at + 1;
            }
            name if is_name(name) || name == "*" => {
                stem.push(name.to_owned());
                let more = words.get(at).is_some_and(|next| next == "::" || next == "as");
                if !more {
                    let mut path = stem.clone();
                    // `use path::{self}` names the path.
                    path.pop_if(|last| last == "self" && stem.len() > 1);
                    let name = path.last().cloned().unwrap_or_default();
                    into.push((path, name));
                    stem.truncate(depth);
                    return at;
                }
            }
            _ => break,
        }
    }
    stem.truncate(depth);
    at
}

/// The words and marks of Rust source, `::` as one; without comments, strings, characters and lifetimes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal(rest) {
            length
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            words.push(rest[..end].to_owned());
            end
        } else if rest.starts_with("::") {
            words.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                words.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[taken..];
    }
    words
}

/// The length of a string, a character or a lifetime that `text` begins with.
fn literal(text: &str) -> Option<usize> {
    let body = text.trim_start_matches(['b', 'c']);
    let prefix = text.len() - body.len();
    if prefix > 1 {
        return None;
    }
    if let Some(raw) = body.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let quoted = raw[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        return Some(prefix + 2 + hashes + quoted.find(&close)? + close.len());
    }
    if let Some(quoted) = body.strip_prefix('"') {
        let mut escaped = false;
        let end = quoted.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        return Some(prefix + end + 2);
    }
    let quoted = body.strip_prefix('\'')?;
    let mut characters = quoted.char_indices();
    let (_, first) = characters.next()?;
    if first == '\\' {
        // Behind the escaped character, which may be a quote.
        return Some(prefix + 1 + 2 + quoted.get(2..)?.find('\'')? + 1);
    }
    let (second, next) = characters.next()?;
    if next == '\'' {
        return Some(prefix + 1 + second + 1);
    }
    // A lifetime.
    let end = quoted.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(quoted.len());
    Some(prefix + 1 + end)
}
