//! Project tasks: `cargo xtask --help`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "tasks talk to the person at the terminal")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod build;
mod ci;
mod dashboards;
mod demo;
mod dist;
mod fuzz;
mod hostile;
mod kernels;
mod lab;
mod new;
mod process;
mod run;
mod setup;
mod show;
mod soak;
mod stack;
mod supply;
mod test;
mod toolchain;
mod verify;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Sets up, builds, tests and shows flowd")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install the BPF toolchain and the tools that tests need; what is there is kept
    Setup,
    /// Build the BPF programs and flowd
    Build(build::Options),
    /// Build flowd and run it, as root: `cargo xtask run -- -i lo`
    Run(run::Options),
    /// Watch real traffic in a network of three namespaces, as root, until Ctrl-C
    Demo(demo::Options),
    /// Run the tests, those that need root included
    Test(test::Options),
    /// Feed random bytes to what reads packets, files and requests: `cargo xtask fuzz dns --seconds 600`
    Fuzz(fuzz::Options),
    /// Measure what flowd costs: per packet, on live traffic, in memory, reading captures; as root
    Bench(bench::Options),
    /// Everything at once for half an hour, as root: traffic, reloads, an interface that comes and goes; judged in the end
    Soak(soak::Options),
    /// Floods, silent clients and wrong passwords beside honest clients, for an hour, as root
    Hostile(hostile::Options),
    /// Hold the BPF programs against xdp-ebpf/budget.toml: sizes, verifier's work, stack, time per packet; as root
    Verify(verify::Options),
    /// Load, attach, count and detach under other kernels, in guests: `cargo xtask kernels 5.10 6.12`
    Kernels(kernels::Options),
    /// Hold the dependencies against deny.toml: licences, duplicates, bans, sources, advisories
    Supply,
    /// Portable binary, tarball, .deb, .rpm, bill of materials and checksums in target/dist
    Dist(dist::Options),
    /// Begin a protocol, a sink or an enricher from a template that compiles: `cargo xtask new protocol redis`
    New(new::Options),
    /// Write Grafana's JSON from dashboards/source, or draw it
    Dashboards(dashboards::Options),
    /// Format, lints, documentation, BPF build and every test
    Ci,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Setup => setup::run(),
        Task::Build(options) => build::run(&options),
        Task::Run(options) => run::run(&options),
        Task::Demo(options) => demo::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Soak(options) => soak::run(&options),
        Task::Hostile(options) => hostile::run(&options),
        Task::Verify(options) => verify::run(&options),
        Task::Kernels(options) => kernels::run(&options),
        Task::Supply => supply::run().map(drop),
        Task::Dist(options) => dist::run(&options),
        Task::New(options) => new::run(&options),
        Task::Dashboards(options) => dashboards::run(&options),
        Task::Ci => ci::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
