//! The machine around it: the clock, and programs that other commands can use.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use cask_core::lock::is_time;
use cask_core::report::escape::terminal;

use super::{Ground, Said, Verdict};
use crate::proof;

/// Approvals end, and begin to count, by this clock.
pub(super) fn clock(ground: &Ground<'_>) -> Vec<Said> {
    let now = &ground.now;
    if !is_time(now) {
        let message = format!("CASK_NOW is `{}`, which is not a time", terminal(now));
        return vec![Said::fail(Verdict::Misconfigured, message, "unset it, or write 2027-01-31T12:00:00Z")];
    }
    let seals = ground.sealed().into_iter().filter_map(|sealed| Some(sealed.lockfile.seal?.at));
    let behind = seals.max().filter(|last| last > now);
    vec![match (behind, &ground.ctx.fixed_now) {
        (Some(last), _) => Said::fail(
            Verdict::Misconfigured,
            format!("it is {now} here, and a lockfile was sealed at {}", terminal(&last)),
            "set the clock: approvals end by it",
        ),
        (None, Some(_)) => {
            Said::warn(format!("CASK_NOW holds the time at {now}"), "unset it where anything is served")
        }
        (None, None) => Said::ok(format!("it is {now}")),
    }]
}

/// Whether a change of the policy can be proved to allow nothing more.
pub(super) fn solver(_: &Ground<'_>) -> Vec<Said> {
    vec![match proof::solver() {
        Some(said) => {
            let named = terminal(&said).replace(" version ", " ");
            Said::ok(format!("found {named}: policy changes can be proved"))
        }
        None => Said::warn(
            "cvc5 not found: policy changes that are not plainly narrower count as wider",
            "install cvc5 where policies are reviewed, or name it in CVC5; nothing else needs it",
        ),
    }]
}

pub(super) fn git(_: &Ground<'_>) -> Vec<Said> {
    vec![match version("git") {
        Some(version) => Said::ok(format!("found git {version}")),
        None => {
            Said::warn("git not found: who approves has to say so with --by", "install git, or set CASK_AS")
        }
    }]
}

/// For information: only recording in a browser needs one.
pub(super) fn browser(ground: &Ground<'_>) -> Vec<Said> {
    const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let path = ground.ctx.var("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let there = |name: &&&str| folders.iter().any(|folder| folder.join(name).is_file());
    vec![Said::ok(match NAMES.iter().find(there) {
        Some(name) => format!("found {name}"),
        None => "no Chromium: only recording in a browser would need one".to_owned(),
    })]
}

/// The version that a program says of itself: the word behind `version`.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace().skip_while(|word| *word != "version").skip(1);
    let version = words.next().filter(|_| output.status.success())?;
    Some(terminal(version))
}
