//! What may be a request, or part of the body of the one before it: kept until a response tells.

use super::segment::SegmentInfo;
use crate::{
    assembly::distance,
    http::{parse::Request, span::Span},
};

/// Suspects of one connection; later ones are taken for body.
const MAX_SUSPECTS: usize = 4;

/// A request, or part of the body of the one before it.
#[derive(Debug)]
pub(super) struct Suspect {
    pub(super) request: Request,
    pub(super) span: Span,
    pub(super) segment: SegmentInfo,
}

/// In the order in which they passed.
#[derive(Debug, Default)]
pub(super) struct Suspects(Vec<Suspect>);

impl Suspects {
    pub(super) fn push(&mut self, request: Request, span: Span, segment: SegmentInfo) {
        if self.0.len() < MAX_SUSPECTS {
            self.0.push(Suspect { request, span, segment });
        }
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        let requests: usize = self.0.iter().map(|suspect| suspect.request.weight()).sum();
        self.0.capacity() * size_of::<Suspect>() + requests
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the first that a server which had the client's bytes up to `ack` can have answered.
    pub(super) fn take(&mut self, ack: Option<u32>) -> Option<Suspect> {
        let had = |suspect: &Suspect| ack.is_none_or(|ack| distance(suspect.span.start, ack) > 0);
        let at = self.0.iter().position(had)?;
        self.0.drain(..=at).next_back()
    }
}
