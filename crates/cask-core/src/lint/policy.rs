//! The policy, taken apart: its rules, where they stand, what they are about, and what its schema says to them.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use cedar_policy::{
    Effect, Policy as CedarPolicy, PolicyId, PolicySet, Schema, ValidationError, ValidationMode,
    ValidationWarning, Validator,
};
use serde_json::Value;

use super::scope::{self, Actions, Scope};
use crate::guard;
use crate::lock::Surface;
use crate::toolpack::Fixed;
use crate::toolpack::policy::{DEFAULT, schema};

/// More values of one kind than this are not tried.
const LITERALS: usize = 16;

/// The policy of a surface.
#[derive(Default)]
pub(super) struct Policy {
    pub rules: Vec<Rule>,
    pub faults: Vec<Fault>,
    pub known: Literals,
}

/// One rule of it.
pub(super) struct Rule {
    /// Its `@id`, or the name that Cedar gives it.
    pub name: String,
    /// The line that it begins in.
    pub line: usize,
    pub permits: bool,
    /// Whether it has no condition.
    pub plain: bool,
    /// Whether somebody said why it is there.
    pub explained: bool,
    /// Whether every toolpack has it.
    pub ours: bool,
    pub scope: Scope,
    /// All but its annotations: rules with the same form do the same.
    pub form: String,
    /// What its `@waive` says.
    pub waiver: Option<String>,
    /// How many tools a call in its scope can be of.
    pub tools: usize,
    /// Whether its scope names tools, but none that calls its host.
    pub elsewhere: bool,
    /// Whether it speaks of actions that are there, and not only of groups that every toolpack has.
    pub meant: bool,
}

/// What is wrong with the policy.
pub(super) struct Fault {
    pub kind: Kind,
    /// The rule, by its place in [`Policy::rules`]; none if it is the whole text.
    pub rule: Option<usize>,
    pub text: String,
}

/// What kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// It does not read, or its types do not fit.
    Invalid,
    /// It names something that is not there.
    Name,
    /// It speaks of an argument that is not there.
    Argument,
    /// Its conditions are never met.
    Impossible,
}

/// What the conditions of a policy speak of: values to ask about.
#[derive(Debug, Default)]
pub(super) struct Literals {
    pub texts: BTreeSet<String>,
    pub numbers: BTreeSet<i64>,
    pub callers: BTreeSet<String>,
    /// Whether it looks at arguments at all.
    pub args: bool,
    /// Whether it looks at the toolset that is served.
    pub toolset: bool,
}

impl Policy {
    pub fn of(surface: &Surface) -> Self {
        let text = surface.policy.as_str();
        // What the guard cannot read it cannot be asked about either.
        let read = guard::policy::Policy::parse(text)
            .and_then(|_| PolicySet::from_str(text).map_err(|error| error.to_string()));
        let set = match read {
            Ok(set) => set,
            Err(error) => {
                let fault = Fault { kind: Kind::Invalid, rule: None, text: error };
                return Self { faults: vec![fault], ..Self::default() };
            }
        };
        let actions = Actions::of(surface);
        let ours = ours();
        let mut out = Self::default();
        let mut ids = BTreeMap::new();
        let mut from = 0;
        for policy in set.policies() {
            let source = policy.to_cedar().unwrap_or_default();
            let at = text.get(from..).and_then(|rest| rest.find(&source)).map_or(from, |at| from + at);
            from = at + source.len();
            ids.insert(policy.id().clone(), out.rules.len());
            out.known.read(policy);
            let before = text.get(..at).unwrap_or_default();
            let rule = rule(policy, surface, &actions, before, &source);
            let ours = ours.contains(&(rule.name.clone(), rule.form.clone()));
            out.rules.push(Rule { ours, ..rule });
        }
        out.faults = faults(&set, surface, &ids);
        out
    }
}

fn rule(policy: &CedarPolicy, surface: &Surface, actions: &Actions, before: &str, source: &str) -> Rule {
    let scope = Scope::of(policy);
    let named: Vec<&Fixed> = surface.tools.iter().filter(|tool| scope.names(tool, actions)).collect();
    let tools = named.iter().filter(|tool| scope.reaches(tool)).count();
    let said = |key: &str| policy.annotation(key).is_some_and(|why| !why.trim().is_empty());
    Rule {
        name: name(policy),
        line: before.matches('\n').count() + 1,
        permits: policy.effect() == Effect::Permit,
        plain: !policy.has_non_scope_constraint(),
        explained: said("why") || said("reason") || is_commented(before, source),
        ours: false,
        form: form(policy),
        waiver: policy.annotation("waive").map(str::to_owned),
        tools,
        elsewhere: tools == 0 && !named.is_empty(),
        meant: scope.is_known(actions) && !scope.is_standing(actions),
        scope,
    }
}

fn name(policy: &CedarPolicy) -> String {
    policy.annotation("id").map_or_else(|| policy.id().to_string(), str::to_owned)
}

/// A comment in the line above, or in a line of its own inside.
fn is_commented(before: &str, source: &str) -> bool {
    let comment = |line: &str| line.trim_start().starts_with("//");
    let indent = [' ', '\t'];
    let above = before.trim_end_matches(indent).strip_suffix('\n');
    above.and_then(|above| above.rsplit('\n').next()).is_some_and(comment) || source.lines().any(comment)
}

/// All of a rule but its annotations, in one spelling.
fn form(policy: &CedarPolicy) -> String {
    let Ok(mut value) = policy.to_json() else { return policy.to_string() };
    if let Some(members) = value.as_object_mut() {
        members.remove("annotations");
    }
    value.sort_all_objects();
    value.to_string()
}

/// Name and form of the rules that every toolpack has.
fn ours() -> BTreeSet<(String, String)> {
    let set = PolicySet::from_str(DEFAULT).unwrap_or_default();
    set.policies().map(|policy| (name(policy), form(policy))).collect()
}

fn faults(set: &PolicySet, surface: &Surface, ids: &BTreeMap<PolicyId, usize>) -> Vec<Fault> {
    let schema = match Schema::from_cedarschema_str(&schema(&surface.tools, &surface.toolsets)) {
        Ok((schema, _)) => schema,
        Err(error) => {
            let text = format!("the tools have no schema: {error}");
            return vec![Fault { kind: Kind::Invalid, rule: None, text }];
        }
    };
    let result = Validator::new(schema).validate(set, ValidationMode::Strict);
    let mut found = BTreeSet::new();
    for error in result.validation_errors() {
        let kind = match error {
            ValidationError::UnrecognizedActionId(_) | ValidationError::UnrecognizedEntityType(_) => {
                Kind::Name
            }
            ValidationError::UnsafeAttributeAccess(_) => Kind::Argument,
            _ => Kind::Invalid,
        };
        found.insert((
            ids.get(error.policy_id()).copied(),
            kind,
            said(error.policy_id(), &error.to_string()),
        ));
    }
    for warning in result.validation_warnings() {
        if let ValidationWarning::ImpossiblePolicy(_) = warning {
            let text = said(warning.policy_id(), &warning.to_string());
            found.insert((ids.get(warning.policy_id()).copied(), Kind::Impossible, text));
        }
    }
    found.into_iter().map(|(rule, kind, text)| Fault { kind, rule, text }).collect()
}

/// What Cedar says, without the name that it gave the rule.
fn said(id: &PolicyId, text: &str) -> String {
    text.strip_prefix(&format!("for policy `{id}`, ")).unwrap_or(text).to_owned()
}

impl Literals {
    fn read(&mut self, policy: &CedarPolicy) {
        for uid in policy.entity_literals() {
            if uid.type_name().to_string() == "Agent" && self.callers.len() < LITERALS {
                self.callers.insert(scope::id(&uid).to_owned());
            }
        }
        let Ok(value) = policy.to_json() else { return };
        let mut open: Vec<&Value> = value.get("conditions").into_iter().collect();
        while let Some(next) = open.pop() {
            match next {
                Value::Array(items) => open.extend(items),
                Value::Object(members) => {
                    // one name, or several at once: `context has args.city`
                    let names = match members.get("attr") {
                        Some(Value::Array(names)) => names.as_slice(),
                        Some(name) => std::slice::from_ref(name),
                        None => &[],
                    };
                    self.args |= names.iter().any(|name| name == "args");
                    self.toolset |= names.iter().any(|name| name == "toolset");
                    match members.get("Value") {
                        Some(Value::String(text)) if self.texts.len() < LITERALS => {
                            self.texts.insert(text.clone());
                        }
                        Some(Value::Number(number)) if self.numbers.len() < LITERALS => {
                            self.numbers.extend(number.as_i64());
                        }
                        _ => {}
                    }
                    open.extend(members.values());
                }
                _ => {}
            }
        }
    }
}
