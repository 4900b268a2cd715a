//! One call from start to end: decide, record, send, show, record.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cask_core::audit::{Decision, Record};
use cask_core::canon::Digest;
use cask_core::capture::Scheme;
use cask_core::guard::{
    self, Base, Call, Counters, Denial, GUARDS, Moment, Permit, ReasonCode, Rules, decide, fingerprint,
};
use cask_core::lock::Approved;
use cask_core::redact::{Profile, Redactor};
use cask_core::toolpack::Binding;
use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::answer::{Outcome, outcome};
use crate::audit::AuditLog;
use crate::mask::MASK;
use crate::secret::Credentials;
use crate::upstream::{Answer, Upstream};

/// Names of the client's choice are recorded up to this many characters.
const MAX_NAME: usize = 200;

/// The lockfiles that were accepted here. It is asked at each call, for a decision that is made while the
/// gateway runs must hold for the next call.
pub trait Accepted: fmt::Debug + Send + Sync {
    /// The highest revision that was accepted for the served toolpack.
    ///
    /// # Errors
    /// Why it is not known; then the call is refused.
    fn highest_revision(&self) -> Result<u64, String>;
}

/// How an operator set the gateway up.
#[derive(Debug)]
pub struct Settings {
    /// The toolset that is served.
    pub toolset: String,
    /// Where requests go instead of their signed host.
    pub base: Option<Base>,
    /// Credentials for the upstream.
    pub credentials: Credentials,
    /// Address ranges that may be called although they are not global.
    pub opened: Vec<IpNet>,
    /// Follow redirects, within limits.
    pub redirects: bool,
    /// Do everything up to the send.
    pub dry_run: bool,
    /// Names this run in the audit log.
    pub run_id: String,
    /// What was decided elsewhere since the start.
    pub accepted: Arc<dyn Accepted>,
    /// A fixed time for reproducible runs; otherwise the system's clock.
    pub fixed_now: Option<Timestamp>,
}

/// Serves the approved tools of one toolpack.
#[derive(Debug)]
pub struct Gateway {
    rules: Rules,
    settings: Settings,
    upstream: Upstream,
    audit: AuditLog,
    counters: Mutex<Counters>,
}

impl Gateway {
    /// A gateway for what is approved.
    #[must_use]
    pub fn new(approved: Approved, mut settings: Settings, audit: AuditLog) -> Self {
        let upstream = Upstream {
            credentials: std::mem::take(&mut settings.credentials),
            opened: std::mem::take(&mut settings.opened),
            redirects: settings.redirects,
            secure: secure_hosts(&approved),
            client: OnceLock::new(),
        };
        let rules = Rules::new(approved, settings.base.take());
        Self { rules, settings, upstream, audit, counters: Mutex::default() }
    }

    /// What calls are held to.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The toolset that is served.
    #[must_use]
    pub fn toolset(&self) -> &str {
        &self.settings.toolset
    }

    /// Prepares what the first call needs, so that it does not wait for it. Says what will not work.
    ///
    /// # Errors
    /// Why calls will be refused.
    pub fn warm(&self) -> Result<(), String> {
        self.rules.policy().map_err(|error| format!("the approved policy cannot be read: {error}"))?;
        Redactor::new(Profile::DefaultSafe).warm();
        self.upstream.client().map_err(|error| format!("there is no HTTP client: {error}"))?;
        Ok(())
    }

    /// Makes one call if every guard lets it. `cancelled` ends it early.
    pub async fn call(
        &self,
        principal: &str,
        tool: &str,
        arguments: &Map<String, Value>,
        cancelled: impl Future<Output = ()>,
    ) -> Outcome {
        let call = Call { principal, toolset: &self.settings.toolset, tool, arguments };
        let fingerprint = fingerprint(tool, arguments);
        let permit = match self.decide(call) {
            Ok(permit) => permit,
            Err(denial) => {
                let decision = match denial.reason_code {
                    ReasonCode::ConfirmationRequired => Decision::Confirm,
                    _ => Decision::Deny,
                };
                let evidence =
                    denial.challenge.iter().map(|challenge| format!("challenge:{challenge}")).collect();
                let mut record =
                    self.record(call, fingerprint, decision, denial.reason_code, &denial.policies, evidence);
                return match self.audit.append(&mut record) {
                    Ok(()) => Outcome::refused(&denial),
                    Err(error) => unrecorded(&error),
                };
            }
        };
        let policies = permit.policies().to_vec();
        let code = ReasonCode::AllowedPolicy;
        let mut intent = self.record(call, fingerprint, Decision::Allow, code, &policies, Vec::new());
        if let Err(error) = self.audit.append(&mut intent) {
            return unrecorded(&error);
        }
        let (outcome, mut evidence) = if self.settings.dry_run {
            (self.preview(&permit), Vec::new())
        } else {
            self.make(call, permit, cancelled).await
        };
        evidence.insert(0, format!("intent:{}", intent.hash));
        // An answer that does not fit is a call that was made: the decision was to allow it.
        let decision = if outcome.reason_code.as_str().starts_with("denied_") {
            Decision::Deny
        } else {
            Decision::Allow
        };
        let mut record = self.record(call, fingerprint, decision, outcome.reason_code, &policies, evidence);
        match self.audit.append(&mut record) {
            Ok(()) => outcome,
            Err(error) => unrecorded(&error),
        }
    }

    /// Decides and counts under one lock: two calls at once cannot spend the same budget.
    fn decide(&self, call: Call<'_>) -> Result<Permit, Denial> {
        let highest_revision = self.settings.accepted.highest_revision().map_err(|error| {
            eprintln!("cask: {error}");
            let message = "it is not known which lockfile was accepted last, so the call is refused";
            Denial { guard: "surface", ..Denial::new(ReasonCode::ErrorInternal, message) }
        })?;
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        let moment = Moment { now, counters: &counters, highest_revision };
        let permit = decide(&self.rules, call, moment)?;
        if !self.settings.dry_run {
            counters.record(permit.effect(), now);
        }
        Ok(permit)
    }

    async fn make(
        &self,
        call: Call<'_>,
        permit: Permit,
        cancelled: impl Future<Output = ()>,
    ) -> (Outcome, Vec<String>) {
        let answer: Result<Answer, Denial> = tokio::select! {
            biased;
            () = cancelled => Err(Denial::new(ReasonCode::Cancelled, "the client cancelled the call")),
            answer = self.upstream.send(permit, |host| self.rules.allows_host(host)) => answer,
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(denial) => return (Outcome::refused(&denial), Vec::new()),
        };
        let evidence = vec![
            format!("status:{}", answer.status.as_u16()),
            format!("response:{}", Digest::of_bytes(&answer.body)),
        ];
        let Some(tool) = self.rules.approved().tools().get(call.tool) else {
            let denial = Denial::new(ReasonCode::ErrorInternal, "the tool is gone");
            return (Outcome::refused(&denial), evidence);
        };
        (outcome(&self.rules, &tool.tool, self.upstream.credentials(), answer), evidence)
    }

    /// What would be sent, for `--dry-run`. A credential appears only as where it would go.
    fn preview(&self, permit: &Permit) -> Outcome {
        let request = permit.request();
        let body = request.body.as_deref().map(|bytes| match serde_json::from_slice::<Value>(bytes) {
            Ok(value) => value,
            Err(_) => String::from_utf8_lossy(bytes).into_owned().into(),
        });
        let credential = match self.upstream.shown_place(permit) {
            Ok(place) => place.map(|(place, name)| json!({ "in": place, "name": name, "value": MASK })),
            Err(denial) => return Outcome::refused(&denial),
        };
        let text = json!({
            "reason_code": ReasonCode::DryRun,
            "message": "every guard passed; nothing was sent",
            "request": {
                "method": request.method,
                "url": request.url.as_str(),
                "headers": request.headers.iter().map(|(name, value)| json!([name, value])).collect::<Vec<_>>(),
                "body": body,
            },
            "credential": credential,
            "policies": permit.policies(),
            "guards": GUARDS.iter().map(|guard| guard.name).collect::<Vec<_>>(),
        });
        // Marked as an error, for there is no result that could fit the tool's output schema.
        Outcome {
            reason_code: ReasonCode::DryRun,
            is_error: true,
            text: text.to_string(),
            structured: None,
            cut: false,
        }
    }

    fn record(
        &self,
        call: Call<'_>,
        fingerprint: Digest,
        decision: Decision,
        code: ReasonCode,
        policies: &[String],
        evidence: Vec<String>,
    ) -> Record {
        let approved = self.rules.approved();
        let tool = approved.tools().get(call.tool);
        let name = match tool {
            Some(tool) => tool.tool.name.clone(),
            None => recorded(call.tool),
        };
        let mode = match (approved.lockfile_digest(), self.settings.dry_run) {
            (None, _) => "unsafe_no_lockfile",
            (_, true) => "dry_run",
            _ => "enforced",
        };
        Record {
            seq: 0,
            timestamp: format!("{:.3}", self.now()),
            run_id: self.settings.run_id.clone(),
            toolpack: approved.toolpack().to_owned(),
            tool_id: name,
            tool_digest: tool.map(|tool| tool.digest),
            scope_id: tool.map(|tool| tool.tool.scope.clone()),
            principal: recorded(call.principal),
            request_fingerprint: fingerprint,
            decision,
            reason_code: code.as_str().to_owned(),
            policies: policies.to_vec(),
            evidence_refs: evidence,
            lockfile_digest: approved.lockfile_digest(),
            policy_digest: approved.policy_digest(),
            confirmation_issuer: None,
            provenance_mode: mode.to_owned(),
            prev: None,
            hash: fingerprint,
        }
    }

    fn now(&self) -> Timestamp {
        self.settings.fixed_now.unwrap_or_else(Timestamp::now)
    }
}

/// A text of the client's choice as the log has it: it may be anything, a secret too.
fn recorded(text: &str) -> String {
    // Redacted before it is cut: half a secret would not be found.
    let bounded: String = text.chars().take(MAX_NAME * 8).collect();
    Redactor::new(Profile::DefaultSafe).text(&bounded).chars().take(MAX_NAME).collect()
}

/// Hosts that an approved tool calls over TLS.
fn secure_hosts(approved: &Approved) -> BTreeSet<String> {
    let bindings = approved.tools().values().map(|tool| {
        let Binding::Http(binding) = &tool.tool.binding;
        binding
    });
    bindings.filter(|binding| binding.scheme == Scheme::Https).map(|binding| binding.host.clone()).collect()
}

/// Without a record there is no call. The cause is for the operator, not for the agent.
fn unrecorded(error: &crate::audit::AuditError) -> Outcome {
    eprintln!("cask: {error}");
    let message = "the audit record could not be written, so the call is refused";
    Outcome::refused(&Denial { guard: "audit", ..guard::Denial::new(ReasonCode::ErrorInternal, message) })
}
