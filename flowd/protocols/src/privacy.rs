//! What records may show of what people asked for, as configured; each protocol applies it to its own words.

/// What is shown of targets and their parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privacy {
    pub query: Query,
    /// Names of parameters whose values are never logged, in lower case.
    pub redact: Vec<String>,
    /// Paths such as `/users/{id}`, which stand for all that they match.
    pub templates: Vec<String>,
    /// Numbers, UUIDs and long hexadecimal segments of other paths become `{id}`.
    pub template_paths: bool,
}

/// What of a target's query string is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Query {
    /// Nothing from the `?` on, no fragment, no user info.
    #[default]
    Drop,
    /// The names without their values (`?a&b`), no fragment, no user info.
    Keys,
    /// The target as it is, user info included, but for what [`Privacy::redact`] names.
    Keep,
}
