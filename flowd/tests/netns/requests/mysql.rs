//! MariaDB with its own clients and sysbench, against the server's own counters.

use std::process::Stdio;

use super::peer::{self, PORT, Peer, as_nobody, assert_all, errors, nobodys_folder, told};
use crate::support::{
    daemon::Daemon,
    namespace::Namespace,
    privileged,
    process::run,
    router::{Router, SERVER_V4},
};

/// A server without accounts and without files of tables.
fn mariadb(namespace: &Namespace) -> Peer {
    let folder = nobodys_folder();
    let path = folder.path().to_str().unwrap().to_owned();
    let mut command = as_nobody(namespace, "mariadbd");
    command.args([
        "--no-defaults",
        "--skip-grant-tables",
        "--skip-name-resolve",
        "--skip-log-bin",
        "--innodb=OFF",
    ]);
    command.args(["--default-storage-engine=MEMORY", "--bind-address=*", "--port", PORT]);
    command.args(["datadir", "socket", "pid-file"].map(|what| match what {
        "datadir" => format!("--{what}={path}"),
        _ => format!("--{what}={path}/{what}"),
    }));
    let peer = Peer::start(namespace, folder, &mut command);
    let rows: Vec<String> =
        (1..=100).map(|id| format!("({id}, {id}, '{}', 'pad')", "c".repeat(100))).collect();
    let table = "CREATE TABLE test.sbtest1 (id INT PRIMARY KEY, k INT, c CHAR(120), pad CHAR(60))";
    let rows = format!("INSERT INTO test.sbtest1 VALUES {}", rows.join(","));
    local(namespace, &peer, &format!("CREATE DATABASE test; {table}; {rows}"));
    peer
}

/// Statements by the server's own socket, which no packet passes.
fn local(namespace: &Namespace, peer: &Peer, statements: &str) -> String {
    let mut command = namespace.command("mariadb");
    command.args(["--no-defaults", "-BN", "-S", peer.path().join("socket").to_str().unwrap()]);
    run(command.args(["-e", statements]).stdin(Stdio::null()))
}

/// A counter of the server's.
fn counted(namespace: &Namespace, peer: &Peer, name: &str) -> usize {
    let shown = local(namespace, peer, &format!("SHOW GLOBAL STATUS LIKE '{name}'"));
    shown.split_whitespace().last().unwrap().parse().unwrap()
}

#[test]
fn mysql_lines_are_what_the_server_counts() {
    if !privileged("mysql_lines_are_what_the_server_counts") {
        return;
    }
    let router = Router::new(false);
    let server = mariadb(&router.server);
    let names = ["Com_select", "Com_stmt_prepare", "Com_update", "Com_set_option"];
    let count = || names.map(|name| counted(&router.server, &server, name));
    let before = count();
    let daemon = Daemon::start(&router.gateway, &["gw*"], "[mysql]\nlog = \"REQUESTS\"\n");
    let slap = "--no-defaults -h SERVER -P PORT --concurrency=8 --number-of-queries=800 --create-schema=test \
                --no-drop --query";
    peer::ask(&router.client, "mariadb-slap", slap, &["SELECT c FROM sbtest1 WHERE id = 7"]);
    // The same compressed, with results that are longer than what is not worth it.
    let compressed = slap.replace("--concurrency", "--compress --concurrency");
    peer::ask(&router.client, "mariadb-slap", &compressed, &["SELECT * FROM sbtest1 LIMIT 20"]);
    // Prepared, in the binary protocol.
    let sysbench = "oltp_point_select --mysql-host=SERVER --mysql-port=PORT --mysql-user=root --mysql-db=test \
                    --table-size=100 --threads=4 --events=400 --time=0 --db-ps-mode=auto run";
    let said = peer::ask(&router.client, "sysbench", sysbench, &[]);
    assert!(said.contains("total number of events:              400"), "{said}");
    let mut client = router.client.command("mariadb");
    client.args(["--no-defaults", "-h", SERVER_V4, "-P", PORT, "-BN", "--force", "test"]);
    let statements = [
        "UPDATE missing SET k = 1",
        "UPDATE sbtest1 SET k = 2",
        "SELEC 1",
        "PREPARE p FROM 'SELECT 1'",
        "EXECUTE p",
    ];
    peer::feed(&mut client, &format!("{};\n", statements.join(";\n")));
    let after = count();
    let [selects, prepared, updates, sets] = [0, 1, 2, 3].map(|at| after[at] - before[at]);
    let ended = told(daemon, &router.client);
    let lines = &ended.requests;
    assert!(lines.iter().all(|line| line["protocol"] == "mysql"));
    // PREPARE and EXECUTE in the text protocol count as what they are for, too.
    assert_all(lines, "SELECT", selects - 1);
    assert_all(lines, "EXECUTE", 1);
    assert_all(lines, "STMT_PREPARE", prepared - 1);
    assert_all(lines, "UPDATE", updates);
    assert_all(lines, "SET", sets);
    assert_eq!(errors(lines), [("UPDATE", "1146"), ("_OTHER", "1064")]);
    let flows = ended.flows.iter().filter(|flow| flow["server"]["port"] == 7001);
    assert!(flows.clone().count() > 20 && flows.clone().all(|flow| flow["app"] == "mysql"));
}
