//! Licence expressions as crates write them: SPDX's (annex D of its specification), and "/" for "or", as was once usual.

/// Whether the licences in `allow` are enough; `None` where the expression cannot be read.
pub(crate) fn allowed(expression: &str, allow: &[String]) -> Option<bool> {
    let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut words = words.as_slice();
    let result = any(&mut words, allow)?;
    words.is_empty().then_some(result)
}

fn take(words: &mut &[&str], word: &str) -> bool {
    let rest = words.split_first().filter(|(first, _)| **first == word).map(|(_, rest)| rest);
    rest.inspect(|rest| *words = rest).is_some()
}

fn any(words: &mut &[&str], allow: &[String]) -> Option<bool> {
    let mut result = all(words, allow)?;
    while take(words, "OR") {
        result |= all(words, allow)?;
    }
    Some(result)
}

fn all(words: &mut &[&str], allow: &[String]) -> Option<bool> {
    let mut result = one(words, allow)?;
    while take(words, "AND") {
        result &= one(words, allow)?;
    }
    Some(result)
}

fn one(words: &mut &[&str], allow: &[String]) -> Option<bool> {
    if take(words, "(") {
        let result = any(words, allow)?;
        return take(words, ")").then_some(result);
    }
    let (first, rest) = words.split_first()?;
    if ["AND", "OR", "WITH", ")"].contains(first) {
        return None;
    }
    *words = rest;
    let mut name = (*first).to_owned();
    if take(words, "WITH") {
        let (exception, rest) = words.split_first()?;
        name = format!("{name} WITH {exception}");
        *words = rest;
    }
    Some(allow.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn expressions() {
        let allow = ["MIT", "Unicode-3.0"].map(str::to_owned);
        for (text, answer) in [
            ("MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("Apache-2.0 / MIT", Some(true)),
            ("Apache-2.0/MIT", Some(true)),
            ("Apache-2.0 WITH LLVM-exception OR MIT", Some(true)),
            ("MIT WITH Odd-exception", Some(false)),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", Some(true)),
            ("MIT AND GPL-3.0-only", Some(false)),
            ("MIT OR GPL-3.0-only AND GPL-2.0-only", Some(true)),
            ("(MIT", None),
            ("MIT OR", None),
            ("MIT MIT", None),
            ("", None),
        ] {
            assert_eq!(allowed(text, &allow), answer, "{text}");
        }
    }
}
