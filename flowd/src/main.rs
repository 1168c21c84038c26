//! `flowd`: see the library.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Result, bail};
use flowd::{
    check::{self, Status},
    cli::{self, Cli, Command, Which},
    config::{Config, ConfigError},
    interfaces::{self, Interface},
    kernel::{self, Cleaned},
    privileges, read, report, run,
    tail::{self, TailError},
    telemetry,
};

/// Failed while running.
const FAILED: u8 = 1;
/// Wrong usage or configuration.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::from_process();
    match execute(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; the status still tells.
            let _ = writeln!(io::stderr(), "flowd: {}", one_line(&error));
            ExitCode::from(if is_usage(&error) { USAGE } else { FAILED })
        }
    }
}

fn execute(command: Command) -> Result<()> {
    let mut out = io::stdout().lock();
    match command {
        Command::Run(options) => {
            // The log sinks write there.
            drop(out);
            let config = options.config()?;
            telemetry::init();
            let sandbox = privileges::confine(config.needs(options.which.config.as_deref()).as_ref());
            run::run(&config, Box::new(move || options.config()), &sandbox)
        }
        Command::Read(options) => {
            // The reader writes there.
            drop(out);
            let config = options.config()?;
            read::read(options.path(), options.engine.into(), options.intake(), options.output(), &config)
        }
        Command::Report(options) => report::report(&options.request()?, &mut out),
        Command::Tail(options) => Ok(tail::tail(&options.options(), &mut out)?),
        Command::Interfaces { which } => print_interfaces(&which, &mut out),
        Command::Check(options) => print_checks(&options, &mut out),
        Command::Clean => clean(&mut out),
        Command::CheckConfig { file } => {
            let config = Config::load(&file)?;
            for note in config.zones.notes() {
                writeln!(out, "{}: note: {note}", file.display())?;
            }
            Ok(writeln!(out, "{}: ok", file.display())?)
        }
        Command::Man(manual) => Ok(manual.write(&mut out)?),
        Command::Completions { shell } => Ok(cli::completions(shell, &mut out)?),
    }
}

fn print_interfaces(which: &Which, out: &mut dyn Write) -> Result<()> {
    let config = which.config()?;
    config.validate("command line or environment")?;
    let all = interfaces::list()?;
    let chosen = interfaces::choose(&all, &config.interfaces);
    write!(out, "{}", interfaces::table(&all, chosen.as_deref().unwrap_or_default()))?;
    chosen?;
    Ok(())
}

fn print_checks(options: &cli::Check, out: &mut dyn Write) -> Result<()> {
    let checks = check::all(&options.config()?);
    match options.format {
        cli::CheckFormat::Text => check::text(&checks, out)?,
        cli::CheckFormat::Json => check::json(&checks, out)?,
    }
    match checks.iter().filter(|check| check.status == Status::Missing).count() {
        0 => Ok(()),
        missing => bail!("{missing} of {} requirements are missing", checks.len()),
    }
}

fn clean(out: &mut dyn Write) -> Result<()> {
    let mut nothing = true;
    for Interface { name, ifindex, .. } in interfaces::list()? {
        match kernel::clean(&name, ifindex)? {
            Cleaned::Nothing => continue,
            Cleaned::InUse(holder) => writeln!(out, "{name}: a flowd is at work ({holder}), left as it is")?,
            Cleaned::Removed { filters, qdisc } => {
                let qdisc = if qdisc { " and the clsact qdisc" } else { "" };
                writeln!(out, "{name}: removed {filters} filters{qdisc}")?;
            }
        }
        nothing = false;
    }
    if nothing {
        writeln!(out, "nothing to remove")?;
    }
    Ok(())
}

/// The error and its causes in one line, without those whose text the error states already.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line.lines().collect::<Vec<_>>().join(" ")
}

fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<ConfigError>() || error.downcast_ref::<TailError>().is_some_and(TailError::is_usage)
}

/// A reader that has seen enough, as `head`, is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = match error.downcast_ref::<TailError>() {
        Some(TailError::Output(error)) => Some(error),
        _ => error.downcast_ref::<io::Error>(),
    };
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
