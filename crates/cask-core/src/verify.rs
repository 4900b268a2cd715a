//! Whether the files of a toolpack are what they say they are, and whether its captures still give them.
//!
//! Everything here compares values that others have read: which file holds what is the artifacts' matter.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::canon::Digest;
use crate::endpoint::Endpoint;
use crate::finding::{At, Basis, Finding, Rule};
use crate::json::token;
use crate::lock::{Entry, Lockfile};
use crate::toolpack::Toolpack;
use crate::toolpack::contract::{Contract, contract};

pub mod bundle;
pub mod rules;

use rules::*;

fn finding(rule: &Rule, at: At, message: impl Into<String>) -> Finding {
    Finding {
        code: rule.code,
        severity: rule.severity,
        basis: Basis::Contradicted,
        details: Vec::new(),
        at,
        message: message.into(),
        before: None,
        after: None,
    }
}

fn file(path: &str) -> At {
    At { file: path.to_owned(), ..At::default() }
}

/// A file that its reader refused.
#[must_use]
pub fn unreadable(path: &str, why: &str) -> Finding {
    finding(&UNREADABLE, file(path), why)
}

/// Files against the digests in the manifest. `expected` are the paths that every toolpack has, `owned` those
/// of them that have no digest because their owner edits them.
#[must_use]
pub fn digests(
    listed: &BTreeMap<String, Digest>,
    there: &BTreeMap<String, String>,
    expected: &[&str],
    owned: &[&str],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, digest) in listed {
        match there.get(path).map(|text| Digest::of_bytes(text.as_bytes())) {
            None => findings.push(finding(&MISSING, file(path), format!("`{path}` is not there"))),
            Some(is) if is != *digest => {
                let message = format!("`{path}` is not the file that was written");
                let mut changed = finding(&CHANGED, file(path), message);
                (changed.before, changed.after) = (Some(json!(digest)), Some(json!(is)));
                findings.push(changed);
            }
            Some(_) => {}
        }
    }
    for path in expected.iter().filter(|path| !listed.contains_key(**path)) {
        match there.contains_key(*path) {
            true if owned.contains(path) => {}
            true => {
                let message = format!("the manifest has no digest of `{path}`");
                findings.push(finding(&UNLISTED, file(path), message));
            }
            false => findings.push(finding(&MISSING, file(path), format!("`{path}` is not there"))),
        }
    }
    findings
}

/// Tools against contracts against the baseline. `path` names the file of the contracts.
#[must_use]
pub fn contracts(toolpack: &Toolpack, contracts: &BTreeMap<String, Contract>, path: &str) -> Vec<Finding> {
    let endpoints: BTreeMap<&str, &Endpoint> =
        toolpack.baseline.iter().map(|endpoint| (endpoint.id.as_str(), endpoint)).collect();
    let mut findings = Vec::new();
    for tool in &toolpack.tools {
        let at = At {
            subject: format!("tool/{}", tool.name),
            pointer: format!("/contracts/{}", tool.name),
            ..file(path)
        };
        let Some(endpoint) = endpoints.get(tool.evidence.endpoint.as_str()) else {
            let message = format!(
                "tool `{}` comes from endpoint `{}`, which is not there",
                tool.name, tool.evidence.endpoint
            );
            findings.push(finding(
                &ENDPOINT_MISSING,
                At { file: String::new(), pointer: String::new(), ..at },
                message,
            ));
            continue;
        };
        let Some(is) = contracts.get(&tool.name) else {
            findings.push(finding(&CONTRACT_MISSING, at, format!("tool `{}` has no contract", tool.name)));
            continue;
        };
        match Some(tool.digest()).filter(|digest| *digest == is.digest) {
            Some(_) => {
                let should = contract(tool, endpoint);
                if let Some((pointer, before, after)) = first_difference(&json!(should), &json!(is)) {
                    let message =
                        format!("the contract of `{}` does not follow from the baseline", tool.name);
                    let at = At { pointer: format!("{}{pointer}", at.pointer), ..at };
                    let mut broken = finding(&CONTRACT_BROKEN, at, message);
                    (broken.before, broken.after) = (before, after);
                    findings.push(broken);
                }
            }
            None => {
                let mut stale = finding(
                    &CONTRACT_STALE,
                    at,
                    format!("the contract of `{}` is for another tool", tool.name),
                );
                (stale.before, stale.after) = (Some(json!(is.digest)), Some(json!(tool.digest())));
                findings.push(stale);
            }
        }
    }
    for name in contracts.keys().filter(|name| !toolpack.tools.iter().any(|tool| tool.name == **name)) {
        let at = At { pointer: format!("/contracts/{name}"), ..file(path) };
        findings.push(finding(&CONTRACT_MISSING, at, format!("a contract for `{name}`, which is no tool")));
    }
    findings
}

/// A derived file against what it should say.
#[must_use]
pub fn derived(path: &str, should: &Value, is: &Value) -> Option<Finding> {
    let (pointer, before, after) = first_difference(should, is)?;
    let at = At { pointer, ..file(path) };
    let mut found =
        finding(&DERIVED, at, format!("`{path}` does not follow from the tools and the baseline"));
    (found.before, found.after) = (before, after);
    Some(found)
}

/// The subjects of the toolpack, as its files give them, against a lockfile.
#[must_use]
pub fn locked(subjects: &BTreeMap<String, Entry>, lockfile: &Lockfile, path: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, entry) in subjects {
        let at = At { subject: id.clone(), pointer: format!("/subjects/{}", token(id)), ..file(path) };
        match lockfile.subjects.get(id) {
            None => findings.push(finding(&NOT_LOCKED, at, format!("`{id}` is not in the lockfile"))),
            Some(known) if known.digest != entry.digest => {
                let mut stale = finding(&NOT_LOCKED, at, format!("`{id}` is not the one in the lockfile"));
                (stale.before, stale.after) = (Some(json!(known.digest)), Some(json!(entry.digest)));
                findings.push(stale);
            }
            Some(_) => {}
        }
    }
    findings
}

/// The files of a toolpack against the same files compiled again: equal byte for byte.
///
/// `value` reads a file into a JSON value if it can, to name the place that differs.
#[must_use]
pub fn replay(
    there: &BTreeMap<String, String>,
    again: &BTreeMap<String, String>,
    value: impl Fn(&str, &str) -> Option<Value>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in there {
        let Some(other) = again.get(path) else {
            let message = format!("`{path}` does not come from the captures");
            findings.push(finding(&REPLAY_MISSING, file(path), message));
            continue;
        };
        if text == other {
            continue;
        }
        let place =
            value(path, other).zip(value(path, text)).and_then(|(should, is)| first_difference(&should, &is));
        let (at, message, before, after) = match place {
            Some((pointer, before, after)) => (
                At { pointer, ..file(path) },
                format!("`{path}` differs from what its captures give"),
                before,
                after,
            ),
            None => {
                let same = text.lines().zip(other.lines()).take_while(|(a, b)| a == b).count();
                (
                    file(path),
                    format!("`{path}` differs from what its captures give, in line {}", same + 1),
                    None,
                    None,
                )
            }
        };
        let mut differs = finding(&REPLAY_DIFFERS, at, message);
        (differs.before, differs.after) = (before, after);
        findings.push(differs);
    }
    for path in again.keys().filter(|path| !there.contains_key(*path)) {
        let message = format!("the captures give `{path}`, which is not there");
        findings.push(finding(&REPLAY_EXTRA, file(path), message));
    }
    findings
}

/// Where two values first differ, and what stands there on both sides.
#[must_use]
pub fn first_difference(a: &Value, b: &Value) -> Option<(String, Option<Value>, Option<Value>)> {
    fn descend(a: &Value, b: &Value, at: &mut Vec<String>) -> Option<(Option<Value>, Option<Value>)> {
        match (a, b) {
            (Value::Object(a), Value::Object(b)) => {
                let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                for name in names {
                    at.push(token(name).into_owned());
                    match (a.get(name), b.get(name)) {
                        (Some(a), Some(b)) => {
                            if let Some(found) = descend(a, b, at) {
                                return Some(found);
                            }
                        }
                        (a, b) => return Some((a.cloned(), b.cloned())),
                    }
                    at.pop();
                }
                None
            }
            (Value::Array(a), Value::Array(b)) => {
                for i in 0..a.len().max(b.len()) {
                    at.push(i.to_string());
                    match (a.get(i), b.get(i)) {
                        (Some(a), Some(b)) => {
                            if let Some(found) = descend(a, b, at) {
                                return Some(found);
                            }
                        }
                        (a, b) => return Some((a.cloned(), b.cloned())),
                    }
                    at.pop();
                }
                None
            }
            (a, b) => (a != b).then(|| (Some(a.clone()), Some(b.clone()))),
        }
    }
    let mut at = Vec::new();
    let (before, after) = descend(a, b, &mut at)?;
    let pointer = at.iter().map(|part| format!("/{part}")).collect();
    Some((pointer, before, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolpack::{Options, compile};

    fn codes(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|f| f.code).collect()
    }

    fn toolpack() -> Toolpack {
        let text = include_str!("../cases/drift/base.json");
        let mut endpoint: Endpoint = serde_json::from_str(text).unwrap();
        endpoint.id = "ep_0123456789ab".to_owned();
        compile(
            vec![endpoint],
            &Options { name: "t".into(), hosts: vec!["api.example.com".into()], ..Options::default() },
        )
        .unwrap()
    }

    fn written(toolpack: &Toolpack) -> BTreeMap<String, Contract> {
        (toolpack.tools.iter())
            .map(|tool| {
                let endpoint = toolpack.baseline.iter().find(|e| e.id == tool.evidence.endpoint).unwrap();
                (tool.name.clone(), contract(tool, endpoint))
            })
            .collect()
    }

    #[test]
    fn files_are_held_to_their_digests() {
        let there = BTreeMap::from([("a".to_owned(), "one".to_owned()), ("b".to_owned(), "two".to_owned())]);
        let mut listed: BTreeMap<_, _> =
            there.iter().map(|(path, text)| (path.clone(), Digest::of_bytes(text.as_bytes()))).collect();
        assert!(digests(&listed, &there, &["a", "b"], &[]).is_empty());
        listed.insert("c".to_owned(), Digest::of_bytes(b""));
        listed.insert("a".to_owned(), Digest::of_bytes(b"other"));
        listed.remove("b");
        let found = digests(&listed, &there, &["a", "b", "d"], &[]);
        assert_eq!(
            codes(&found),
            ["artifact-changed", "artifact-missing", "artifact-unlisted", "artifact-missing"]
        );
    }

    #[test]
    fn contracts_follow_from_tools_and_baseline() {
        let mut toolpack = toolpack();
        let mut written = written(&toolpack);
        assert!(contracts(&toolpack, &written, "c").is_empty());

        let name = toolpack.tools[0].name.clone();
        written.get_mut(&name).unwrap().statuses.insert(299);
        let found = contracts(&toolpack, &written, "c");
        assert_eq!(codes(&found), ["contract-broken"]);
        assert_eq!(found[0].at.pointer, format!("/contracts/{name}/statuses/1"));

        toolpack.tools[0] = toolpack.tools[0].changed(|tool| tool.description.push('!'));
        assert_eq!(codes(&contracts(&toolpack, &written, "c")), ["contract-stale"]);

        let orphan = written.remove(&name).unwrap();
        written.insert("nobody".to_owned(), orphan);
        let found = contracts(&toolpack, &written, "c");
        assert_eq!(codes(&found), ["contract-missing", "contract-missing"]);

        toolpack.baseline.clear();
        assert!(codes(&contracts(&toolpack, &written, "c")).contains(&"tool-without-endpoint"));
    }

    #[test]
    fn a_derived_file_and_a_lockfile_are_compared() {
        assert!(derived("f", &json!({"a": [1]}), &json!({"a": [1]})).is_none());
        let found = derived("f", &json!({"a": [1]}), &json!({"a": [1, 2]})).unwrap();
        assert_eq!((found.code, found.at.pointer.as_str()), ("artifact-inconsistent", "/a/1"));

        let entry = Entry {
            digest: Digest::of_bytes(b"x"),
            state: crate::lock::State::Pending,
            risk: crate::endpoint::Risk::Low,
            toolsets: std::collections::BTreeSet::new(),
            tools: std::collections::BTreeSet::new(),
            author: None,
            withdrawn: BTreeMap::new(),
            approvals: Vec::new(),
        };
        let subjects =
            BTreeMap::from([("tool/a".to_owned(), entry.clone()), ("tool/b".to_owned(), entry.clone())]);
        let mut lockfile = Lockfile {
            schema_version: "1".to_owned(),
            toolpack: "tp_".to_owned(),
            revision: 0,
            previous: None,
            subjects: subjects.clone(),
            seal: None,
        };
        assert!(locked(&subjects, &lockfile, "l").is_empty());
        lockfile.subjects.remove("tool/a");
        lockfile.subjects.get_mut("tool/b").unwrap().digest = Digest::of_bytes(b"y");
        let found = locked(&subjects, &lockfile, "l");
        assert_eq!(codes(&found), ["lockfile-stale", "lockfile-stale"]);
        assert_eq!(found[0].at.pointer, "/subjects/tool~1a");
    }

    #[test]
    fn replay_names_the_first_place_that_differs() {
        let files = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
        };
        let value = |_: &str, text: &str| serde_json::from_str(text).ok();
        let there = files(&[("a", r#"{"x": {"~/": 1}}"#), ("b", "same"), ("c", "l1\nl2"), ("d", "")]);
        assert!(replay(&there, &there, value).is_empty());
        let again = files(&[("a", r#"{"x": {"~/": 2}}"#), ("b", "same"), ("c", "l1\nl3"), ("e", "")]);
        let found = replay(&there, &again, value);
        assert_eq!(codes(&found), ["replay-differs", "replay-differs", "replay-missing", "replay-extra"]);
        assert_eq!(found[0].at.pointer, "/x/~0~1");
        assert!(found[1].message.contains("line 2"));
        assert_eq!(unreadable("f", "why").code, "artifact-unreadable");
    }

    #[test]
    fn rules_are_told_apart_and_explained() {
        let codes: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.code).collect();
        assert_eq!(codes.len(), RULES.len());
        assert!(RULES.iter().all(|rule| rule.explain.matches(". ").count() >= 1));
    }
}
