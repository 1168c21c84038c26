//! What servers refuse with, as far as it names nothing of the client's.

/// Beginnings of the texts of `-ERR` (docs.nats.io, "System Errors" and "-ERR"); what follows may be a subject.
const TEXTS: &[&str] = &[
    "Account Authentication Expired",
    "Attempted To Connect To Route Port",
    "Authentication Timeout",
    "Authorization Timeout",
    "Authorization Violation",
    "Invalid Client Protocol",
    "Invalid Publish Subject",
    "Invalid Subject",
    "Maximum Account Active Connections Exceeded",
    "Maximum Connections Exceeded",
    "Maximum Control Line Exceeded",
    "Maximum Payload Violation",
    "Maximum Subscriptions Exceeded",
    "Message Size Exceeds Maximum Payload",
    "Parser Error",
    "Permissions Violation for Publish",
    "Permissions Violation for Subscription",
    "Secure Connection - TLS Required",
    "Server Shutdown",
    "Slow Consumer",
    "Stale Connection",
    "Unknown Protocol Operation",
    "User Authentication Expired",
    "User Authentication Revoked",
];

/// The listed text that `text` is, or begins with, whatever its case.
pub(super) fn listed(text: &str) -> Option<&'static str> {
    let begins = |known: &&&str| {
        let (start, rest) = text.split_at_checked(known.len()).unwrap_or_default();
        start.eq_ignore_ascii_case(known) && (rest.is_empty() || rest.starts_with(' '))
    };
    TEXTS.iter().find(begins).copied()
}
