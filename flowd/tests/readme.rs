//! README.md says what the code does: metrics, record fields, options, sizes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::{
    collections::BTreeSet,
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    process::Command,
    sync::Arc,
};

use flow_common::{
    app::App,
    key::{FlowKey, Sender},
    names,
    record::FlowRecord,
};
use flowd::{
    flow::{Endpoint, Flow, Icmp, Rtt, SeenAt, Tcp, Traffic, Tunnel},
    numbers::families,
    protocol::{
        Follow, PROTOCOLS, Switch,
        conversation::{self, RequestRecord},
        dns::{DnsExchange, DnsOutcome},
        http::{HttpExchange, Outcome, TraceContext},
        party::Party,
        record::Head,
        tls::{TlsHandshake, TlsOutcome},
    },
};
use flowd_numbers::{Kind, Meta};
use serde_json::Value;

const README: &str = include_str!("../../README.md");
const CONFIG: &str = include_str!("../../config/flowd.toml");

/// The README from `heading` to the next heading of any level.
fn section(heading: &str) -> &'static str {
    let (_, rest) = README.split_once(&format!("\n{heading}\n")).unwrap();
    rest.split_once("\n#").map_or(rest, |(section, _)| section)
}

/// Table rows of a section, without the heading and the line below it.
fn rows(section: &str) -> Vec<&str> {
    let rows = section.lines().filter(|line| line.starts_with('|'));
    rows.filter(|row| row.contains('`')).collect()
}

/// Words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn metrics_are_those_of_the_exposition() {
    let expected: Vec<String> = families()
        .iter()
        .map(|family| {
            let kind = match family.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
            let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(", ") };
            format!("| `{}` | {kind} | {labels} | {} |", family.full_name(), family.help)
        })
        .collect();
    assert_eq!(rows(section("## Metrics")), expected, "the table should be\n{}", expected.join("\n"));
}

/// Every metric that the rest of the README names exists.
#[test]
fn metrics_in_the_text_exist() {
    let known: BTreeSet<String> = families().iter().map(Meta::full_name).collect();
    let words = README.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'));
    for word in words.filter(|word| word.starts_with("flowd_")) {
        assert!(known.contains(word), "{word} is no metric");
    }
}

/// Paths of all fields, those of nested objects after a dot. `received` is as `sent`, and round-trip
/// summaries are described as one.
fn paths(prefix: &str, value: &Value, into: &mut BTreeSet<String>) {
    for (name, value) in value.as_object().unwrap() {
        let path = format!("{prefix}{name}");
        if value.is_object() && name != "received" && !name.ends_with("_rtt_us") {
            if name == "sent" {
                into.insert(path.clone());
            }
            paths(&format!("{path}."), value, into);
        } else {
            into.insert(path);
        }
    }
}

fn same_fields(heading: &str, record: &impl serde::Serialize) {
    let mut written = BTreeSet::new();
    paths("", &serde_json::to_value(record).unwrap(), &mut written);
    let cells = rows(section(heading)).into_iter().filter_map(|row| row.split('|').nth(1));
    let documented: BTreeSet<String> = cells.flat_map(quoted).map(str::to_owned).collect();
    assert_eq!(documented, written, "{heading}");
}

#[test]
fn flow_fields_are_those_of_the_records() {
    let end = Endpoint { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 1 };
    let rtt = Some(Rtt { count: 1, min: 1.0, mean: 1.0, max: 1.0 });
    same_fields(
        "### Flow",
        &Flow {
            start: 0,
            end: 0,
            iface: Arc::from("lo"),
            vlans: Vec::new(),
            ip_version: 4,
            protocol: 6,
            transport: None,
            client: Party::at(end),
            server: Party::at(end),
            role_by: "syn",
            tunnel: Some(Tunnel { kind: "gre", id: None }),
            fragment: false,
            sent: Traffic::default(),
            received: Traffic::default(),
            tcp: Some(Tcp {
                state: "SF",
                history: String::new(),
                handshake_server_rtt_us: None,
                handshake_client_rtt_us: None,
                server_rtt_us: rtt,
                client_rtt_us: rtt,
            }),
            icmp: Some(Icmp { kind: 8, code: 0, identifier: None }),
            end_reason: None,
            app: None,
            direction: None,
            service: None,
            seen_at: SeenAt::default(),
        },
    );
}

#[test]
fn http_fields_are_those_of_the_log() {
    same_fields(
        "### HTTP",
        &HttpExchange {
            head: Head::new(FlowKey::EMPTY, 0, Sender::A, 0),
            request_time: None,
            request_end: None,
            acknowledged: None,
            response_time: None,
            response_end: None,
            method: None,
            target: None,
            host: None,
            version: Some("2"),
            user_agent: None,
            referrer_host: None,
            content_type: None,
            request_content_length: None,
            response_content_length: None,
            status: None,
            grpc_status: None,
            trace: TraceContext::parse(b"00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"),
            is_grpc: false,
            informational: Vec::new(),
            request_bytes: None,
            response_bytes: None,
            partial: false,
            outcome: Outcome::Complete,
            retransmits: 0,
            think_time: None,
        },
    );
    for outcome in Outcome::ALL {
        assert!(section("### HTTP").contains(&format!("`{}`", outcome.name())), "{outcome:?}");
    }
}

#[test]
fn dns_fields_are_those_of_the_log() {
    same_fields(
        "### DNS",
        &DnsExchange {
            head: Head::new(FlowKey::EMPTY, 0, Sender::A, 0),
            query: None,
            qtype: None,
            rcode: None,
            answers: Vec::new(),
            answer_count: None,
            truncated: None,
            response_time: None,
            retries: 0,
            outcome: DnsOutcome::Answered,
        },
    );
    for outcome in DnsOutcome::ALL {
        assert!(section("### DNS").contains(&format!("`{}`", outcome.name())), "{outcome:?}");
    }
}

#[test]
fn tls_fields_are_those_of_the_log() {
    same_fields(
        "### TLS",
        &TlsHandshake {
            head: Head::new(FlowKey::EMPTY, 0, Sender::A, 0),
            sni: None,
            alpn: None,
            alpn_chosen: None,
            version: None,
            cipher: None,
            ja4: None,
            alert: None,
            handshake_time: None,
            partial: false,
            outcome: TlsOutcome::Complete,
            quic_version: Some(1),
        },
    );
    for outcome in TlsOutcome::ALL {
        assert!(section("### TLS").contains(&format!("`{}`", outcome.name())), "{outcome:?}");
    }
}

#[test]
fn request_fields_are_those_of_the_log() {
    same_fields(
        "### Requests",
        &RequestRecord {
            head: Head::new(FlowKey::EMPTY, 0, Sender::A, 0),
            app: App::Redis,
            operation: "GET".into(),
            statement: Some(String::new()),
            one_way: false,
            error: None,
            asked: 0,
            sent: 0,
            answered: None,
            think_time: None,
            retransmits: 0,
            outcome: conversation::Outcome::Complete,
        },
    );
    let told = section("### Requests");
    for protocol in PROTOCOLS.iter().filter(|protocol| matches!(protocol.follow, Follow::Dialect(_))) {
        let name = protocol.app.name();
        assert!(told.contains(&format!("`[{name}]`")), "{name}");
    }
}

fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_flowd")).args(arguments).arg("--help").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Long options of a text, but for those that every program has.
fn options(text: &str) -> BTreeSet<&str> {
    let words = text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '-'));
    words
        .filter(|word| word.starts_with("--") && word.len() > 2 && !["--help", "--version"].contains(word))
        .collect()
}

#[test]
fn the_command_line_is_that_of_the_help() {
    let block = section("## Command line").split("```").nth(1).unwrap();
    let mut commands: Vec<(&str, String)> = Vec::new();
    for line in block.lines() {
        if let Some(rest) = line.strip_prefix("flowd ") {
            commands.push((rest.split(' ').next().unwrap(), String::new()));
        } else if let Some((_, text)) = commands.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    let all = help(&[]);
    let (_, listed) = all.split_once("Commands:\n").unwrap();
    let (listed, _) = listed.split_once("\n\n").unwrap();
    // A long description goes on in lines that are indented further.
    let listed =
        listed.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let listed: Vec<&str> = listed.filter_map(|line| line.split(' ').next()).collect();
    let named: Vec<&str> = commands.iter().map(|(name, _)| *name).chain(["help"]).collect();
    assert_eq!(named, listed);
    for (name, text) in &commands {
        assert_eq!(options(text), options(&help(&[name])), "flowd {name}");
    }
}

#[test]
fn sizes_are_the_real_ones() {
    let record = size_of::<FlowRecord>();
    assert!(section("## Memory").contains(&format!("| record | {record} |")), "{record}");
    assert!(CONFIG.contains(&format!("at {record} bytes each")), "{record}");
    let cells = rows_of_numbers(section("## Memory"));
    let mebibytes = cells.iter().sum::<u64>() * u64::from(names::DEFAULT_FLOWS) / (1 << 20);
    assert!(section("## Memory").contains(&format!("{mebibytes} MiB")), "{mebibytes}");
}

/// Second cells that are numbers.
fn rows_of_numbers(section: &str) -> Vec<u64> {
    let cells = section.lines().filter_map(|line| line.split('|').nth(2));
    cells.filter_map(|cell| cell.trim().parse().ok()).collect()
}

/// Every path of the HTTP API, as the daemon lists them to a lost client, is described, and no other.
#[test]
fn paths_are_those_of_the_daemon() {
    let web = include_str!("../src/web.rs");
    let (_, list) = web.split_once("\"there are ").unwrap();
    let (list, _) = list.split_once('"').unwrap();
    let served: Vec<&str> = list.split([' ', ',']).filter(|word| word.starts_with('/')).collect();
    let documented: Vec<&str> =
        rows(section("## HTTP API")).into_iter().filter_map(|row| quoted(row).next()).collect();
    assert_eq!(documented, served);
}

/// Every key of the configuration stands in the table of reloads once, and says "restart" if it takes one.
#[test]
fn keys_reload_as_the_table_says() {
    fn walk(prefix: &str, table: &toml::Table, into: &mut Vec<String>) {
        for (name, value) in table {
            let path = format!("{prefix}{name}");
            match value {
                // Whole, as the names in it are the user's.
                toml::Value::Table(_) if ["zones", "series", "capacity.speeds"].contains(&&*path) => {
                    into.push(path);
                }
                toml::Value::Table(inner) => walk(&format!("{path}."), inner, into),
                _ => into.push(path),
            }
        }
    }
    /// The row of a key: those of a protocol's table stand in rows for all protocols.
    fn row_of(key: &str) -> String {
        let tables = PROTOCOLS.iter().filter(|protocol| protocol.switch != Switch::Http);
        match key.split_once('.') {
            Some((table, key)) if tables.clone().any(|protocol| protocol.app.name() == table) => {
                format!("PROTOCOL.{}", if ["enabled", "log"].contains(&key) { key } else { "*" })
            }
            _ => key.to_owned(),
        }
    }
    let mut known = Vec::new();
    walk("", &CONFIG.parse().unwrap(), &mut known);
    // None by default.
    known.push("sink".to_owned());
    let known: BTreeSet<String> =
        known.iter().map(|key| row_of(key)).chain(["PROTOCOL.*".to_owned()]).collect();
    let mut documented = Vec::new();
    let fixed: BTreeSet<String> = flowd::config::Config::fixed_keys().map(|key| row_of(&key)).collect();
    for row in rows(section("### Reload")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for key in quoted(cells[1]) {
            assert_eq!(cells[2] == "restart", fixed.contains(key), "{key}");
            documented.push(key.to_owned());
        }
    }
    documented.sort();
    assert_eq!(documented, Vec::from_iter(known));
}

/// Test functions of a file of the repository.
fn tests_of(path: &str) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut marked = false;
    let mut names = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if line == "#[test]" || line == "#[tokio::test]" {
            marked = true;
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| marked) {
            names.extend(rest.split('(').next().map(str::to_owned));
            marked = false;
        }
    }
    names
}

/// A command of the task runner, with options that it knows.
fn is_task(command: &str) -> bool {
    let tasks = include_str!("../../xtask/src/main.rs");
    let mut words = command.split(' ').skip(2);
    let name = words.next().unwrap_or_default();
    let (_, tasks) = tasks.split_once("enum Task {").unwrap();
    let (tasks, _) = tasks.split_once("\n}").unwrap();
    let known = tasks.lines().any(|line| {
        let variant = line.trim().split(['(', ',']).next().unwrap_or_default();
        variant.to_lowercase() == name && !name.is_empty()
    });
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../xtask/src/{name}.rs"));
    let source = fs::read_to_string(source).unwrap_or_default();
    known
        && words
            .filter_map(|word| word.strip_prefix("--"))
            .all(|word| source.contains(&format!("    {word}: bool,")))
}

/// Every promise names a test or a command, and there are those that it names.
#[test]
fn promises_are_kept_by_tests_that_exist() {
    let promises = section("## What flowd promises, and the test that keeps it");
    let (mut kept, mut named) = (0, 0);
    for row in rows(promises).iter().filter(|row| !row.starts_with("| **")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [promise, by] = cells[..] else { panic!("{row}") };
        let mut file = "";
        for (at, part) in by.split('`').enumerate() {
            if at % 2 == 0 {
                let link = part.rsplit_once("](").and_then(|(_, rest)| rest.split_once(')'));
                file = link.map_or(file, |(path, _)| path);
                continue;
            }
            named += 1;
            if part.starts_with("cargo xtask ") {
                assert!(is_task(part), "{promise}: there is no {part}");
            } else {
                assert!(tests_of(file).contains(part), "{promise}: there is no test {part} in {file}");
            }
        }
        assert!(by.contains('`'), "nothing keeps: {promise}");
        kept += 1;
    }
    assert!(kept >= 45 && named >= 100, "{kept} promises, {named} tests");
}
