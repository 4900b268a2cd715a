//! Guard 5: the approved Cedar policy, with budgets.
//!
//! The call is evaluated as it is. If that denies, it is evaluated again as if a person had confirmed it:
//! if that permits, the ruling is *confirm*. If it still denies, once more as if no call had been made
//! before: if that permits, a budget is spent. What an error in a `forbid` would have said is unknown,
//! so it denies.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use cedar_policy::{
    ActionConstraint, Authorizer, Context, Decision, Effect, Entities, Entity, EntityId, EntityTypeName,
    EntityUid, Policy as CedarPolicy, PolicyId, PolicySet, Request, RestrictedExpression, Schema,
    ValidationMode, Validator,
};
use serde_json::{Map, Value};

use super::{Call, Calls, Denial, Draft, ReasonCode};
use crate::lock::ApprovedTool;
use crate::toolpack::policy::{Kind, arguments, schema};
use crate::toolpack::{Binding, Fixed};

pub mod ask;

/// What the policy's schema says of a tool's arguments.
type Typed = BTreeMap<String, (Kind, bool)>;

/// A parsed policy.
#[derive(Debug)]
pub struct Policy {
    policies: Vec<CedarPolicy>,
}

/// The policies that can apply to one tool, with its action and the groups that is in.
#[derive(Debug)]
pub struct Slice {
    set: PolicySet,
    entities: Entities,
    action: EntityUid,
    resource: EntityUid,
    typed: Typed,
    names: BTreeMap<PolicyId, (String, Effect)>,
}

/// What the policy says about a call that it does not refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The policies that determined it, sorted.
    pub policies: Vec<String>,
    /// Permitted only once a person has confirmed it.
    pub confirm: bool,
}

impl Policy {
    /// Reads a policy text.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let set = PolicySet::from_str(text).map_err(|error| error.to_string())?;
        if set.templates().next().is_some() {
            return Err("policy templates are not used here".to_owned());
        }
        Ok(Self { policies: set.policies().cloned().collect() })
    }

    /// What is wrong with a policy text for these tools: it does not parse, or it speaks of actions, groups or
    /// arguments that are not there, or of arguments in a way that their type does not have.
    #[must_use]
    pub fn faults(text: &str, tools: &[Fixed], toolsets: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
        if let Err(error) = Self::parse(text) {
            return vec![error];
        }
        let schema = match Schema::from_cedarschema_str(&schema(tools, toolsets)) {
            Ok((schema, _)) => schema,
            Err(error) => return vec![error.to_string()],
        };
        match PolicySet::from_str(text) {
            Ok(set) => {
                let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
                result.validation_errors().map(ToString::to_string).collect()
            }
            Err(error) => vec![error.to_string()],
        }
    }

    pub(super) fn slice(&self, tool: &ApprovedTool) -> Result<Slice, String> {
        let Binding::Http(binding) = &tool.tool.binding;
        let action = uid("Action", &tool.tool.name)?;
        let mut groups = vec![
            uid("Action", &format!("effect_{}", tool.tool.effect.as_str()))?,
            uid("Action", &format!("risk_{}", tool.tool.risk.as_str()))?,
        ];
        for toolset in &tool.toolsets {
            groups.push(uid("Action", &format!("toolset_{toolset}"))?);
        }
        let applies = |policy: &CedarPolicy| match policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(only) => only == action,
            ActionConstraint::In(any) => any.iter().any(|uid| *uid == action || groups.contains(uid)),
        };
        let policies: Vec<CedarPolicy> =
            self.policies.iter().filter(|policy| applies(policy)).cloned().collect();
        let named = policies.iter().map(|policy| {
            let name = policy.annotation("id").map_or_else(|| policy.id().to_string(), str::to_owned);
            (policy.id().clone(), (name, policy.effect()))
        });
        let names = named.collect();
        let parents = groups.iter().cloned().collect();
        let above = groups.iter().map(|group| Entity::new_no_attrs(group.clone(), Default::default()));
        let entities = std::iter::once(Entity::new_no_attrs(action.clone(), parents)).chain(above);
        Ok(Slice {
            set: PolicySet::from_policies(policies).map_err(|error| error.to_string())?,
            entities: Entities::from_entities(entities, None).map_err(|error| error.to_string())?,
            resource: uid("Host", &binding.host)?,
            typed: arguments(&tool.tool.input_schema),
            action,
            names,
        })
    }
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, String> {
    let kind = EntityTypeName::from_str(kind).map_err(|error| error.to_string())?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

/// One evaluation: whether it permits, and what determined it.
struct Verdict {
    permits: bool,
    policies: Vec<String>,
}

pub(super) fn check(draft: &mut Draft<'_>) -> Result<(), Denial> {
    let tool = draft.tool()?;
    let invalid = |error: String| {
        Denial::new(ReasonCode::DeniedPolicyInvalid, format!("the policy could not be evaluated: {error}"))
    };
    let slice = draft.rules.slice(tool).map_err(invalid)?;
    let calls = draft.moment.counters.calls(tool.tool.effect, draft.moment.now);
    let args = record(draft.call.arguments, &slice.typed).map_err(invalid)?;
    let call = draft.call;
    let evaluate = |confirmed, calls| slice.evaluate(call, args.clone(), confirmed, calls).map_err(invalid);

    let plain = evaluate(false, calls)?;
    if plain.permits {
        draft.ruling = Some(Ruling { policies: plain.policies, confirm: false });
        return Ok(());
    }
    let confirmed = evaluate(true, calls)?;
    if confirmed.permits {
        draft.ruling = Some(Ruling { policies: plain.policies, confirm: true });
        return Ok(());
    }
    if evaluate(true, Calls::default())?.permits {
        let message = format!(
            "the budget for `{}` calls is spent: {} in the last minute, {} in the last hour",
            tool.tool.effect.as_str(),
            calls.minute,
            calls.hour
        );
        let denial = Denial::new(ReasonCode::DeniedRateLimited, message);
        return Err(Denial { policies: confirmed.policies, ..denial });
    }
    let message = if plain.policies.is_empty() {
        format!("no policy permits `{}`", tool.tool.name)
    } else {
        format!("the policy forbids this call of `{}`: {}", tool.tool.name, plain.policies.join(", "))
    };
    Err(Denial { policies: plain.policies, ..Denial::new(ReasonCode::DeniedPolicy, message) })
}

impl Slice {
    fn evaluate(
        &self,
        call: Call<'_>,
        args: RestrictedExpression,
        confirmed: bool,
        calls: Calls,
    ) -> Result<Verdict, String> {
        let long = |count: u32| RestrictedExpression::new_long(i64::from(count));
        let counts = RestrictedExpression::new_record([
            ("minute".to_owned(), long(calls.minute)),
            ("hour".to_owned(), long(calls.hour)),
        ])
        .map_err(|error| error.to_string())?;
        let context = Context::from_pairs([
            ("args".to_owned(), args),
            ("calls".to_owned(), counts),
            ("confirmed".to_owned(), RestrictedExpression::new_bool(confirmed)),
            ("toolset".to_owned(), RestrictedExpression::new_string(call.toolset.to_owned())),
        ])
        .map_err(|error| error.to_string())?;
        let principal = uid("Agent", call.principal)?;
        let request = Request::new(principal, self.action.clone(), self.resource.clone(), context, None)
            .map_err(|error| error.to_string())?;
        let response = Authorizer::new().is_authorized(&request, &self.set, &self.entities);
        let name =
            |id: &PolicyId| self.names.get(id).map_or_else(|| id.to_string(), |(name, _)| name.clone());
        for error in response.diagnostics().errors() {
            let cedar_policy::AuthorizationError::PolicyEvaluationError(failed) = error;
            // A `permit` that fails does not permit. A `forbid` that fails might have forbidden.
            let permit =
                self.names.get(failed.policy_id()).is_some_and(|(_, effect)| *effect == Effect::Permit);
            if !permit {
                return Err(format!("the rule `{}` failed", name(failed.policy_id())));
            }
        }
        let mut policies: Vec<String> = response.diagnostics().reason().map(name).collect();
        policies.sort();
        Ok(Verdict { permits: response.decision() == Decision::Allow, policies })
    }
}

/// The arguments as the policy sees them: those that its schema types.
fn record(arguments: &Map<String, Value>, typed: &Typed) -> Result<RestrictedExpression, String> {
    let mut fields = Vec::new();
    for (name, value) in arguments {
        let seen = match (typed.get(name).map(|(kind, _)| kind), value) {
            (Some(Kind::Text), Value::String(text)) => RestrictedExpression::new_string(text.clone()),
            (Some(Kind::Bool), Value::Bool(value)) => RestrictedExpression::new_bool(*value),
            // A number that the policy cannot see could slip past a limit: refuse.
            (Some(Kind::Long), Value::Number(number)) => RestrictedExpression::new_long(
                super::whole(number)
                    .ok_or_else(|| format!("the argument `{name}` is too large for it to see"))?,
            ),
            (Some(Kind::Texts), Value::Array(items)) => {
                let texts = items.iter().filter_map(Value::as_str).map(str::to_owned);
                RestrictedExpression::new_set(texts.map(RestrictedExpression::new_string))
            }
            _ => continue,
        };
        fields.push((name.clone(), seen));
    }
    RestrictedExpression::new_record(fields).map_err(|error| error.to_string())
}
