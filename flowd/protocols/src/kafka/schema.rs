//! Fields of requests and responses, as `schemas.txt` has them.

use std::sync::LazyLock;

/// What a field is.
#[derive(Debug)]
pub(super) enum Kind {
    /// So many bytes.
    Fixed(usize),
    ErrorCode,
    Text,
    Bytes,
    /// An array of a field that is no structure.
    Array(Vec<Field>),
    Structures(Vec<Field>),
    Structure(Vec<Field>),
    /// A structure, or null.
    Nullable(Vec<Field>),
}

/// A field, and the versions that have it.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) kind: Kind,
    since: i16,
    until: i16,
}

impl Field {
    pub(super) const fn is_in(&self, version: i16) -> bool {
        self.since <= version && version <= self.until
    }

    /// Whether it takes no byte, as all that it consists of is of other versions; not for a flexible one.
    pub(super) fn is_empty_in(&self, version: i16) -> bool {
        match &self.kind {
            _ if !self.is_in(version) => true,
            Kind::Structure(fields) => fields.iter().all(|field| field.is_empty_in(version)),
            _ => false,
        }
    }
}

/// An API in a range of versions.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) key: i16,
    versions: (i16, i16),
    flexible: Option<i16>,
    pub(super) request: Vec<Field>,
    pub(super) response: Vec<Field>,
}

impl Schema {
    /// Of an API in a version; `None` where it is not known.
    pub(super) fn of(key: i16, version: i16) -> Option<&'static Self> {
        let has = |schema: &&Self| schema.versions.0 <= version && version <= schema.versions.1;
        let first = SCHEMAS.partition_point(|schema| schema.key < key);
        SCHEMAS.get(first..)?.iter().take_while(|schema| schema.key == key).find(has)
    }

    /// Whether lengths are varints and tagged fields follow each structure (KIP-482).
    pub(super) fn is_flexible(&self, version: i16) -> bool {
        self.flexible.is_some_and(|since| version >= since)
    }
}

const TEXT: &str = include_str!("schemas.txt");

/// In the order of their keys.
static SCHEMAS: LazyLock<Vec<Schema>> =
    LazyLock::new(|| TEXT.lines().filter(|line| !line.starts_with('#')).filter_map(schema).collect());

fn schema(line: &str) -> Option<Schema> {
    let mut parts = line.split('|');
    let (head, request, response) = (parts.next()?, parts.next()?, parts.next()?);
    let mut head = head.split_whitespace();
    let (key, versions, flexible) = (head.next()?, head.next()?, head.next()?);
    let (since, until) = versions.split_once('-')?;
    let versions = (since.parse().ok()?, until.parse().ok()?);
    Some(Schema {
        key: key.parse().ok()?,
        versions,
        flexible: flexible.parse().ok(),
        request: Reader { rest: request, versions }.fields()?,
        response: Reader { rest: response, versions }.fields()?,
    })
}

struct Reader<'a> {
    rest: &'a str,
    versions: (i16, i16),
}

impl<'a> Reader<'a> {
    /// Fields up to a closing bracket or the end.
    fn fields(&mut self) -> Option<Vec<Field>> {
        let mut fields = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with([']', ')', '}']) {
                return Some(fields);
            }
            fields.push(self.field()?);
        }
    }

    fn field(&mut self) -> Option<Field> {
        let kind = if self.eat("s") {
            Kind::Text
        } else if self.eat("b") {
            Kind::Bytes
        } else if self.eat("E") {
            Kind::ErrorCode
        } else if self.eat("[") {
            Kind::Array(self.inner("]")?)
        } else if self.eat("(") {
            Kind::Structures(self.inner(")")?)
        } else if self.eat("{") {
            Kind::Structure(self.inner("}")?)
        } else if self.eat("?{") {
            Kind::Nullable(self.inner("}")?)
        } else {
            Kind::Fixed(self.number()?.parse().ok()?)
        };
        let (mut since, mut until) = self.versions;
        if self.eat(":") {
            since = self.number()?.parse().unwrap_or(since);
            if !self.eat("-") {
                return None;
            }
            until = self.number()?.parse().unwrap_or(until);
        }
        Some(Field { kind, since, until })
    }

    fn inner(&mut self, end: &str) -> Option<Vec<Field>> {
        let fields = self.fields()?;
        self.eat(end).then_some(fields)
    }

    fn eat(&mut self, text: &str) -> bool {
        self.rest.strip_prefix(text).map(|rest| self.rest = rest).is_some()
    }

    /// Digits, perhaps none.
    fn number(&mut self) -> Option<&'a str> {
        let end = self.rest.find(|next: char| !next.is_ascii_digit()).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood_and_versions_of_an_api_do_not_overlap() {
        let lines = TEXT.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines.count(), SCHEMAS.len());
        for pair in SCHEMAS.windows(2) {
            let [first, second] = pair else { panic!() };
            assert!(first.key < second.key || first.versions.1 < second.versions.0, "{}", first.key);
        }
        for (key, name) in super::super::words::OPERATIONS.iter().enumerate().take(83) {
            assert!(Schema::of(key as i16, 0).or_else(|| Schema::of(key as i16, 1)).is_some(), "{name}");
        }
    }
}
