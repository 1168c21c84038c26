//! Every enricher, one line each, in the order in which they are asked.

use std::sync::Arc;

use super::{enricher::Enricher, zones};
use crate::aggregate::Policy;

/// Makes an enricher as the configuration says.
pub(super) type Start = fn(&Arc<Policy>) -> Box<dyn Enricher>;

pub(super) static ENRICHERS: &[Start] = &[zones::start];
