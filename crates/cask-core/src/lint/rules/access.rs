//! What the policy and the guards let through. The policy is asked, not read.

use super::{Check, row};
use crate::endpoint::{Effect, Risk};
use crate::finding::Severity::{Breaking, Warning};
use crate::lint::calls::{MANY, Stance, Witness};
use crate::lint::view::{Hit, View};
use crate::toolpack::Tool;

const AREA: &str = "What calls can do";

/// No call of a service takes longer, and no agent waits so long.
const LONGEST_MS: u64 = 300_000;
/// No model reads more.
const LARGEST_BYTES: u64 = 64 << 20;

pub(super) static RULES: &[Check] = &[
    row(
        AREA,
        "tool-unconfirmed-sensitive",
        Breaking,
        "a call that deletes, pays, administers or is hard to undo, without a person",
        "The policy was asked about a call of this tool that nobody has confirmed, and permits it. Whatever makes an agent call it, a mistake or a text that it read, does so without anybody looking. Forbid it `unless { context.confirmed }`, or waive this with a reason.",
        |view| unconfirmed(view, is_grave),
    ),
    row(
        AREA,
        "tool-unconfirmed",
        Warning,
        "a call that changes something, without a person",
        "The policy was asked about a call of this tool that nobody has confirmed, and permits it. That can be meant, where a change is small and easily taken back. Then say so: waive it with a reason, on the rule that permits it or in `cask.toml`.",
        |view| unconfirmed(view, |tool| changes(tool) && !is_grave(tool)),
    ),
    row(
        AREA,
        "tool-unlimited",
        Warning,
        "a call that changes something, any number of times",
        "The policy was asked about a confirmed call after a million others in the same hour, and permits it. A loop in an agent is stopped by nothing but the service. Forbid it `when { context.calls.minute >= 10 }`, or whatever nobody needs more of.",
        unlimited,
    ),
    row(
        AREA,
        "guard-loose",
        Warning,
        "a call may take very long, or answer very much",
        "The tool allows a call more than five minutes, or an answer of more than 64 MiB. A service that hangs or floods then holds the gateway for as long. Mint again for the usual limits, which are 30 seconds and 1 MiB.",
        loose,
    ),
];

fn changes(tool: &Tool) -> bool {
    tool.effect != Effect::Read
}

fn is_grave(tool: &Tool) -> bool {
    tool.risk >= Risk::High || !matches!(tool.effect, Effect::Read | Effect::Write)
}

/// Tools of a kind of which the policy permits a call that nobody confirmed.
fn unconfirmed(view: &View<'_>, of: impl Fn(&Tool) -> bool) -> Vec<Hit> {
    let message = |tool: &Tool| {
        let (name, effect, risk) = (&tool.name, tool.effect.as_str(), tool.risk.as_str());
        format!("the policy permits a call of `{name}` ({effect}, risk {risk}) that nobody has confirmed")
    };
    shown(view, of, |stance| stance.unconfirmed.as_ref(), message)
}

fn unlimited(view: &View<'_>) -> Vec<Hit> {
    let message = |tool: &Tool| {
        format!("the policy permits a confirmed call of `{}` after {MANY} others in the same hour", tool.name)
    };
    shown(view, changes, |stance| stance.unlimited.as_ref(), message)
}

/// The tools of a kind with a call that shows it.
fn shown(
    view: &View<'_>,
    of: impl Fn(&Tool) -> bool,
    by: fn(&Stance) -> Option<&Witness>,
    message: impl Fn(&Tool) -> String,
) -> Vec<Hit> {
    let mut out = Vec::new();
    for tool in view.tools.iter().filter(|tool| of(tool)) {
        if let Some(witness) = view.stances.get(tool.name.as_str()).and_then(by) {
            let hit = Hit::new(format!("tool/{}", tool.name), message(tool));
            out.push(hit.details(witness.words()).rules(witness.rules.iter().cloned()));
        }
    }
    out
}

fn loose(view: &View<'_>) -> Vec<Hit> {
    let mut out = Vec::new();
    for tool in &view.tools {
        let guards = tool.guards;
        let mut details = Vec::new();
        if guards.timeout_ms > LONGEST_MS {
            details.push(format!("a call may take {} seconds", guards.timeout_ms / 1000));
        }
        if guards.max_response_bytes > LARGEST_BYTES {
            details.push(format!("an answer may have {} bytes", guards.max_response_bytes));
        }
        if !details.is_empty() {
            let message = format!("the limits of `{}` hold nothing back", tool.name);
            out.push(Hit::new(format!("tool/{}", tool.name), message).pointer("/guards").details(details));
        }
    }
    out
}
