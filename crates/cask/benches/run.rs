//! How fast `cask run` starts with 1,000 approved tools, and what it adds to a call.
//!
//! `cargo bench -p cask --bench run` prints a table. Everything is real: the release binary as a child
//! process, its lockfile signed by `cask gate`, an HTTP server on loopback, MCP lines over pipes. The
//! direct calls use the same HTTP library from this process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod pack;

const TOOLS: usize = 1000;
const STARTS: usize = 15;
const CALLS: usize = 3000;

fn main() {
    let upstream = upstream();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    pack::write(&root, TOOLS, &upstream.to_string());
    cask(&root, &["gate", "sync"]);
    let approve = Instant::now();
    cask(&root, &["gate", "allow", "--all", "--yes", "--as", "bench@example.com"]);
    println!("cask gate allow --all ({TOOLS} tools): {:.0} ms", millis(approve.elapsed()));

    let version = samples(STARTS, || {
        let start = Instant::now();
        let out = Command::new(env!("CARGO_BIN_EXE_cask")).arg("--version").output().unwrap();
        assert!(out.status.success());
        start.elapsed()
    });
    row("cask --version", &version, 5.0);
    let starts = samples(STARTS, || {
        let start = Instant::now();
        let mut client = Client::start(&root, true);
        let listed = client.line("tools/list", json!({}));
        // until the answer is there; what a client makes of a megabyte is its own time
        let elapsed = start.elapsed();
        let listed: Value = serde_json::from_str(&listed).unwrap();
        assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), TOOLS);
        elapsed
    });
    row(&format!("start to first tools/list, {TOOLS} tools"), &starts, 60.0);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let http = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().unwrap();
    let url = format!("http://{upstream}/v1/users/42?fields=name");
    let direct_call = || {
        let start = Instant::now();
        let body: Value = runtime.block_on(async {
            serde_json::from_slice(&http.get(&url).send().await.unwrap().bytes().await.unwrap()).unwrap()
        });
        assert_eq!(body["id"], "42");
        start.elapsed()
    };
    let mut client = Client::start(&root, false);
    client.request("tools/list", json!({}));
    let mut through_call = || {
        let start = Instant::now();
        let call = json!({"name": "get_user_0", "arguments": {"user_id": "42", "fields": "name"}});
        let answer = client.request("tools/call", call);
        assert_eq!(answer["result"]["structuredContent"]["id"], "42", "{answer}");
        start.elapsed()
    };
    for _ in 0..200 {
        direct_call();
        through_call();
    }
    // Interleaved, so that both see the same machine.
    let (mut direct, mut through) = (Vec::new(), Vec::new());
    for _ in 0..CALLS {
        direct.push(direct_call());
        through.push(through_call());
    }
    row("direct call", &direct, f64::NAN);
    row("through cask run", &through, f64::NAN);
    let above = |p| millis(quantile(&through, p)) - millis(quantile(&direct, p));
    println!(
        "above the direct call: p50 {:.3} ms (limit 0.3), p99 {:.3} ms (limit 1.5)",
        above(0.5),
        above(0.99)
    );
}

fn samples(count: usize, mut one: impl FnMut() -> Duration) -> Vec<Duration> {
    one();
    (0..count).map(|_| one()).collect()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn quantile(samples: &[Duration], p: f64) -> Duration {
    let mut sorted = samples.to_vec();
    sorted.sort();
    sorted[((sorted.len() - 1) as f64 * p).round() as usize]
}

fn row(what: &str, samples: &[Duration], limit: f64) {
    let [min, p50, p99] = [0.0, 0.5, 0.99].map(|p| millis(quantile(samples, p)));
    let limit = if limit.is_nan() { String::new() } else { format!("   limit {limit} ms") };
    println!("{what:45} min {min:8.3}  p50 {p50:8.3}  p99 {p99:8.3} ms{limit}");
}

fn cask(root: &Path, args: &[&str]) {
    let out = Command::new(env!("CARGO_BIN_EXE_cask")).arg("--root").arg(root).args(args).output().unwrap();
    let shown = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.code().is_some_and(|code| code < 2), "cask {args:?}: {shown}");
}

struct Client {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next: u64,
}

impl Client {
    fn start(root: &Path, quiet: bool) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cask"))
            .arg("--root")
            .arg(root)
            .args(["run", "--allow-private-cidr", "127.0.0.0/8"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(if quiet { Stdio::null() } else { Stdio::inherit() })
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output, next: 0 }
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        serde_json::from_str(&self.line(method, params)).unwrap()
    }

    /// The answer as it comes.
    fn line(&mut self, method: &str, mut params: Value) -> String {
        self.next += 1;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let mut line =
            json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params}).to_string();
        line.push('\n');
        self.input.write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        assert!(self.output.read_line(&mut answer).unwrap() > 0, "cask run ended");
        answer
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn upstream() -> SocketAddr {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let user = |axum::extract::Path(id): axum::extract::Path<String>| async move {
                axum::Json(
                    json!({"id": id, "name": "Ann", "email": null, "roles": ["reader", "writer"], "age": 42}),
                )
            };
            let router = axum::Router::new().route("/v1/users/{id}", axum::routing::get(user));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    receive.recv().unwrap()
}
