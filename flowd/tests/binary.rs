//! The real executable: help, exit statuses, and errors of one line with their remedy.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{
    fs,
    net::TcpListener,
    process::{Command, Output},
};

/// Runs flowd with `arguments` and no settings from this environment.
fn flowd(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowd"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FLOWD_")) {
        command.env_remove(name);
    }
    command.args(arguments).envs(environment.iter().copied()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Fails with `status` and one line that holds all of `parts`.
fn fails(arguments: &[&str], environment: &[(&str, &str)], status: i32, parts: &[&str]) {
    let output = flowd(arguments, environment);
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {error}");
    // The log may say before what was done; the error is the last line.
    let line = error.lines().last().unwrap_or_default();
    assert!(line.starts_with("flowd: "), "{error}");
    for part in parts {
        assert!(line.contains(part), "{part} is not in: {error}");
    }
    assert!(!error.contains("panicked"), "{error}");
    assert!(error.matches("os error").count() <= 1, "a cause stands twice: {error}");
}

#[test]
fn help_names_every_command() {
    let output = flowd(&["--help"], &[]);
    assert!(output.status.success());
    let help = stdout(&output);
    for command in ["run", "read", "tail", "interfaces", "check", "check-config", "completions"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is not in {help}");
    }
    let help = stdout(&flowd(&["run", "--help"], &[]));
    for option in
        ["-c", "-i", "--listen", "--interval", "--http-log", "--flow-log", "--query", "--head-bytes"]
    {
        assert!(help.contains(option), "{option}");
    }
    let help = stdout(&flowd(&["read", "--help"], &[]));
    for option in ["--engine", "--format", "--decapsulate", "--query", "--head-bytes", "--metrics"] {
        assert!(help.contains(option), "{option}");
    }
}

#[test]
fn wrong_usage_is_status_2() {
    for arguments in [
        &[][..],
        &["fly"],
        &["run", "--interval", "soon"],
        &["run", "--query", "all"],
        &["run", "--http-log-format", "xml"],
        &["read"],
    ] {
        assert_eq!(flowd(arguments, &[]).status.code(), Some(2), "{arguments:?}");
    }
    fails(&["run", "--head-bytes", "9999"], &[], 2, &["head_bytes = 9999", "from 0 to 4096"]);
    fails(&["run", "--http-log", "/a", "--http-log", "/a"], &[], 2, &["http_log = \"/a\"", "once"]);
    fails(&["run", "-i", "eth["], &[], 2, &["interfaces = \"eth[\"", "eth*"]);
    fails(&["read", "x.pcap", "--decapsulate", "vxlam"], &[], 2, &["vxlam", "vxlan"]);
}

#[test]
fn configuration_errors_name_file_line_key_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flowd.toml");
    let path = file.to_str().unwrap();
    for (text, parts) in [
        ("# x\nlisen = \"127.0.0.1:1\"\n", ["line 2", "unknown key \"lisen\"", "did you mean \"listen\""]),
        ("[timeouts]\nupd = \"1s\"\n", ["line 2", "unknown key \"timeouts.upd\"", "timeouts.udp"]),
        ("interval = 10\n", ["line 1", "invalid type", "string"]),
        ("interval = \"1ms\"\n", ["interval = 1ms", "from 100ms", "to 1h"]),
        ("listen = [\n", ["line ", "flowd.toml", "array"]),
    ] {
        fs::write(&file, text).unwrap();
        for command in [&["check-config", path][..], &["run", "-c", path], &["interfaces", "-c", path]] {
            fails(command, &[], 2, &parts);
            fails(command, &[], 2, &[path]);
        }
    }
    fs::remove_file(&file).unwrap();
    fails(&["check-config", path], &[], 2, &[path, "No such file"]);
    fs::write(&file, "interval = \"5s\"\n").unwrap();
    assert!(flowd(&["check-config", path], &[]).status.success());
    assert!(
        flowd(&["check-config", concat!(env!("CARGO_MANIFEST_DIR"), "/../config/flowd.toml")], &[])
            .status
            .success()
    );
}

#[test]
fn the_command_line_beats_the_environment_beats_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flowd.toml");
    fs::write(&file, "interfaces = [\"from-file\"]\n").unwrap();
    let config = ("FLOWD_CONFIG", file.to_str().unwrap());
    let interfaces = ("FLOWD_INTERFACES", "from-environment");
    fails(&["run"], &[config], 1, &["from-file"]);
    fails(&["run"], &[config, interfaces], 1, &["from-environment"]);
    fails(&["run", "-i", "from-line"], &[config, interfaces], 1, &["from-line"]);
}

#[test]
fn an_unknown_interface_is_named_with_those_there_are() {
    fails(&["run", "-i", "no-such-dev*"], &[], 1, &["no-such-dev*", "there are: ", "lo"]);
    fails(&["interfaces", "-i", "no-such-dev"], &[], 1, &["no-such-dev", "lo"]);
    let output = flowd(&["interfaces", "-i", "lo"], &[]);
    assert!(output.status.success());
    let table = stdout(&output);
    let row = table.lines().find(|line| line.contains(" lo ")).unwrap();
    assert!(row.starts_with("yes") && row.contains("loopback"), "{table}");
}

#[test]
fn an_unwritable_log_is_named_with_the_remedy() {
    for option in ["--http-log", "--flow-log", "--dns-log", "--tls-log"] {
        let arguments = ["run", "-i", "lo", "--listen", "127.0.0.1:0", option, "/nonexistent/x.log"];
        fails(&arguments, &[], 1, &["/nonexistent/x.log", "make the folder"]);
    }
}

#[test]
fn a_busy_port_is_named_with_the_remedy() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    fails(&["run", "-i", "lo", "--listen", &address], &[], 1, &[&address, "--listen"]);
}

/// Without a daemon there, with one that refuses, and with what is no daemon.
#[test]
fn tail_says_what_is_in_the_way() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers = std::thread::spawn(move || {
        for answer in [
            "HTTP/1.1 400 Bad Request\r\n\r\n{\"error\":\"status=9: use a status as 404\"}",
            "HTTP/1.1 404 Not Found\r\n\r\nno such page",
        ] {
            let mut stream = listener.accept().unwrap().0;
            // A short request comes in one piece.
            assert!(std::io::Read::read(&mut stream, &mut [0; 4_096]).unwrap() > 0);
            std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
        }
    });
    fails(&["tail", "--url", &url, "--status", "9"], &[], 2, &[&url, "status=9: use"]);
    fails(&["tail", "--url", &url], &[], 1, &[&url, "404", "no answer of flowd's"]);
    answers.join().unwrap();
    fails(&["tail", "--url", &url], &[], 1, &[&url, "is flowd running there"]);
    fails(&["tail"], &[("FLOWD_URL", "ftp://gw")], 2, &["ftp://gw", "http:// or https://"]);
    fails(&["tail", "--url", "gw:9435"], &[], 2, &["gw:9435", "http://127.0.0.1:9435"]);
}

#[test]
fn completions_are_scripts() {
    for shell in ["bash", "zsh", "fish"] {
        let output = flowd(&["completions", shell], &[]);
        assert!(output.status.success());
        assert!(stdout(&output).contains("check-config"), "{shell}");
    }
}

#[test]
fn check_looks_at_what_the_configuration_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("tokens"), "short\n").unwrap();
    let text = format!(
        "interfaces = [\"no-such-dev\"]\nhttp_log = \"{}\"\n[web]\ntokens = \"{}\"\n[security]\nsandbox = false\n",
        path("no/folder/x.log"),
        path("tokens")
    );
    fs::write(path("flowd.toml"), text).unwrap();
    let arguments = ["check", "-c", &path("flowd.toml"), "--listen", "0.0.0.0:0"];
    let said = stdout(&flowd(&arguments, &[]));
    for part in [
        "MISSING  interfaces: none to watch\n         no interface matches \"no-such-dev\"",
        "is no folder\n         make it: mkdir -p ",
        "tokens: anyone may read it",
        "16 characters",
        "warning  sandbox: switched off",
        "in clear text\n         set web.tls_certificate",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    fails(&arguments, &[], 1, &["requirements are missing"]);
}

/// Few files may be open: the error says so, and not that something is damaged.
#[test]
fn too_few_files_are_named_with_the_remedy() {
    for limit in [12, 20, 26, 40, 63] {
        let mut command = Command::new("sh");
        let flowd = env!("CARGO_BIN_EXE_flowd");
        let script = format!("ulimit -n {limit}; exec {flowd} run -i lo --listen 127.0.0.1:0");
        let output = command.args(["-c", &script]).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{limit}: {error}");
        assert!(
            error.contains(&format!("{limit} files may be open")) && error.contains("LimitNOFILE="),
            "{error}"
        );
    }
}
