//! Memory that the allocator holds and nobody uses.

/// Gives what was freed back to the kernel. The C library does so by itself only at the top of its heaps: one small
/// block that lives on keeps all below it.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: no pointers are given; the call takes the locks of the allocator and touches only what is free.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    /// Resident memory of its own, KiB.
    #[cfg(target_env = "gnu")]
    fn own() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    #[cfg(target_env = "gnu")]
    #[test]
    fn what_lies_below_a_block_in_use_goes_back() {
        const BLOCK: usize = 16 << 10;
        let before = own();
        let mut blocks: Vec<Vec<u8>> = (0..4_096).map(|_| vec![1; BLOCK]).collect();
        // One of the last ones stays.
        let kept = blocks.pop();
        drop(blocks);
        super::give_back();
        let after = own();
        assert!(after < before + (16 << 10), "{before} KiB before, {after} KiB after 64 MiB were freed");
        drop(kept);
    }
}
