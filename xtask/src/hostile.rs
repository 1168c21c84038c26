//! `cargo xtask hostile`: everything hostile at once beside honest clients, for as long as it is told to. `cargo xtask ci`
//! has the same for ten seconds, among the tests under load.

use anyhow::Result;

use crate::process::{cargo, check};
use crate::setup;
use crate::test::root_runner;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long it lasts
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Also floods of requests, hellos and queries with no handshake before them
    #[arg(long)]
    data: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    setup::toolchain(false)?;
    setup::test_tools(false)?;
    let mut command =
        cargo(["test", "--locked", "--package", "flowd", "--test", "load", "--", "hostile", "--nocapture"]);
    command.env("FLOWD_HOSTILE_SECONDS", (options.minutes * 60).to_string());
    command.env("FLOWD_HOSTILE_DATA", if options.data { "1" } else { "0" });
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin:/sbin"));
    root_runner(&mut command)?;
    check(&mut command)
}
