//! Whole stories through the tracker.

mod bad;
mod generated;
mod kit;
mod lost;
mod stories;
mod timing;
