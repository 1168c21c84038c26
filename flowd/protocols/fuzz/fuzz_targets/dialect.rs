//! The dialect that the target has its name of.
#![no_main]
#[allow(dead_code, unused_imports, reason = "each target runs its part")]
#[path = "../inputs/mod.rs"]
mod inputs;

libfuzzer_sys::fuzz_target!(|input: &[u8]| inputs::dialect(env!("CARGO_BIN_NAME"), input));
