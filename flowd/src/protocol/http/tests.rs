//! Whole stories through the tracker.

mod generated;
mod kit;
mod lost;
mod stories;
mod timing;
