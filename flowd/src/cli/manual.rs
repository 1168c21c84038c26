//! The manual pages, made of the command line's own description.

use std::{
    env, io,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::{Args, Command, CommandFactory};

use super::Cli;
use crate::flow::time_text;

/// Which pages go where.
#[derive(Debug, Args)]
pub struct Manual {
    /// Write every page to this folder, flowd(8) and one per command, instead of flowd(8) to standard output
    #[arg(long, value_name = "FOLDER")]
    pub into: Option<PathBuf>,
}

impl Manual {
    /// Writes to the folder, or to `out`.
    ///
    /// # Errors
    /// Fails where `out` or a file does.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let mut root = Cli::command().disable_help_subcommand(true);
        root.build();
        let Some(folder) = &self.into else { return out.write_all(page(&root)?.as_bytes()) };
        let listed = root.get_subcommands().filter(|command| !command.is_hide_set());
        for command in std::iter::once(&root).chain(listed) {
            let name = command.get_display_name().unwrap_or("flowd");
            std::fs::write(folder.join(format!("{name}.8")), page(command)?)?;
        }
        Ok(())
    }
}

fn page(command: &Command) -> io::Result<String> {
    let page = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    let version = concat!("flowd ", env!("CARGO_PKG_VERSION"));
    page.section("8").source(version).date(day()).render(&mut text)?;
    // Breaks around an empty line do nothing, and mandoc says so.
    Ok(String::from_utf8_lossy(&text).replace("\n.br\n\n.br\n", "\n.sp\n"))
}

/// Today; for builds that can be made again, the day that they name in `SOURCE_DATE_EPOCH`.
fn day() -> String {
    let given =
        env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let since = given.or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let text = time_text(u64::try_from(since.as_nanos()).unwrap_or_default());
    text.split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_named_has_its_page() {
        let folder = tempfile::tempdir().unwrap();
        Manual { into: Some(folder.path().to_owned()) }.write(&mut io::sink()).unwrap();
        let main = std::fs::read_to_string(folder.path().join("flowd.8")).unwrap().replace("\\-", "-");
        let named: Vec<&str> =
            main.lines().filter_map(|line| line.strip_suffix("(8)")).map(str::trim).collect();
        assert!(named.contains(&"flowd-run") && named.contains(&"flowd-check-config"), "{named:?}");
        for name in &named {
            let page = std::fs::read_to_string(folder.path().join(format!("{name}.8"))).unwrap();
            assert!(
                page.contains(".SH NAME\n") && page.contains("--help") | page.contains("\\-\\-help"),
                "{page}"
            );
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), named.len() + 1);
    }
}
