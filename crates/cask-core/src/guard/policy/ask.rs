//! Questions to the policy alone: what it says to a call, whatever the other guards say.

use std::collections::BTreeSet;

use super::{Policy, Slice, record};
use crate::guard::{Call, Calls};
use crate::lock::ApprovedTool;
use crate::toolpack::Fixed;

/// The rules that can apply to one tool, ready to be asked.
#[derive(Debug)]
pub struct Asked(Slice);

/// What the policy says to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it permits the call as it is.
    pub permits: bool,
    /// The rules that determined it, sorted.
    pub policies: Vec<String>,
}

impl Policy {
    /// The rules that can apply to a tool in these toolsets, whether or not anybody approved it.
    ///
    /// # Errors
    /// Why the policy cannot be asked about it.
    pub fn about(&self, tool: &Fixed, toolsets: BTreeSet<String>) -> Result<Asked, String> {
        let (digest, tool) = (tool.digest(), tool.clone().into_tool());
        self.slice(&ApprovedTool { tool, digest, toolsets, until: None }).map(Asked)
    }
}

impl Asked {
    /// What the policy says to a call of the tool: as it is or confirmed, after so many others.
    ///
    /// # Errors
    /// Why it says nothing: a rule that forbids could not be evaluated.
    pub fn says(&self, call: Call<'_>, confirmed: bool, calls: Calls) -> Result<Answer, String> {
        let args = record(call.arguments, &self.0.typed)?;
        let verdict = self.0.evaluate(call, args, confirmed, calls)?;
        Ok(Answer { permits: verdict.permits, policies: verdict.policies })
    }
}
