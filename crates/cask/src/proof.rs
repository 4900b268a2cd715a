//! Does a new policy allow a call that the old one did not? Asked of an SMT solver, through Cedar's symbolic compiler,
//! which was itself proved in Lean: for every kind of call that differs, over all arguments, counts and confirmations.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::str::FromStr as _;

use cask_core::lock::Surface;
use cask_core::toolpack::policy::{arguments, schema};
use cedar_policy::{ActionConstraint, EntityUid, Policy, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet};

/// Milliseconds that one question may take.
const PATIENCE: u32 = 20_000;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The new policy allows nothing that the old one did not, for this many kinds of calls.
    Narrower(usize),
    /// A call that the old policy refuses and the new one allows.
    Wider {
        /// Of which tool.
        tool: String,
        /// The call, for people.
        call: String,
    },
    /// It could not be asked, or there was no answer.
    Unknown(String),
}

/// What answers, as it says itself; none if there is no solver.
#[must_use]
pub fn solver() -> Option<String> {
    let output = std::process::Command::new(program()).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next().filter(|_| output.status.success())?;
    Some(line.trim_start_matches("This is ").split(" [").next().unwrap_or_default().trim().to_owned())
}

fn program() -> String {
    std::env::var("CVC5").ok().filter(|path| !path.is_empty()).unwrap_or_else(|| "cvc5".to_owned())
}

/// Compares two policies for the tools as they are now.
#[must_use]
pub fn compare(before: &str, now: &Surface) -> Proof {
    if solver().is_none() {
        return Proof::Unknown("no SMT solver (cvc5) is here".to_owned());
    }
    let faults = cask_core::guard::policy::Policy::faults(&now.policy, &now.tools, &now.toolsets);
    if let Some(fault) = faults.first() {
        return Proof::Unknown(format!("the policy does not fit the tools: {fault}"));
    }
    asked(before, now).unwrap_or_else(Proof::Unknown)
}

fn asked(before: &str, now: &Surface) -> Result<Proof, String> {
    let say = |error: &dyn std::fmt::Display| error.to_string();
    let (schema, _) =
        Schema::from_cedarschema_str(&schema(&now.tools, &now.toolsets)).map_err(|e| say(&e))?;
    let old = PolicySet::from_str(before).map_err(|e| say(&e))?;
    let new = PolicySet::from_str(&now.policy).map_err(|e| say(&e))?;
    let envs: BTreeMap<String, RequestEnv> =
        schema.request_envs().map(|env| (env.action().id().unescaped().to_owned(), env)).collect();
    let kinds = kinds(&old, &new, now);
    let kept: BTreeSet<String> = new.policies().map(ToString::to_string).collect();
    let gone: Vec<&Policy> = old.policies().filter(|policy| !kept.contains(&policy.to_string())).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| say(&e))?;
    runtime.block_on(async {
        let solver = LocalSolver::cvc5_with_args([format!("--tlimit={PATIENCE}")]).map_err(|e| say(&e))?;
        let mut compiler = CedarSymCompiler::new(solver).map_err(|e| say(&e))?;
        let mut proved = 0;
        for tool in &kinds {
            let env = envs.get(tool).ok_or_else(|| format!("the policy's schema has no action `{tool}`"))?;
            let compile = |set: &PolicySet| {
                CompiledPolicySet::compile(set, env, &schema).map_err(|error| format!("`{tool}`: {error}"))
            };
            // Cedar passes over a rule that fails, the runtime denies: without one that may, calls that were denied are not.
            for policy in &gone {
                let rule = CompiledPolicy::compile(policy, env, &schema).map_err(|e| say(&e))?;
                if !compiler.check_never_errors_opt(&rule).await.map_err(|e| say(&e))? {
                    let why = "a rule that is gone can fail on a call of it, which denied the call";
                    return Ok(Proof::Unknown(format!("`{tool}`: {why}")));
                }
            }
            let (old, new) = (compile(&old)?, compile(&new)?);
            match compiler.check_implies_with_counterexample_opt(&new, &old).await.map_err(|e| say(&e))? {
                None => proved += 1,
                Some(found) => {
                    let context = found.request.context().map(ToString::to_string).unwrap_or_default();
                    return Ok(Proof::Wider { tool: tool.clone(), call: context });
                }
            }
        }
        Ok(Proof::Narrower(proved))
    })
}

/// One tool of each kind of call on which the policies may differ: those to which the same rules apply are alike,
/// unless the condition of a rule looks at arguments or at the action itself.
fn kinds(old: &PolicySet, new: &PolicySet, now: &Surface) -> Vec<String> {
    let looks_at_arguments = old.policies().chain(new.policies()).any(looks_at_arguments);
    let looks_at_actions = old.policies().chain(new.policies()).any(looks_at_action);
    let mut kinds: BTreeMap<Vec<String>, String> = BTreeMap::new();
    for tool in &now.tools {
        let mut groups = BTreeSet::from([
            format!("effect_{}", tool.effect.as_str()),
            format!("risk_{}", tool.risk.as_str()),
        ]);
        groups.extend(now.toolsets_of(&tool.name).into_iter().map(|toolset| format!("toolset_{toolset}")));
        groups.insert(tool.name.clone());
        let applying = |set: &PolicySet| -> Vec<String> {
            let mut texts: Vec<String> =
                set.policies().filter(|policy| applies(policy, &groups)).map(ToString::to_string).collect();
            texts.sort();
            texts
        };
        let (then, after) = (applying(old), applying(new));
        if then == after {
            continue;
        }
        let mut key = then;
        key.push("→".to_owned());
        key.extend(after);
        if looks_at_actions {
            key.push(tool.name.clone());
        }
        if looks_at_arguments {
            key.push(format!("{:?}", arguments(&tool.input_schema)));
        }
        kinds.entry(key).or_insert_with(|| tool.name.clone());
    }
    kinds.into_values().collect()
}

/// Whether a condition asks which action it is. What cannot be told counts as one that does.
fn looks_at_action(policy: &Policy) -> bool {
    policy.to_json().map_or(true, |json| {
        json.get("conditions")
            .is_none_or(|conditions| conditions.to_string().contains("{\"Var\":\"action\"}"))
    })
}

/// Whether a condition asks for more of the context than the parts that are the same for every tool.
fn looks_at_arguments(policy: &Policy) -> bool {
    let Ok(json) = policy.to_json() else { return true };
    let Some(conditions) = json.get("conditions") else { return true };
    let mut text = conditions.to_string();
    for known in ["confirmed", "calls", "toolset"] {
        for form in [
            format!("{{\"left\":{{\"Var\":\"context\"}},\"attr\":\"{known}\"}}"),
            format!("{{\"attr\":\"{known}\",\"left\":{{\"Var\":\"context\"}}}}"),
        ] {
            text = text.replace(&form, "");
        }
    }
    text.contains("{\"Var\":\"context\"}")
}

fn applies(policy: &Policy, groups: &BTreeSet<String>) -> bool {
    let named = |uid: &EntityUid| groups.contains(uid.id().unescaped());
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(only) => named(&only),
        ActionConstraint::In(any) => any.iter().any(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cask_core::toolpack::{Fixed, policy};

    fn surface(policy: &str) -> Surface {
        let tool = |name: &str, effect: &str, risk: &str| {
            Fixed::new(
                serde_json::from_value(serde_json::json!({
                    "name": name, "title": name, "description": "Does one thing.",
                    "input_schema": { "type": "object", "properties": {
                        "amount": { "type": "integer" }, "user_id": { "type": "string" } },
                        "required": ["amount", "user_id"], "additionalProperties": false },
                    "annotations": { "readOnlyHint": false, "destructiveHint": true, "idempotentHint": false,
                        "openWorldHint": true },
                    "effect": effect, "risk": risk, "reasons": [], "scope": "users",
                    "guards": { "timeout_ms": 1, "max_response_bytes": 1 },
                    "binding": { "http": { "method": "POST", "scheme": "https", "host": "api.example.com",
                        "path": "/x" } },
                    "evidence": { "endpoint": "ep_0123456789ab" }
                }))
                .unwrap(),
            )
            .unwrap()
        };
        Surface {
            toolpack: "tp_0123456789ab".to_owned(),
            tools: vec![tool("get_user", "read", "low"), tool("pay", "payment", "critical")],
            toolsets: [("operator".to_owned(), ["get_user", "pay"].map(str::to_owned).into())].into(),
            policy: policy.to_owned(),
            scopes: BTreeMap::new(),
        }
    }

    /// Without the solver there is nothing to ask; CI installs it.
    #[test]
    fn a_proof_or_a_call() {
        if solver().is_none() {
            assert!(std::env::var_os("CI").is_none(), "cvc5 is missing");
            assert!(matches!(compare("", &surface(policy::DEFAULT)), Proof::Unknown(_)));
            return;
        }
        let default = policy::DEFAULT;
        let same = surface(default);
        assert_eq!(compare(default, &same), Proof::Narrower(0), "nothing differs");
        let tighter = default.replace("context.calls.minute >= 2 ", "context.calls.minute >= 1 ");
        assert_ne!(tighter, default);
        assert_eq!(compare(default, &surface(&tighter)), Proof::Narrower(1));
        let Proof::Wider { tool, call } = compare(&tighter, &same) else {
            panic!("a looser budget allows more")
        };
        assert_eq!(tool, "pay");
        assert!(call.contains("minute"), "{call}");
        // Written otherwise, but it says the same or less.
        let rewritten = default.replace(
            "unless { context.confirmed };\n\n@id(\"limit-writes\")",
            "when { !context.confirmed || context.toolset == \"none\" };\n\n@id(\"limit-writes\")",
        );
        assert!(matches!(compare(default, &surface(&rewritten)), Proof::Narrower(_)));
        let by_amount = format!(
            "{default}\n@id(\"small\") permit (principal, action == Action::\"pay\", resource) when {{ context.args.amount < 5 }};"
        );
        let small = compare(default, &surface(&by_amount));
        assert!(matches!(small, Proof::Narrower(_)), "a permit adds nothing where one is already: {small:?}");
        let unconfirmed = default.replace("@id(\"confirm-high-risk\")\nforbid (principal, action in [Action::\"risk_high\", Action::\"risk_critical\"], resource)\nunless { context.confirmed };", "").replace("Action::\"effect_payment\",\n    Action::\"effect_auth\", Action::\"effect_admin\"\n  ],\n  resource\n) unless", "Action::\"effect_auth\", Action::\"effect_admin\"\n  ],\n  resource\n) unless");
        let Proof::Wider { call, .. } = compare(default, &surface(&unconfirmed)) else {
            panic!("nobody is asked any more")
        };
        assert!(call.contains("false"), "{call}");
        assert!(matches!(compare("permit (", &same), Proof::Unknown(_)));
        // It never forbids, but it overflows, and then the runtime denies.
        let failing = format!(
            "{default}\nforbid (principal, action == Action::\"pay\", resource) when {{ context.args.amount * 4611686018427387904 == 1 }};"
        );
        let found = compare(&failing, &same);
        assert!(matches!(&found, Proof::Unknown(why) if why.contains("can fail")), "{found:?}");
        // A condition that names one of several tools to which the same rules apply.
        let mut two = surface(&default.replace(
            "unless { context.confirmed };\n\n@id(\"limit-writes\")",
            "unless { context.confirmed || action == Action::\"pay\" };\n\n@id(\"limit-writes\")",
        ));
        let mut other = two.tools[1].clone().into_tool();
        "alike".clone_into(&mut other.name);
        two.tools.insert(0, Fixed::new(other).unwrap());
        let loose = two.policy.replace("@id(\"confirm-changes\")", "@id(\"confirm-others\")").replace(
            "Action::\"effect_write\", Action::\"effect_delete\", Action::\"effect_payment\",\n    Action::\"effect_auth\", Action::\"effect_admin\"\n  ],\n  resource\n) unless",
            "Action::\"effect_write\"\n  ],\n  resource\n) unless",
        );
        let strict = loose.replace(" || action == Action::\"pay\"", "");
        two.policy = loose;
        let found = compare(&strict, &two);
        assert!(matches!(&found, Proof::Wider { tool, .. } if tool == "pay"), "{found:?}");
    }
}
