//! What flowd's numbers mean, once: compiled into the BPF programs and into the daemon's native engine.
#![no_std]
