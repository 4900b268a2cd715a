//! What `cask scopes check` says no to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::suggest::unsure;
use super::{Review, Scope, Suggestion, risk_of};
use crate::finding::{At, Basis, Finding, Rule, Severity};
use crate::json::token;
use crate::toolpack::{Fixed, Tool};

/// Every rule about scopes.
pub static RULES: [&Rule; 10] = [
    &UNSURE,
    &UNREVIEWED,
    &OPEN,
    &TOOL_UNKNOWN,
    &TOOL_OUTSIDE,
    &ARGUMENT_UNKNOWN,
    &LIMIT_IDLE,
    &PROPOSED,
    &LACKING,
    &DIFFERS,
];

static UNSURE: Rule = Rule {
    code: "scope-unsure",
    severity: Severity::Breaking,
    title: "a guess about tools of high risk",
    explain: "A suggested scope of high or critical risk has low confidence: what its tools do was told from little. They \
              are not approved before a person has looked. See `cask scopes show NAME`; if it is right, take it over with \
              `cask scopes merge --write` and set `review: accepted` in scopes.yaml, or put its tools into a scope of \
              your own that is accepted.",
};
static UNREVIEWED: Rule = Rule {
    code: "scope-unreviewed",
    severity: Severity::Warning,
    title: "a suggested scope that nobody has taken over",
    explain: "The suggestion is more than a sure read of low risk, and some of its tools are in no scope of scopes.yaml. \
              Take it over with `cask scopes merge --write`, or write a scope of your own that has them.",
};
static OPEN: Rule = Rule {
    code: "scope-review-open",
    severity: Severity::Warning,
    title: "a scope that is not accepted yet",
    explain: "It stands in scopes.yaml with `review: suggested`. Look at its tools and limits, then set \
              `review: accepted` and approve it with `cask gate allow scope/NAME`.",
};
static TOOL_UNKNOWN: Rule = Rule {
    code: "scope-tool-unknown",
    severity: Severity::Warning,
    title: "a scope has a tool that is not there",
    explain: "The toolpack has no tool of that name, so the scope holds nothing there. A typing error holds nothing \
              either: such a scope is not signed. Put the name right, or take it out.",
};
static TOOL_OUTSIDE: Rule = Rule {
    code: "scope-tool-outside",
    severity: Severity::Warning,
    title: "a tool is outside of its own scope and not served",
    explain: "The tool calls another host, does something else or has a higher risk than the scope allows. It is not \
              served. Widen the scope if the tool should be, or take it out.",
};
static ARGUMENT_UNKNOWN: Rule = Rule {
    code: "scope-argument-unknown",
    severity: Severity::Warning,
    title: "a limit for an argument that the tool does not have",
    explain: "Such a limit holds nothing, or lets nothing through: it is not signed. The arguments of a tool stand in \
              `cask explain TOOL`.",
};
static LIMIT_IDLE: Rule = Rule {
    code: "scope-limit-idle",
    severity: Severity::Warning,
    title: "a limit that no value of the argument can keep",
    explain: "The argument has another type than the limit speaks of (a range for text, a beginning for a number), so \
              every call is refused: it is not signed. Write a limit of the argument's type.",
};
pub(super) static PROPOSED: Rule = Rule {
    code: "scope-proposed",
    severity: Severity::Warning,
    title: "a scope that could be added",
    explain: "It is proposed and not in scopes.yaml. `--write` adds it with `review: suggested` and touches nothing else \
              that stands there.",
};
pub(super) static LACKING: Rule = Rule {
    code: "scope-lacks-tool",
    severity: Severity::Warning,
    title: "a tool that belongs into a scope and is in none",
    explain: "The suggestion of the same name has a tool that no scope of scopes.yaml has. What you wrote is not changed: \
              add the tool by hand where it belongs.",
};
pub(super) static DIFFERS: Rule = Rule {
    code: "scope-differs",
    severity: Severity::Info,
    title: "a scope says something else than the proposal of its name",
    explain: "What stands in scopes.yaml is its owner's and stays as it is. The finding lists what would be different.",
};

/// Everything about the scopes of a toolpack that somebody should look at.
#[must_use]
pub fn check(
    scopes: &BTreeMap<String, Scope>,
    suggested: &BTreeMap<String, Suggestion>,
    tools: &[Fixed],
) -> Vec<Finding> {
    let mut out = Vec::new();
    let open = unsure(suggested, scopes);
    let held: BTreeSet<&String> = scopes.values().flat_map(|scope| &scope.tools).collect();
    for (name, suggestion) in suggested {
        let of = |tool: &&String| open.contains_key(tool.as_str());
        let guessed: Vec<&String> = suggestion.surface.tools.iter().filter(of).collect();
        let loose: Vec<&String> =
            suggestion.surface.tools.iter().filter(|tool| !held.contains(*tool)).collect();
        let rest =
            format!("{} risk, {} confidence", suggestion.risk.as_str(), suggestion.confidence.as_str());
        if !guessed.is_empty() {
            let message = format!("`{name}` ({rest}) is taken over by nobody: {}", told(&guessed));
            out.push(Finding { details: signals(suggestion), ..finding(&UNSURE, name, "", message) });
        } else if suggestion.review_required && !loose.is_empty() {
            let message = format!("`{name}` ({rest}) has tools in no scope: {}", told(&loose));
            out.push(Finding { details: signals(suggestion), ..finding(&UNREVIEWED, name, "", message) });
        }
    }
    for (name, scope) in scopes {
        if scope.review == Review::Suggested {
            out.push(finding(&OPEN, name, "/review", format!("nobody has accepted `{name}`")));
        }
        out.extend(fit(name, scope, tools));
    }
    out
}

/// What in a scope holds nothing: it speaks of tools and arguments that are not there, or of values that cannot be. A
/// scope with one of these is not signed.
#[must_use]
pub fn idle(name: &str, scope: &Scope, tools: &[Fixed]) -> Vec<Finding> {
    let mut found = fit(name, scope, tools);
    found.retain(|finding| finding.code != TOOL_OUTSIDE.code);
    found
}

fn fit(name: &str, scope: &Scope, tools: &[Fixed]) -> Vec<Finding> {
    let known: BTreeMap<&str, &Fixed> = tools.iter().map(|tool| (tool.name.as_str(), tool)).collect();
    let mut out = Vec::new();
    for tool in &scope.tools {
        let Some(tool) = known.get(tool.as_str()) else {
            out.push(finding(&TOOL_UNKNOWN, name, "/tools", format!("there is no tool `{tool}`")));
            continue;
        };
        // a scope that allows nothing is meant to serve nothing
        let meant = scope.effects.is_empty() || scope.hosts.is_empty();
        if let Some(why) = scope.outside(tool, risk_of(tool)).filter(|_| !meant) {
            out.push(finding(&TOOL_OUTSIDE, name, "/tools", format!("`{}` is not served: {why}", tool.name)));
        }
        limits(name, scope, tool, &mut out);
    }
    out
}

fn limits(name: &str, scope: &Scope, tool: &Tool, out: &mut Vec<Finding>) {
    let arguments = tool.input_schema.get("properties").and_then(Value::as_object);
    for (argument, limit) in scope.limits(&tool.name) {
        let at = format!("/constraints/{}/{}", token(&tool.name), token(argument));
        match arguments.and_then(|arguments| arguments.get(argument)) {
            None => {
                let message = format!("`{}` has no argument `{argument}`", tool.name);
                out.push(finding(&ARGUMENT_UNKNOWN, name, &at, message));
            }
            Some(schema) => {
                let types = schema.as_object().map(types).unwrap_or_default();
                if !types.is_empty() && !limit.suits(&types) {
                    let message =
                        format!("`{argument}` of `{}` is {}: no value fits", tool.name, types.join(" or "));
                    out.push(finding(&LIMIT_IDLE, name, &at, message));
                }
            }
        }
    }
}

/// The JSON types of an argument, of its items where it is a list. None: it says nothing of them.
fn types(schema: &Map<String, Value>) -> Vec<&str> {
    let branches = schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let all = std::iter::once(schema).chain(branches.iter().filter_map(Value::as_object));
    all.flat_map(|one| match one.get("type").and_then(Value::as_str) {
        Some("array") => one.get("items").and_then(Value::as_object).map(types).unwrap_or_default(),
        Some(name) => vec![name],
        None => Vec::new(),
    })
    .collect()
}

/// Why a suggestion is as sure as it is, a line each.
fn signals(suggestion: &Suggestion) -> Vec<String> {
    suggestion.signals.iter().map(|one| format!("{}: {}", one.signal, one.detail)).collect()
}

fn told(tools: &[&String]) -> String {
    const FEW: usize = 8;
    let named: Vec<String> = tools.iter().take(FEW).map(|tool| format!("`{tool}`")).collect();
    match tools.len().saturating_sub(FEW) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

pub(super) fn finding(rule: &'static Rule, scope: &str, pointer: &str, message: String) -> Finding {
    Finding {
        code: rule.code,
        severity: rule.severity,
        basis: Basis::Contradicted,
        at: At { subject: format!("scope/{scope}"), pointer: pointer.to_owned(), ..At::default() },
        message,
        details: Vec::new(),
        before: None,
        after: None,
    }
}
