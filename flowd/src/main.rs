//! `flowd`: see the library.
fn main() {}
