//! OpenMetrics text as Prometheus's classic text format (version 0.0.4).
//!
//! The classic format knows no units and no end mark, and describes a counter under its full name with
//! `_total`: without that, promtool finds no help for it.

use std::fmt::{self, Write};

/// `open`, an exposition in OpenMetrics text without exemplars, in the classic format.
#[must_use]
pub fn classic(open: &str) -> String {
    let mut text = String::with_capacity(open.len());
    // A string takes whatever is written.
    let _ = Classic::new(&mut text).write_str(open);
    text
}

/// Takes an exposition in OpenMetrics text without exemplars, in parts of any length, and passes each line on in the
/// classic format as soon as it is whole.
#[derive(Debug)]
pub struct Classic<W> {
    out: W,
    /// The beginning of a line.
    line: String,
    /// The name and the text of the last HELP.
    help: Option<(String, String)>,
}

impl<W: Write> Classic<W> {
    /// An exposition that goes to `out`.
    pub const fn new(out: W) -> Self {
        Self { out, line: String::new(), help: None }
    }

    fn pass(&mut self, line: &str) -> fmt::Result {
        let out = &mut self.out;
        if let Some(rest) = line.strip_prefix("# HELP ") {
            self.help = rest.split_once(' ').map(|(name, help)| (name.to_owned(), help.to_owned()));
            Ok(())
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, "untyped"));
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, help)) = self.help.take().filter(|(described, _)| described == name) {
                writeln!(out, "# HELP {name}{suffix} {help}")?;
            }
            writeln!(out, "# TYPE {name}{suffix} {kind}")
        } else if line.starts_with("# UNIT ") || line == "# EOF" {
            Ok(())
        } else {
            out.write_str(line)?;
            out.write_char('\n')
        }
    }
}

impl<W: Write> Write for Classic<W> {
    fn write_str(&mut self, mut text: &str) -> fmt::Result {
        while let Some((end, rest)) = text.split_once('\n') {
            text = rest;
            if self.line.is_empty() {
                self.pass(end)?;
                continue;
            }
            self.line.push_str(end);
            let line = std::mem::take(&mut self.line);
            self.pass(&line)?;
            self.line = line;
            self.line.clear();
        }
        self.line.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_get_their_full_name() {
        let open = "# HELP a_bytes Octets.\n# TYPE a_bytes counter\n# UNIT a_bytes bytes\na_bytes_total{x=\"1\"} 5\n\
                    # HELP b Now.\n# TYPE b gauge\nb 1\n# EOF\n";
        let expected = "# HELP a_bytes_total Octets.\n# TYPE a_bytes_total counter\na_bytes_total{x=\"1\"} 5\n\
                        # HELP b Now.\n# TYPE b gauge\nb 1\n";
        assert_eq!(classic(open), expected);
        // However the text is cut.
        for length in [1, 2, 7] {
            let mut text = String::new();
            let mut classic = Classic::new(&mut text);
            for part in open.as_bytes().chunks(length) {
                classic.write_str(std::str::from_utf8(part).unwrap()).unwrap();
            }
            assert_eq!(text, expected);
        }
    }
}
