#![no_main]
#[allow(dead_code, reason = "each target runs its part")]
#[path = "../inputs.rs"]
mod inputs;

libfuzzer_sys::fuzz_target!(|input: &[u8]| inputs::api(input));
