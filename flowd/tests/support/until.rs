//! Waiting for what other processes do.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// Asks until there is an answer; fails after `seconds`.
pub fn until<T>(what: &str, seconds: u64, mut ask: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < limit, "{what}: not within {seconds} s");
        sleep(Duration::from_millis(5));
    }
}
