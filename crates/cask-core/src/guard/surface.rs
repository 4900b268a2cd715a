//! Guard 1: the surface. And [`Rules`], the approved surface with what is compiled from it on first use.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

use super::policy::{Policy, Slice};
use super::{Base, Denial, Draft, Fault, ReasonCode, args};
use crate::lock::{Approved, ApprovedTool};

/// What is approved, ready to decide about.
///
/// Validators and policy are compiled when the first call needs them, so that a gateway with a thousand
/// tools starts at once. What is compiled depends only on what is approved: it changes no answer.
#[derive(Debug)]
pub struct Rules {
    approved: Approved,
    base: Option<Base>,
    policy: OnceLock<Result<Policy, String>>,
    tools: BTreeMap<String, Compiled>,
}

#[derive(Debug, Default)]
struct Compiled {
    input: OnceLock<Result<jsonschema::Validator, String>>,
    output: OnceLock<Result<jsonschema::Validator, String>>,
    slice: OnceLock<Result<Slice, String>>,
}

impl Rules {
    /// The surface of what is approved. With `base`, every request goes there instead of its signed host.
    #[must_use]
    pub fn new(approved: Approved, base: Option<Base>) -> Self {
        let tools = approved.tools().keys().map(|name| (name.clone(), Compiled::default())).collect();
        Self { approved, base, policy: OnceLock::new(), tools }
    }

    /// What is approved.
    #[must_use]
    pub fn approved(&self) -> &Approved {
        &self.approved
    }

    /// Where requests go instead of their signed host.
    #[must_use]
    pub fn base(&self) -> Option<&Base> {
        self.base.as_ref()
    }

    /// Whether requests may go to this host (with the port where it is not the scheme's own).
    #[must_use]
    pub fn allows_host(&self, host: &str) -> bool {
        match &self.base {
            Some(base) => base.host() == host,
            None => self.approved.hosts().contains(host),
        }
    }

    /// Reads the policy now rather than at the first call.
    ///
    /// # Errors
    /// Why the policy cannot be read; every call will be refused.
    pub fn policy(&self) -> Result<&Policy, &str> {
        self.policy.get_or_init(|| Policy::parse(self.approved.policy())).as_ref().map_err(String::as_str)
    }

    pub(super) fn slice(&self, tool: &ApprovedTool) -> Result<&Slice, String> {
        let policy = self.policy()?;
        let compiled = self.tools.get(&tool.tool.name).ok_or("the tool is not on the surface")?;
        compiled.slice.get_or_init(|| policy.slice(tool)).as_ref().map_err(Clone::clone)
    }

    pub(super) fn input(&self, tool: &ApprovedTool) -> Result<&jsonschema::Validator, &str> {
        let compiled = self.tools.get(&tool.tool.name).ok_or("the tool is not on the surface")?;
        let validator = compiled.input.get_or_init(|| args::compile(&tool.tool.input_schema, true));
        validator.as_ref().map_err(String::as_str)
    }

    /// Whether a structured result fits the tool's output schema, if it has one.
    ///
    /// # Errors
    /// What does not fit, without values.
    pub fn output_fits(&self, tool: &str, result: &Value) -> Result<(), Vec<Fault>> {
        let fault = |message: &str| vec![Fault { pointer: String::new(), message: message.to_owned() }];
        let (Some(approved), Some(compiled)) = (self.approved.tools().get(tool), self.tools.get(tool)) else {
            return Err(fault("the tool is not on the surface"));
        };
        let Some(schema) = &approved.tool.output_schema else { return Ok(()) };
        // Formats stay annotations here: redaction may have replaced an address by its placeholder.
        match compiled.output.get_or_init(|| args::compile(schema, false)) {
            Ok(validator) => args::faults(validator, result),
            Err(error) => Err(fault(error)),
        }
    }
}

/// Refuses a lockfile that is older than one accepted before, and a toolset nobody approved.
pub(super) fn check(draft: &mut Draft<'_>) -> Result<(), Denial> {
    let approved = &draft.rules.approved;
    if approved.revision() < draft.moment.highest_revision {
        return Err(Denial::new(
            ReasonCode::DeniedLockfileRolledBack,
            format!(
                "this gateway serves revision {} of the lockfile, but revision {} was accepted since: \
                 restart it to serve what is approved now",
                approved.revision(),
                draft.moment.highest_revision
            ),
        ));
    }
    if !approved.toolsets().contains(draft.call.toolset) {
        return Err(Denial::new(
            ReasonCode::DeniedToolsetNotApproved,
            format!("the toolset `{}` is not approved", super::tool::shown(draft.call.toolset)),
        ));
    }
    if let Some(until) = approved.toolset_until(draft.call.toolset) {
        let what = format!("the toolset `{}`", super::tool::shown(draft.call.toolset));
        super::tool::not_over(until, draft.moment.now, &what)?;
    }
    Ok(())
}
