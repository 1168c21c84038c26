//! PostgreSQL with pgbench, against the server's own pg_stat_statements.

use std::{fs, path::PathBuf, process::Stdio};

use serde_json::Value;

use super::peer::{self, PORT, Peer, as_nobody, assert_all, errors, nobodys_folder, told};
use crate::support::{daemon::Daemon, namespace::Namespace, privileged, process::run, router::Router};

/// Debian keeps the server's programs off the PATH, in a folder for each version.
fn program(name: &str) -> String {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin").join(name)).filter(|file| file.exists());
    found.max().unwrap_or_else(|| PathBuf::from(name)).to_str().unwrap().to_owned()
}

/// A server with an empty database and tables of pgbench.
pub(super) fn postgresql(namespace: &Namespace) -> Peer {
    let folder = nobodys_folder();
    let path = folder.path().to_str().unwrap().to_owned();
    let data = format!("{path}/data");
    let mut initdb = as_nobody(namespace, &program("initdb"));
    initdb.args(["-D", &data, "-U", "flowd", "-A", "trust", "--no-sync", "--locale", "C", "-E", "UTF8"]);
    run(initdb.current_dir(&path));
    // Everybody may log in, from anywhere.
    fs::write(format!("{data}/pg_hba.conf"), "local all all trust\nhost all all all trust\n").unwrap();
    let mut command = as_nobody(namespace, &program("postgres"));
    command.args(["-D", &data, "-k", &path, "-p", PORT, "-h", "*"]).current_dir(&path);
    for setting in ["fsync=off", "shared_preload_libraries=pg_stat_statements"] {
        command.args(["-c", setting]);
    }
    let peer = Peer::start(namespace, folder, &mut command);
    local(namespace, &peer, "pgbench", &["-i", "-I", "dtGp", "-q"]);
    local(namespace, &peer, "psql", &["-c", "CREATE EXTENSION pg_stat_statements"]);
    peer
}

/// A client by the server's own socket, which no packet passes.
fn local(namespace: &Namespace, peer: &Peer, program: &str, words: &[&str]) -> String {
    let mut command = namespace.command(program);
    command.args(["-h", peer.path().to_str().unwrap(), "-p", PORT, "-U", "flowd"]);
    run(command.args(words).arg("postgres").stdin(Stdio::null()).stderr(Stdio::null()))
}

/// Statements of clients that begin with this word, by the server's own count.
fn counted(namespace: &Namespace, peer: &Peer, word: &str) -> usize {
    let query =
        format!("SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query ~* '^\\s*{word}\\y'");
    local(namespace, peer, "psql", &["-At", "-c", &query]).trim().parse().unwrap()
}

fn psql(router: &Router, statements: &[&str]) {
    let mut command = router.client.command("psql");
    command.args(["-h", crate::support::router::SERVER_V4, "-p", PORT, "-U", "flowd", "postgres", "-q"]);
    command.args(statements.iter().flat_map(|statement| ["-c", statement]));
    // Statements that fail are meant to.
    let _ = crate::support::process::attempt(command.stdin(Stdio::null()));
}

#[test]
fn postgresql_lines_are_what_the_server_counts() {
    if !privileged("postgresql_lines_are_what_the_server_counts") {
        return;
    }
    let router = Router::new(false);
    let server = postgresql(&router.server);
    local(&router.server, &server, "psql", &["-At", "-c", "SELECT pg_stat_statements_reset()"]);
    let before = counted(&router.server, &server, "SELECT");
    let daemon = Daemon::start(&router.gateway, &["gw*"], "[postgresql]\nlog = \"REQUESTS\"\n");
    for mode in ["simple", "extended", "prepared"] {
        let load = format!("-h SERVER -p PORT -U flowd -n -S -c 8 -t 100 -M {mode} postgres");
        let said = peer::ask(&router.client, "pgbench", &load, &[]);
        assert!(said.contains("actually processed: 800/800"), "{said}");
    }
    // psql asks for TLS first, which this server refuses with one byte.
    psql(
        &router,
        &[
            "CREATE TABLE copied AS SELECT generate_series(1, 10) AS n",
            "COPY copied TO STDOUT",
            "\\copy copied FROM PROGRAM 'seq 1 100'",
            "UPDATE missing SET n = 1",
            "INSERT INTO copied VALUES ('text')",
            "DELETE FROM copied",
        ],
    );
    // The count itself is not in it, as it is made before its own statement ends.
    let selects = counted(&router.server, &server, "SELECT") - before - 1;
    let others = ["COPY", "DELETE"].map(|word| (word, counted(&router.server, &server, word)));
    let ended = told(daemon, &router.client);
    let lines = &ended.requests;
    assert!(lines.iter().all(|line| line["protocol"] == "postgresql"));
    assert_all(lines, "SELECT", selects);
    for (word, counted) in others {
        assert_all(lines, word, counted);
    }
    assert_eq!(errors(lines), [("UPDATE", "42P01"), ("INSERT", "22P02")]);
    let flows: Vec<&Value> = ended.flows.iter().filter(|flow| flow["server"]["port"] == 7001).collect();
    assert!(flows.iter().all(|flow| flow["app"] == "postgresql"), "{flows:#?}");
}
