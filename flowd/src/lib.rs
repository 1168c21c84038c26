//! The daemon behind the `flowd` binary.
