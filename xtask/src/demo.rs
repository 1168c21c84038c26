//! `cargo xtask demo`: real programs talk through a gateway that flowd watches, and what flowd sees is
//! printed. Nothing of it is left behind.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::lab::{GATEWAY_INTERFACES, Host, Lab, SERVER_IPV4, SERVER_IPV6, tail};
use crate::process::{check, is_root, output, root, sudo};
use crate::{build, setup, show, toolchain};

const LISTEN: &str = "127.0.0.1:9435";
const EVERY: Duration = Duration::from_secs(2);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// One round of traffic, one table, and the end
    #[arg(long)]
    once: bool,
    /// Show this flowd instead of building one
    #[arg(long)]
    flowd: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    setup::test_tools(false)?;
    let flowd = if let Some(given) = &options.flowd {
        fs::canonicalize(given).with_context(|| given.display().to_string())?
    } else {
        setup::toolchain(false)?;
        build::flowd("release")?;
        toolchain::target_dir(&root()).join("release").join("flowd")
    };
    if !is_root() {
        return again_as_root(options.once, flowd);
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot watch for Ctrl-C")?;
    }
    let mut lab = Lab::new("flowd-demo")?;
    serve(&mut lab)?;
    watch(&mut lab, &flowd.to_string_lossy())?;
    if options.once { once(&lab, &stop) } else { live(&mut lab, &stop) }
}

fn again_as_root(once: bool, flowd: PathBuf) -> Result<()> {
    let this = std::env::current_exe()?.into_os_string();
    let mut words: Vec<OsString> = sudo()?.into_iter().map(OsString::from).collect();
    words.extend([this, "demo".into(), "--flowd".into(), flowd.into_os_string()]);
    words.extend(once.then(|| "--once".into()));
    let (program, arguments) = words.split_first().context("an empty command")?;
    check(Command::new(program).args(arguments))
}

/// nginx and iperf3 on the server.
fn serve(lab: &mut Lab) -> Result<()> {
    fs::write(lab.path("nginx.conf"), nginx_config(&lab.path("").to_string_lossy()))?;
    fs::write(lab.path("index.html"), "flowd\n".repeat(2000))?;
    let (prefix, config) = (lab.path("").display().to_string(), lab.path("nginx.conf").display().to_string());
    lab.start("nginx", Host::Server, "nginx", &["-p", &prefix, "-c", &config, "-e", "stderr"])?;
    lab.start("iperf3-server", Host::Server, "iperf3", &["-s"])?;
    lab.wait("nginx", |lab| get(lab, Host::Client, &format!("http://{SERVER_IPV4}/")).is_ok())
}

/// /slow: nginx holds an unauthorised answer back for 0.3 s; it is then answered as if authorised.
fn nginx_config(folder: &str) -> String {
    let scratch: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path {folder}/{kind};\n"))
        .concat();
    format!(
        "daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{}}
http {{
{scratch}    access_log {folder}/access.log;
    server {{
        listen 80;
        listen [::]:80;
        root {folder};
        location = /upload {{ client_max_body_size 10m; return 201; }}
        location = /slow {{
            auth_delay 300ms;
            auth_basic slow;
            auth_basic_user_file {folder}/nobody;
            error_page 401 =200 /index.html;
        }}
    }}
}}
"
    )
}

/// flowd on the gateway, on both sides.
fn watch(lab: &mut Lab, flowd: &str) -> Result<()> {
    let [http, flows] = ["http.jsonl", "flows.jsonl"].map(|name| lab.path(name).display().to_string());
    let mut arguments =
        vec!["run", "--listen", LISTEN, "--interval", "1s", "--http-log", &http, "--flow-log", &flows];
    arguments.extend(GATEWAY_INTERFACES.iter().flat_map(|interface| ["-i", interface]));
    lab.start("flowd", Host::Gateway, flowd, &arguments)?;
    lab.wait("flowd", |lab| get(lab, Host::Gateway, &format!("http://{LISTEN}/readyz")).is_ok())
}

/// The body of `url`; an error for a status of 400 and above, such as 503 of a service that is not ready.
fn get(lab: &Lab, host: Host, url: &str) -> Result<String> {
    output(&mut lab.command(host, "curl", &["-fsS", "--globoff", "--max-time", "3", url]))
}

/// What a user's programs do: pages, an upload, a slow one, one that is not there; over IPv4 and IPv6.
fn round(lab: &Lab, stop: &AtomicBool) {
    let upload = lab.path("index.html").display().to_string();
    for server in [SERVER_IPV4.to_owned(), format!("[{SERVER_IPV6}]")] {
        for path in ["/", "/upload", "/slow", "/missing"] {
            let url = format!("http://{server}{path}");
            let mut curl = lab.command(Host::Client, "curl", &["-s", "--globoff", "--max-time", "3", &url]);
            if path == "/upload" {
                curl.args(["--data-binary", &format!("@{upload}")]);
            }
            // a failure is traffic as well, and flowd's to show
            let _ = output(&mut curl);
            if stop.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}

fn once(lab: &Lab, stop: &AtomicBool) -> Result<()> {
    let iperf3 = ["-c", SERVER_IPV4, "--time", "1", "--bitrate", "100M"];
    output(&mut lab.command(Host::Client, "iperf3", &iperf3))?;
    round(lab, stop);
    // closed flows leave the table after a few seconds, so look before that
    let limit = Instant::now() + Duration::from_secs(5);
    let http = lab.path("http.jsonl");
    while (flows(lab)?.is_empty() || tail(&http, 1).is_empty()) && Instant::now() < limit {
        sleep(Duration::from_millis(250));
    }
    if print(lab)? == 0 {
        bail!("flowd shows no flow of the traffic that went through its gateway");
    }
    Ok(())
}

fn live(lab: &mut Lab, stop: &AtomicBool) -> Result<()> {
    let forever = ["-c", SERVER_IPV4, "--time", "0", "--bitrate", "20M"];
    lab.start("iperf3", Host::Client, "iperf3", &forever)?;
    while !stop.load(Ordering::Relaxed) {
        let next = Instant::now() + EVERY;
        round(lab, stop);
        lab.all_running()?;
        print(lab)?;
        while Instant::now() < next && !stop.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(50));
        }
    }
    println!("\nstopped");
    Ok(())
}

fn flows(lab: &Lab) -> Result<Vec<serde_json::Value>> {
    show::flows(&get(lab, Host::Gateway, &format!("http://{LISTEN}/api/v1/flows?top=12"))?)
}

/// The table, the last requests and where to scrape; gives the number of flows.
fn print(lab: &Lab) -> Result<usize> {
    let flows = flows(lab)?;
    println!("\n{}", show::table(&flows));
    for line in tail(&lab.path("http.jsonl"), 8) {
        println!("{}", show::http(&line));
    }
    println!(
        "metrics: ip netns exec {} curl http://{LISTEN}/metrics   (Ctrl-C ends the demo)",
        lab.namespace(Host::Gateway)
    );
    Ok(flows.len())
}
