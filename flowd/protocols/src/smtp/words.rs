//! The words of operations.

/// The commands of RFC 5321 and its extensions with those of Postfix and Exchange, in capitals, sorted.
#[rustfmt::skip]
pub(super) const OPERATIONS: &[&str] = &[
    "ATRN", "AUTH", "BDAT", "BURL", "DATA", "EHLO", "ETRN", "EXPN", "HELO", "HELP", "MAIL", "NOOP", "QUIT",
    "RCPT", "RSET", "SAML", "SEND", "SOML", "STARTTLS", "TURN", "VRFY", "X-ANONYMOUSTLS", "X-EXPS", "XCLIENT",
    "XFORWARD",
];

/// What LMTP has in place of EHLO: no operation, as LMTP is not followed.
pub(super) const LHLO: &str = "LHLO";
