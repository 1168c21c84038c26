use flowd::kernel::{Kernel, LoadOptions};
#[test]
fn loads() {
    for decapsulate in [0, u32::MAX] {
        let mut options = LoadOptions { flows: 4096, ..LoadOptions::default() };
        options.settings.decapsulate = decapsulate;
        let start = std::time::Instant::now();
        match Kernel::load(&options) { Ok(_) => println!("ok {decapsulate} {:?}", start.elapsed()), Err(e) => panic!("{decapsulate} {e}") }
    }
}
