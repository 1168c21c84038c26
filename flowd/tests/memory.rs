//! The memory of the maps is what the formula says, by the kernel's own account.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{fs, thread};

use flowd::kernel::{Kernel, KernelError, LoadOptions};

/// What the kernel charges for the maps that this process has open.
fn charged() -> usize {
    let mut sum = 0;
    for entry in fs::read_dir("/proc/self/fdinfo").unwrap() {
        // The folder's own descriptor is gone by now.
        let Ok(text) = fs::read_to_string(entry.unwrap().path()) else { continue };
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if field("map_type:").is_some() {
            sum += field("memlock:").unwrap().parse::<usize>().unwrap();
        }
    }
    sum
}

#[test]
fn maps_take_what_the_formula_says() {
    let options = LoadOptions::default();
    let kernel = match Kernel::load(&options) {
        Ok(kernel) => kernel,
        Err(KernelError::Privilege { detail }) => {
            println!("SKIPPED: needs root: {detail}");
            assert!(std::env::var_os("FLOWD_REQUIRE_ROOT_TESTS").is_none(), "a skip is a failure here");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let charged = charged();
    drop(kernel);
    let cpus = thread::available_parallelism().unwrap().get();
    let formula: usize = options.memory(cpus).into_iter().map(|(_, bytes)| bytes).sum();
    let ratio = charged as f64 / formula as f64;
    println!("charged {charged}, by the formula {formula}");
    assert!((0.98..1.05).contains(&ratio), "charged {charged}, by the formula {formula}");
}
