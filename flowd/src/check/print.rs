//! Checks as lines for people, or one JSON object.

use std::io::{self, Write};

use serde::Serialize;

use super::requirement::{Check, Status};
use crate::screen::harmless;

/// One line per check, and its remedy below.
///
/// # Errors
/// `out` takes no more.
pub fn text(checks: &[Check], out: &mut dyn Write) -> io::Result<()> {
    for check in checks {
        let mark = match check.status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Missing => "MISSING",
        };
        writeln!(out, "{mark:8} {}: {}", harmless(&check.name), harmless(&check.detail))?;
        if let Some(remedy) = &check.remedy {
            writeln!(out, "         {}", harmless(remedy))?;
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct All<'a> {
    ok: bool,
    checks: &'a [Check],
}

/// `{"ok":…,"checks":[…]}` on one line.
///
/// # Errors
/// `out` takes no more.
pub fn json(checks: &[Check], out: &mut dyn Write) -> io::Result<()> {
    let ok = checks.iter().all(|check| check.status != Status::Missing);
    serde_json::to_writer(&mut *out, &All { ok, checks })?;
    writeln!(out)
}
