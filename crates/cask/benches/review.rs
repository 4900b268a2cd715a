//! How fast what is signed is checked, and how reviewing grows with the number of tools.
//!
//! `cargo bench --workspace --bench review` prints a table. `… --bench review -- make ROOT COUNT` writes a toolpack with two
//! signers who have approved everything, for `bench/run review` to measure the commands on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cask_core::artifact::lockfile;
use cask_core::lock::change::{decide, pending, subjects};
use cask_core::lock::sign::{Own, Pen, Signs as _, seal};
use cask_core::lock::status::{Against, verify};
use cask_core::lock::trust::{Content, Signer, Thresholds, Trust};
use cask_core::lock::{State, Surface};
use cask_core::toolpack::policy;
use ed25519_dalek::SigningKey;

mod pack;

const NOW: &str = "2026-11-26T00:00:00Z";
const HOST: &str = "api.example.com";
const TIMES: usize = 15;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["make", root, count] => make(Path::new(root), count.parse().unwrap()),
        _ => verifying(1_000),
    }
}

/// Reads and verifies a lockfile in which every subject has two approvals, on one thread and on two.
fn verifying(count: usize) {
    let tools = pack::tools(count, HOST);
    let all: std::collections::BTreeSet<String> = tools.iter().map(|tool| tool.name.clone()).collect();
    let toolsets = [("operator".to_owned(), all.clone()), ("readonly".to_owned(), all)].into();
    let surface = Surface {
        toolpack: pack::ID.to_owned(),
        tools,
        toolsets,
        policy: policy::DEFAULT.to_owned(),
        scopes: std::collections::BTreeMap::new(),
    };
    let team = ["alice", "bob"].map(|id| (id, Own::from(SigningKey::from_bytes(&[id.len() as u8; 32]))));
    let signers = team.iter().map(|(id, key)| Signer::new(*id, vec![key.key().text()])).collect();
    let thresholds = Thresholds { safe: 2, low: 2, medium: 2, high: 2, critical: 2, trust: 2 };
    let trust = Trust::new(Content { signers, thresholds, ..Content::default() }, Vec::new()).unwrap();
    let mut signed = pending(None, &surface).unwrap();
    for (by, key) in &team {
        let pen = Pen { by, at: NOW, until: None, reason: "reviewed", signer: key };
        for (id, now) in subjects(&surface).unwrap() {
            decide(&mut signed, &id, &now, State::Approved, &pen).unwrap();
        }
        signed.seal = Some(seal(&signed, &pen).unwrap());
    }
    let text = lockfile::write(&signed);
    let approvals: usize = signed.subjects.values().map(|entry| entry.approvals.len()).sum();
    println!("a lockfile of {count} tools: {} KB, {approvals} approvals", text.len() / 1000);
    let against = Against { trust: &trust, now: NOW, seen: None };
    let single = team[0].1.key().clone();
    assert_eq!(trust.owner(&single.id()), Some("alice"));
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut samples: Vec<Duration> = (0..TIMES)
            .map(|_| {
                let surface = surface.clone();
                let start = Instant::now();
                let approved =
                    pool.install(|| verify(surface, &lockfile::read(&text).unwrap(), &against)).unwrap();
                let taken = start.elapsed();
                assert_eq!(approved.tools().len(), count);
                taken
            })
            .collect();
        samples.sort();
        let limit = if threads == 1 { 60 } else { 40 };
        println!(
            "read and verify it, {threads} thread{}: min {:.1}  p50 {:.1} ms   limit {limit} ms",
            if threads == 1 { " " } else { "s" },
            samples[0].as_secs_f64() * 1000.0,
            samples[TIMES / 2].as_secs_f64() * 1000.0
        );
    }
}

/// A state root with one toolpack that two signers have approved.
fn make(root: &Path, count: usize) {
    pack::write(root, count, HOST);
    let cask = |args: &[&str]| {
        let out =
            Command::new(env!("CARGO_BIN_EXE_cask")).arg("--root").arg(root).args(args).output().unwrap();
        let shown = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.code().is_some_and(|code| code < 2), "cask {args:?}: {shown}");
        String::from_utf8(out.stdout).unwrap()
    };
    cask(&["gate", "sync"]);
    cask(&["trust", "init", "--by", "alice"]);
    let key = cask(&["keys", "new", "--by", "bob"]);
    cask(&["trust", "add", "bob", "--key", key.lines().nth(1).unwrap(), "--by", "alice"]);
    for tier in ["safe", "low"] {
        cask(&["trust", "threshold", tier, "2", "--by", "alice"]);
    }
    for by in ["alice", "bob"] {
        cask(&["gate", "allow", "--all", "--yes", "--by", by]);
    }
}
