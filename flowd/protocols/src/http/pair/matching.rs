//! Which request a response answers, also where copies of others were lost.
//!
//! HTTP/1.x has no numbers for that; responses come in the order of their requests (RFC 9112 section 9.3.2).
//! While every message is seen, the oldest request without response is the one. Where messages were lost on
//! the way here, TCP's numbers tell: a request acknowledges the server's bytes that its sender had. So no
//! response that begins before that number is its own, and the response to a request that waited for all
//! earlier ones begins just there. Likewise a response acknowledges the requests that its sender had.
//! What remains unclear is paired with nothing: a wrong pair is worse than none.

use std::collections::VecDeque;

use super::pending::Pending;
use crate::assembly::distance;

/// Where a response begins, and what its sender had of the client's bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResponsePlace {
    pub(super) start: u32,
    pub(super) ack: Option<u32>,
}

/// The exchange that the response at `place` belongs to. `doubt`: responses before it may have passed unseen.
/// Marks those whose response was missed, and ends the doubt where the place proves the pair.
pub(super) fn choose(
    pending: &mut VecDeque<Pending>,
    place: ResponsePlace,
    doubt: &mut bool,
) -> Option<usize> {
    let waits = |pending: &Pending| pending.response.is_none() && !pending.missed;
    let first = pending.iter().position(waits)?;
    let first = first + usize::from(is_over(pending.range(first..), place.start));
    give_up(pending, 0, first);
    // Numbers only grow along the list, so those that may be meant are at its front.
    let may_be = pending.iter().skip(first).take_while(|p| p.may_be_answered(place.start, place.ack)).count();
    let end = first + may_be;
    // The last one that waited for all before it: the client had begun to receive their responses then.
    let anchor = (first..end).rev().find(|&at| pending.get(at).is_some_and(|p| !p.pipelined));
    let base = if *doubt { anchor.unwrap_or(first) } else { first };
    let chosen = pending.get(base).filter(|_| may_be > 0)?;
    let proven = !chosen.pipelined && chosen.ack == Some(place.start);
    if !*doubt || proven {
        if chosen.behind_unseen && !proven {
            give_up(pending, base, base + 1);
            return None;
        }
        *doubt = false;
        give_up(pending, first, base);
        return Some(base);
    }
    // Not where it should begin: an interim response may be missing, but only if there is no other request
    // that it could answer, unseen ones included.
    let has_all = place.ack.zip(chosen.end).is_some_and(|(ack, end)| distance(end, ack) <= 0);
    let only = base + 1 == end && has_all && !chosen.behind_unseen;
    give_up(pending, first, if only { base } else { end });
    only.then_some(base)
}

/// The response to the first of `pending` has passed before `start`, though nobody copied it: its client had bytes of
/// the server before it sent the next request that it did not have before, and nothing else was owed to it.
fn is_over<'a>(mut pending: impl Iterator<Item = &'a Pending>, start: u32) -> bool {
    let (Some(first), Some(next)) = (pending.next(), pending.next()) else { return false };
    let alone = !first.pipelined && !first.behind_unseen && first.informational.is_empty();
    let grew = |(had, has)| distance(had, has) > 0 && distance(has, start) >= 0;
    alone && first.ack.zip(next.ack).is_some_and(grew)
}

/// The response at `place` begins just where that to a request must which was sent when all earlier ones had theirs:
/// none of them can still be owed one.
pub(super) fn is_proven(pending: &VecDeque<Pending>, place: ResponsePlace) -> bool {
    let waits = |pending: &&Pending| pending.response.is_none() && !pending.missed && !pending.pipelined;
    pending.iter().rev().find(waits).is_some_and(|pending| pending.ack == Some(place.start))
}

/// The responses to these were missed.
fn give_up(pending: &mut VecDeque<Pending>, from: usize, to: usize) {
    for pending in pending.range_mut(from..to) {
        pending.missed |= pending.response.is_none();
    }
}
