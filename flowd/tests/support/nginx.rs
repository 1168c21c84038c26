//! A real nginx whose access log is the truth about requests.

use std::{fs, net::TcpStream, process::Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::{namespace::Namespace, process::Process, until};

pub struct Nginx {
    folder: TempDir,
    _process: Process,
}

impl Nginx {
    /// Serves port 80 of every address in the namespace, and waits until it does.
    pub fn start(namespace: &Namespace) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        fs::write(folder.path().join("nginx.conf"), config(path)).unwrap();
        fs::write(folder.path().join("page"), "flowd\n".repeat(200)).unwrap();
        fs::write(folder.path().join("large"), "flowd\n".repeat(20_000)).unwrap();
        let mut command = namespace.command("nginx");
        command.args(["-p", path, "-c", &format!("{path}/nginx.conf"), "-e", "stderr"]);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let process = Process::start(&mut command);
        until("nginx", 10, || namespace.enter(|| TcpStream::connect("127.0.0.1:80").ok()));
        Self { folder, _process: process }
    }

    /// Its access log.
    pub fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default();
        let complete = text.rfind('\n').map_or("", |end| &text[..=end]);
        complete.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits until the log has `count` lines.
    pub fn logged(&self, count: usize) -> Vec<Value> {
        until("nginx logs its requests", 10, || Some(self.log()).filter(|log| log.len() >= count))
    }
}

/// Where nginx speaks HTTP/2 in clear text.
pub const HTTP2: u16 = 8082;

/// Where the server that nginx asks for what is below /slow/ listens.
pub const UPSTREAM: &str = "127.0.0.1:8081";

/// Requests below /echo/ are answered at once, below /large/ with 120 kB, below /missing/ with 404, below /broken/ with 503,
/// below /chunked/ in chunks where the client takes gzip, below /unchanged/ with 304, below /dead/ by an upstream that is
/// not there, below /slow/ by the one at [`UPSTREAM`].
fn config(folder: &str) -> String {
    let scratch: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
        .concat();
    format!(
        "daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{}}
http {{
{scratch}
log_format seen escape=json '{{\"address\":\"$remote_addr\",\"port\":$remote_port,\"connection\":$connection,'
    '\"number\":$connection_requests,\"method\":\"$request_method\",\"target\":\"$request_uri\",'
    '\"status\":$status,\"time\":$msec}}';
access_log {folder}/access.log seen;
keepalive_requests 1000000;
client_max_body_size 10m;
server {{
    listen 80;
    listen [::]:80;
    listen {HTTP2} http2;
    root {folder};
    location /echo/ {{ return 200 \"hello\\n\"; }}
    location /made/ {{ return 201; }}
    location /unchanged/ {{ return 304; }}
    location /chunked/ {{ gzip on; gzip_types *; rewrite ^ /large break; }}
    location /dead/ {{ proxy_pass http://127.0.0.1:9; }}
    location /slow/ {{ proxy_pass http://{UPSTREAM}; }}
    location /missing/ {{ return 404; }}
    location /broken/ {{ return 503; }}
    location /page/ {{ rewrite ^ /page break; }}
    location /large/ {{ rewrite ^ /large break; }}
}}
}}
"
    )
}
