//! flowd on networks of real programs: the kernel's counters, nginx's access log and the frames that the
//! test itself sent are the truth that its numbers are held to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "all of this is tests"
)]
#![allow(unreachable_pub, reason = "the harness is a module here")]

#[path = "../support/mod.rs"]
mod support;

/// Packets and bytes: none is missing, none is there twice.
mod accounting {
    mod capacity;
    mod conservation;
    mod counters;
    mod loopback;
    mod malformed;
    pub mod offload;
    mod series;
}

/// The programs at their hooks, beside those of others.
mod attach {
    mod coexistence;
    mod refusals;
    pub mod xdp;
}

mod dns;
mod requests;

mod http {
    mod access_log;
    mod garbage;
    mod nginx;
    mod secrets;
    mod shapes;
}

/// Devices that come and go.
mod interfaces {
    mod hotplug;
    mod lost;
    mod names;
}

/// Start, reload and end of the daemon.
mod lifecycle {
    mod files;
    mod reload;
    mod restart;
    mod shutdown;
    mod systemd;
}

/// Where lines go.
mod outputs {
    mod ipfix;
    pub mod logs;
    mod tail;
}

/// More than flowd, its outputs or its clients can take.
mod overload {
    mod early;
    mod faults;
    mod flood;
    mod share;
    mod steering;
}

/// Loss, round trips, and whose time a response took.
mod quality {
    mod busy;
    mod latency;
    mod server_time;
    mod tcp;
}

mod security {
    mod authentication;
    mod payload;
    mod sandbox;
    mod secrets;
}

mod tls;
