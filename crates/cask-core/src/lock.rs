//! The lockfile: subjects, approvals, the seal, and the one way to an [`Approved`] surface.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::canon::{self, CanonError, Digest};
use crate::endpoint::Risk;
use crate::toolpack::scope::{Scope, risk_of};
use crate::toolpack::{Binding, Fixed, Tool, Toolpack};

pub mod change;
pub mod key;
pub mod quorum;
pub mod rules;
mod scoped;
pub mod seen;
pub mod sign;
pub mod status;
pub mod trust;

pub use scoped::SCOPE;

/// The subject id of the policy.
pub const POLICY: &str = "policy/default";
/// Under this name [`Entry::withdrawn`] means whoever signed.
pub const EVERYONE: &str = "*";

/// The revision that an approval by this signer has to be for at least, by what was withdrawn (see [`Entry::withdrawn`]).
fn since(withdrawn: &BTreeMap<String, u64>, by: &str) -> Option<u64> {
    [by, EVERYONE].into_iter().filter_map(|who| withdrawn.get(who)).max().copied()
}

/// RFC 3339 in UTC and whole seconds, so that times sort as text.
#[must_use]
pub fn is_time(text: &str) -> bool {
    text.len() == 20 && text.parse::<jiff::Timestamp>().is_ok_and(|time| time.to_string() == text)
}

/// The lockfile format that this version writes and reads.
pub const SCHEMA_VERSION: &str = "1";

/// The parts of a toolpack that are approved: everything an agent can see or do.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// The toolpack's id.
    pub toolpack: String,
    /// Its tools.
    pub tools: Vec<Fixed>,
    /// Toolset name → tool names.
    pub toolsets: BTreeMap<String, BTreeSet<String>>,
    /// The Cedar policy text. Its schema follows from the tools and decides nothing.
    pub policy: String,
    /// What the owner of the state root wrote in `scopes.yaml`: none takes nothing away.
    pub scopes: BTreeMap<String, Scope>,
}

impl From<Toolpack> for Surface {
    fn from(toolpack: Toolpack) -> Self {
        Self {
            toolpack: toolpack.id,
            tools: toolpack.tools,
            toolsets: toolpack.toolsets,
            policy: toolpack.policy,
            scopes: BTreeMap::new(),
        }
    }
}

impl Surface {
    /// The digest of `policy/default`.
    ///
    /// # Errors
    /// As [`canon::digest`].
    pub fn policy_digest(&self) -> Result<Digest, CanonError> {
        canon::digest(&self.policy_content())
    }

    /// What is signed as `policy/default`.
    #[must_use]
    pub fn policy_content(&self) -> serde_json::Value {
        serde_json::json!({ "policy": self.policy })
    }

    /// What is signed as `toolset/<name>`.
    #[must_use]
    pub fn toolset_content(name: &str, tools: &BTreeSet<String>) -> serde_json::Value {
        serde_json::json!({ "toolset": name, "tools": tools })
    }

    /// The hosts that tools call, each with the schemes they call it by.
    #[must_use]
    pub fn hosts(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut out: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for tool in &self.tools {
            let Binding::Http(http) = &tool.binding;
            out.entry(&http.host).or_default().insert(http.scheme.as_str());
        }
        out
    }

    /// What is signed as `host/<name>`.
    #[must_use]
    pub fn host_content(name: &str, schemes: &BTreeSet<&str>) -> serde_json::Value {
        serde_json::json!({ "host": name, "schemes": schemes })
    }

    /// The toolsets a tool is in.
    #[must_use]
    pub fn toolsets_of(&self, tool: &str) -> BTreeSet<String> {
        self.toolsets.iter().filter(|(_, tools)| tools.contains(tool)).map(|(name, _)| name.clone()).collect()
    }

    /// The highest risk among the named tools; the whole surface's for the policy.
    #[must_use]
    pub fn risk_of<'n>(&self, names: impl Fn(&str) -> bool + 'n) -> Risk {
        self.tools.iter().filter(|tool| names(&tool.name)).map(|tool| tool.risk).max().unwrap_or(Risk::Safe)
    }
}

/// The subjects of one toolpack, their states and their approvals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lockfile {
    /// Format version, `"1"`.
    pub schema_version: String,
    /// The toolpack's id.
    pub toolpack: String,
    /// Counts up with every change.
    pub revision: u64,
    /// Canonical digest of the revision before this one.
    pub previous: Option<Digest>,
    /// By subject id: `tool/<name>`, `policy/default`, `toolset/<name>`, `host/<name>`, `scope/<name>`.
    pub subjects: BTreeMap<String, Entry>,
    /// The signature over the whole file without it. A pending lockfile has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Seal>,
}

impl Lockfile {
    /// The digest of the file without its seal: what the seal signs, and what the next revision's
    /// `previous` names.
    ///
    /// # Errors
    /// As [`canon::digest`].
    pub fn digest(&self) -> Result<Digest, CanonError> {
        #[derive(Serialize)]
        struct Unsealed<'a> {
            schema_version: &'a str,
            toolpack: &'a str,
            revision: u64,
            previous: Option<Digest>,
            subjects: &'a BTreeMap<String, Entry>,
        }
        canon::digest(&Unsealed {
            schema_version: &self.schema_version,
            toolpack: &self.toolpack,
            revision: self.revision,
            previous: self.previous,
            subjects: &self.subjects,
        })
    }
}

/// One subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What exactly is (or would be) approved.
    pub digest: Digest,
    /// Where the decision stands.
    pub state: State,
    /// Risk tier of a tool; the highest of its tools for a toolset, a scope or the policy.
    pub risk: Risk,
    /// Toolsets a tool is in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub toolsets: BTreeSet<String>,
    /// Tools that a scope holds: also while the scope is not there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tools: BTreeSet<String>,
    /// Who made it as it is; only where the trust wants another to approve it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// By signer (or [`EVERYONE`]): approvals for revisions before this one do not count.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub withdrawn: BTreeMap<String, u64>,
    /// Signed decisions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

/// State of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody decided yet.
    Pending,
    /// Signed to be used.
    Approved,
    /// Signed never to be used.
    Blocked,
}

impl State {
    /// Lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Approved => "approved",
            State::Blocked => "blocked",
        }
    }
}

/// One signer's signed statement about one subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// [`key::Key::id`]: `ed25519:` and the base64 of the 32-byte public key, or the `SHA256:` fingerprint of an
    /// OpenSSH key.
    pub key: String,
    /// RFC 3339, UTC, whole seconds.
    pub at: String,
    /// When it ends, if it does.
    pub until: Option<String>,
    /// Why.
    pub reason: String,
    /// The revision that it was signed for.
    pub revision: u64,
    /// Base64 of the Ed25519 signature, or of the SSHSIG, over the DSSE pre-authentication encoding of the statement.
    pub signature: String,
}

/// The signature over the whole lockfile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// Who.
    pub by: String,
    /// As in [`Approval::key`].
    pub key: String,
    /// RFC 3339, UTC, whole seconds.
    pub at: String,
    /// As in [`Approval::signature`].
    pub signature: String,
}

/// What may run: made only by [`status::verify`] (and, marked, by the `--unsafe-no-lockfile` hatch).
#[derive(Debug, Clone)]
pub struct Approved {
    pub(crate) toolpack: String,
    pub(crate) revision: u64,
    pub(crate) lockfile_digest: Option<Digest>,
    pub(crate) tools: BTreeMap<String, ApprovedTool>,
    pub(crate) toolsets: BTreeSet<String>,
    pub(crate) toolset_ends: BTreeMap<String, String>,
    pub(crate) policy: String,
    pub(crate) policy_digest: Digest,
    pub(crate) hosts: BTreeSet<String>,
    pub(crate) scopes: BTreeMap<String, Scope>,
    pub(crate) not_approved: BTreeMap<String, NotApproved>,
}

/// A tool that may run.
#[derive(Debug, Clone)]
pub struct ApprovedTool {
    /// The tool, exactly as signed.
    pub tool: Tool,
    /// Its digest.
    pub digest: Digest,
    /// The approved toolsets it is in.
    pub toolsets: BTreeSet<String>,
    /// RFC 3339 time at which its approval, the policy's or a scope's ends; checked again at each call.
    pub until: Option<String>,
}

/// Why a known tool may not run; the guard chain turns it into a reason code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotApproved {
    /// Nobody decided.
    Pending,
    /// Someone said no.
    Blocked,
    /// The tool is not the one that was approved.
    Changed,
    /// No approval is there.
    Unsigned,
    /// An approval's signature does not verify or its key is not trusted.
    BadSignature,
    /// The approval ended.
    Expired,
    /// Fewer signers agree than the trust asks for.
    Short,
    /// The key of an approval was revoked, and without it too few agree.
    Revoked,
    /// What it is approved for has a lower risk than what it would cover.
    Raised,
    /// The host that it calls is not approved.
    Host,
    /// A scope that it is in, or was in when that was approved, is not approved as it is now.
    Scope,
    /// It calls a host, does something or has a risk that one of its scopes does not allow.
    OutOfScope,
}

impl Approved {
    /// Everything in a toolpack, approved by nobody: the `--unsafe-no-lockfile` hatch and nothing else.
    ///
    /// It has no lockfile digest, which marks every audit record made under it.
    ///
    /// # Errors
    /// [`crate::canon::CanonError`] if the policy has no canonical form.
    pub fn unsafe_without_lockfile(surface: Surface) -> Result<Self, crate::canon::CanonError> {
        let policy_digest = surface.policy_digest()?;
        let mut tools = BTreeMap::new();
        let mut hosts = BTreeSet::new();
        let mut not_approved = BTreeMap::new();
        for tool in surface.tools {
            let mut scopes = surface.scopes.values().filter(|scope| scope.tools.contains(&tool.name));
            if scopes.any(|scope| scope.outside(&tool, risk_of(&tool)).is_some()) {
                not_approved.insert(tool.name.clone(), NotApproved::OutOfScope);
                continue;
            }
            let Binding::Http(binding) = &tool.binding;
            hosts.insert(binding.host.clone());
            let toolsets = surface.toolsets.iter().filter(|(_, names)| names.contains(&tool.name));
            let toolsets = toolsets.map(|(name, _)| name.clone()).collect();
            let (name, digest) = (tool.name.clone(), tool.digest());
            tools.insert(name, ApprovedTool { digest, toolsets, until: None, tool: tool.into_tool() });
        }
        Ok(Self {
            toolpack: surface.toolpack,
            revision: 0,
            lockfile_digest: None,
            tools,
            toolsets: surface.toolsets.into_keys().collect(),
            toolset_ends: BTreeMap::new(),
            policy: surface.policy,
            policy_digest,
            hosts,
            scopes: surface.scopes,
            not_approved,
        })
    }

    /// The toolpack's id.
    #[must_use]
    pub fn toolpack(&self) -> &str {
        &self.toolpack
    }
    /// The lockfile's revision; 0 without a lockfile.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }
    /// Digest of the sealed lockfile; `None` marks the unsafe hatch.
    #[must_use]
    pub fn lockfile_digest(&self) -> Option<Digest> {
        self.lockfile_digest
    }
    /// Tools that may run, by name.
    #[must_use]
    pub fn tools(&self) -> &BTreeMap<String, ApprovedTool> {
        &self.tools
    }
    /// Approved toolsets.
    #[must_use]
    pub fn toolsets(&self) -> &BTreeSet<String> {
        &self.toolsets
    }
    /// RFC 3339 time at which the approval of a toolset ends, if it does; checked again at each call.
    #[must_use]
    pub fn toolset_until(&self, toolset: &str) -> Option<&str> {
        self.toolset_ends.get(toolset).map(String::as_str)
    }
    /// The approved Cedar policy text.
    #[must_use]
    pub fn policy(&self) -> &str {
        &self.policy
    }
    /// Digest of the approved policy.
    #[must_use]
    pub fn policy_digest(&self) -> Digest {
        self.policy_digest
    }
    /// Hosts that approved tools may call (with ports where they are not the scheme's own).
    #[must_use]
    pub fn hosts(&self) -> &BTreeSet<String> {
        &self.hosts
    }
    /// Approved scopes, by name.
    #[must_use]
    pub fn scopes(&self) -> &BTreeMap<String, Scope> {
        &self.scopes
    }
    /// The approved scopes that a tool is in.
    pub fn scopes_of(&self, tool: &str) -> impl Iterator<Item = (&String, &Scope)> {
        self.scopes.iter().filter(move |(_, scope)| scope.tools.contains(tool))
    }
    /// Known tools that may not run, and why.
    #[must_use]
    pub fn not_approved(&self) -> &BTreeMap<String, NotApproved> {
        &self.not_approved
    }
}

#[cfg(test)]
mod tests;
