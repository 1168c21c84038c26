//! OpenMetrics text as Prometheus's classic text format (version 0.0.4).
//!
//! The classic format knows no units and no end mark, and describes a counter under its full name with
//! `_total`: without that, promtool finds no help for it.

/// `open`, an exposition in OpenMetrics text without exemplars, in the classic format.
#[must_use]
pub fn classic(open: &str) -> String {
    let mut text = String::with_capacity(open.len());
    let mut help: Option<(&str, &str)> = None;
    for line in open.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, "untyped"));
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, help)) = help.take().filter(|(described, _)| *described == name) {
                push(&mut text, &["# HELP ", name, suffix, " ", help]);
            }
            push(&mut text, &["# TYPE ", name, suffix, " ", kind]);
        } else if !line.starts_with("# UNIT ") && line != "# EOF" {
            push(&mut text, &[line]);
        }
    }
    text
}

fn push(text: &mut String, parts: &[&str]) {
    for part in parts {
        text.push_str(part);
    }
    text.push('\n');
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
    }
}
