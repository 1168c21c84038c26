//! The HTTP log as web servers write it, rotated by size, read back by what reads access logs.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{
    daemon::Daemon,
    nginx::Nginx,
    privileged,
    process::run,
    router::{LAN, Router, SERVER_V4, SERVER_V6},
    until,
};

const REQUESTS: usize = 1_200;
const LINE: &str = r#"^[0-9a-f.:]+ - - \[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} \+0000\] "(GET|HEAD) /[a-z]+/[0-9]+ HTTP/1\.1" (200|404) [0-9]+ "//www\.example\.org" "a\\x22b"$"#;

#[test]
fn access_logs_are_read_by_their_tools() {
    if !privileged("access_logs_are_read_by_their_tools") {
        return;
    }
    let router = Router::new(false);
    let nginx = Nginx::start(&router.server);
    let config = "http_log_format = \"combined\"\nlog_max_size = \"64KiB\"\nlog_keep = 9\n";
    let daemon = Daemon::start(&router.gateway, &[LAN], config);
    for server in [SERVER_V4.to_owned(), format!("[{SERVER_V6}]")] {
        for (more, paths) in
            [(&[][..], ["echo/[1-400]", "missing/[1-100]"]), (&["-I"], ["page/[1-50]", "echo/[1-50]"])]
        {
            let mut curl = router.client.command("curl");
            curl.args(["-sS", "--max-time", "20", "-o", "/dev/null", "-A", "a\"b"]);
            curl.args(["-e", "http://user:secret@www.example.org/secret?secret=1"]).args(more);
            run(curl.args(paths.map(|path| format!("http://{server}/{path}?secret=1"))));
        }
    }
    assert_eq!(nginx.logged(REQUESTS).len(), REQUESTS);
    let lines = |files: &[(_, String)]| files.iter().map(|(_, text)| text.lines().count()).sum::<usize>();
    let files = until("all lines", 10, || Some(daemon.http_files()).filter(|files| lines(files) >= REQUESTS));
    assert_eq!(lines(&files), REQUESTS);
    assert!(files.len() >= 2, "it was never rotated");
    let mut goaccess = Command::new("goaccess");
    for (path, text) in &files {
        assert!(text.len() <= (64 << 10) + 256 && !text.contains("secret"), "{path:?}");
        let path = path.to_str().unwrap();
        let matching = run(Command::new("grep").args(["-cE", LINE, path]));
        assert_eq!(matching.trim(), text.lines().count().to_string(), "{}", text.lines().next().unwrap());
        goaccess.arg(path);
    }
    goaccess.args(["--log-format=COMBINED", "--no-global-config", "--no-progress", "-o", "json"]);
    let report: Value = serde_json::from_str(&run(goaccess.stdin(Stdio::null()))).unwrap();
    let general = &report["general"];
    println!("GoAccess: {} of {REQUESTS} lines in {} files", general["valid_requests"], files.len());
    assert_eq!(general["valid_requests"], REQUESTS);
    assert_eq!(general["failed_requests"], 0);
    assert_eq!(report["referring_sites"]["data"][0]["data"], "www.example.org");
    assert_eq!(daemon.metric("flowd_export_records_total", &["sink=\"http_log\""]), REQUESTS as f64);
}
