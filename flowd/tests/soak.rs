//! The judge of the soak finds what it is there to find. Its tests stand beside its rules.

#[path = "../benches/soak/main.rs"]
mod soak;
