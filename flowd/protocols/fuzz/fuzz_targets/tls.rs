#![no_main]
#[allow(dead_code, unused_imports, reason = "each target runs its part")]
#[path = "../inputs/mod.rs"]
mod inputs;

libfuzzer_sys::fuzz_target!(|input: &[u8]| inputs::tls(input));
