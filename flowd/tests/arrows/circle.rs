//! Circles among arrows.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::Arrows;

/// The shortest circle, as the names on its way; `None` without one.
pub fn shortest(arrows: &Arrows) -> Option<Vec<&str>> {
    let mut to: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, into) in arrows {
        to.entry(from).or_default().push(into);
    }
    let circles = to.keys().filter_map(|start| way(&to, start, start));
    circles.min_by_key(Vec::len)
}

/// Whether `arrow` lies on a circle of `arrows`.
pub fn closes(arrows: &Arrows, arrow: &(String, String)) -> bool {
    let mut to: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, into) in arrows {
        to.entry(from).or_default().push(into);
    }
    way(&to, &arrow.1, &arrow.0).is_some()
}

/// The shortest way from `start` to `end`, which may be the same: at least one arrow.
fn way<'a>(to: &BTreeMap<&'a str, Vec<&'a str>>, start: &str, end: &str) -> Option<Vec<&'a str>> {
    let mut seen = BTreeSet::new();
    let mut ways: Vec<Vec<&str>> =
        to.get_key_value(start).map(|(start, _)| vec![*start]).into_iter().collect();
    let mut at = 0;
    while let Some(way) = ways.get(at).cloned() {
        at += 1;
        for next in to.get(way.last()?).into_iter().flatten() {
            if *next == end {
                let mut way = way.clone();
                way.push(next);
                return Some(way);
            }
            if seen.insert(*next) {
                let mut way = way.clone();
                way.push(next);
                ways.push(way);
            }
        }
    }
    None
}
