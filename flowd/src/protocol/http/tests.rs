//! Whole stories through the tracker.

mod generated;
mod kit;
mod stories;
