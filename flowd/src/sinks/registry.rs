//! Every kind of sink, one line each.

use super::{file, ipfix, scheme::Scheme};

/// Every kind of sink.
pub static SCHEMES: &[Scheme] = &[file::SCHEME, ipfix::SCHEME];
