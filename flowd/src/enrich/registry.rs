//! Every enricher, one line each, in the order in which they are asked.

use std::sync::Arc;

use super::{services, zones};
use crate::{
    aggregate::Policy,
    flow::{Enricher, Enrichers},
};

/// Makes an enricher as the configuration says.
type Start = fn(&Arc<Policy>) -> Box<dyn Enricher>;

static ENRICHERS: &[Start] = &[zones::start, services::start];

/// All of them, as the configuration says.
#[must_use]
pub fn enrichers(policy: &Arc<Policy>) -> Arc<Enrichers> {
    Arc::new(Enrichers::new(ENRICHERS.iter().map(|start| start(policy)).collect()))
}
