//! Every way a call can end, each with one stable name.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! reasons {
    ($($variant:ident = $code:literal, $title:literal, $explain:literal;)*) => {
        /// Why a call was allowed, held back or refused. The names are stable: audit logs and agents rely on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ReasonCode {
            $(#[doc = $title] $variant,)*
        }

        impl ReasonCode {
            /// The stable name, lower snake case.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(ReasonCode::$variant => $code,)* }
            }
        }

        /// All reason codes with what `cask explain CODE` says about them.
        pub static REASONS: &[Reason] = &[
            $(Reason { reason: ReasonCode::$variant, code: $code, title: $title, explain: $explain },)*
        ];
    };
}

/// One line of [`REASONS`].
#[derive(Debug)]
pub struct Reason {
    /// The code as the program sees it.
    pub reason: ReasonCode,
    /// The code as it is written.
    pub code: &'static str,
    /// One line.
    pub title: &'static str,
    /// What it means and what to do, a short paragraph.
    pub explain: &'static str,
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ReasonCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

reasons! {
    AllowedPolicy = "allowed_policy",
        "The policy permits the call.",
        "Every guard passed and at least one `permit` of the approved policy applies while no `forbid` does. The audit record names the policies.";
    AllowedConfirmationGranted = "allowed_confirmation_granted",
        "A person confirmed this exact call.",
        "The policy permits the call once it is confirmed, and a valid confirmation for exactly this principal, tool and arguments was presented.";
    ConfirmationRequired = "confirmation_required",
        "The policy permits the call only when a person confirms it.",
        "The answer carries a challenge id that is bound to the principal, the tool, its digest, the arguments, the lockfile and the policy. Change any of them and it is another challenge. The call was not made. This version cannot grant a confirmation yet: a call that needs none takes a rule in policy.cedar that permits it, and its approval.";
    DeniedUnknownAction = "denied_unknown_action",
        "The toolpack has no tool of that name.",
        "Only tools of the approved toolpack can be called. List the tools again; names may have changed since.";
    DeniedNotApproved = "denied_not_approved",
        "Nobody approved the tool yet.",
        "The tool is pending in the lockfile. Review it with `cask diff` and approve it with `cask gate allow`.";
    DeniedBlocked = "denied_blocked",
        "Someone signed that this tool must not be used.",
        "The lockfile holds a signed block for the tool. `cask gate status` says who blocked it and why.";
    DeniedApprovalExpired = "denied_approval_expired",
        "The approval of the tool, its toolset or the policy has ended.",
        "Approvals may carry an end. Review what ended and approve it again with `cask gate allow`.";
    DeniedApprovalSignatureRequired = "denied_approval_signature_required",
        "The tool counts as approved, but nobody signed for it.",
        "An entry that says `approved` without a signature is worth nothing. Approve it with `cask gate allow`.";
    DeniedApprovalSignatureInvalid = "denied_approval_signature_invalid",
        "The signature on the tool's approval does not verify.",
        "The entry was edited after it was signed, or the signing key is not trusted here. Find out who changed the lockfile before approving again.";
    DeniedQuorumNotMet = "denied_quorum_not_met",
        "Fewer signers approved the tool than the trust asks for.",
        "`trust.yaml` says how many distinct signers it takes for each risk tier. `cask gate check` lists whose approvals count and why others do not; another signer approves with `cask gate allow`.";
    DeniedApprovalKeyRevoked = "denied_approval_key_revoked",
        "The key that approved the tool was revoked.",
        "What a revoked key signed after its revocation does not count, and nothing that a compromised key ever signed does. Without it too few signers agree. Look at the tool again and approve it with a key that is trusted.";
    DeniedRiskNotCovered = "denied_risk_not_covered",
        "The policy or the host was approved for tools of a lower risk.",
        "Whoever approved the policy or the host did so when it had no tool of this risk. Approve it again: `cask gate allow policy` or `cask gate allow host/NAME`.";
    DeniedHostNotApproved = "denied_host_not_approved",
        "The host that the tool calls is not approved.",
        "Each host is a subject of its own, so that a new one cannot come along unseen. Approve it with `cask gate allow host/NAME`.";
    DeniedLockfileForked = "denied_lockfile_forked",
        "The lockfile does not come from the one that was accepted here.",
        "Two people decided on the same revision, or somebody put a branch of the lockfile in its place, in which a block or a withdrawal is missing. Take the accepted one and decide again on it; `cask state accept` takes this one as it is.";
    DeniedScopeNotApproved = "denied_scope_not_approved",
        "A scope that holds the tool is not approved as it is now.",
        "A tool that `scopes.yaml` puts into a scope is served only while that scope is approved; one that left a scope, or whose scope is gone, waits until somebody approves that. See `cask scopes diff`, then `cask gate sync` and `cask gate allow scope/NAME`.";
    DeniedOutOfScope = "denied_out_of_scope",
        "The tool is outside of what one of its scopes allows.",
        "The scope does not have the host that the tool calls, or not its effect, or not so high a risk. `cask scopes check` says which. Widen the scope and approve it again, or take the tool out of it.";
    DeniedLockfileForeign = "denied_lockfile_foreign",
        "The lockfile belongs to another toolpack.",
        "Approvals are good for one toolpack only. Give the lockfile that lies in the folder of this one.";
    DeniedLockfileNotSealed = "denied_lockfile_not_sealed",
        "The lockfile has no seal.",
        "A pending lockfile never runs. Review it with `cask diff`; `cask gate allow` writes the sealed one.";
    DeniedLockfileChanged = "denied_lockfile_changed",
        "The lockfile was changed after it was sealed.",
        "Something was edited, removed or put elsewhere. Restore the file from version control, and find out who changed it.";
    DeniedLockfileSealNotTrusted = "denied_lockfile_seal_not_trusted",
        "The lockfile was sealed by somebody who is not trusted to.",
        "The key of the seal is not in `trust.yaml`, or its owner may not seal a lockfile with subjects of this risk.";
    DeniedLockfileSealRevoked = "denied_lockfile_seal_revoked",
        "The key that sealed the lockfile was revoked.",
        "Another signer looks at what is in it (`cask gate check`, `cask diff`) and seals it anew with `cask gate reseal`.";
    DeniedIntegrityMismatch = "denied_integrity_mismatch",
        "The tool is not the one that was approved.",
        "Its name, description, schemas, binding or limits changed since the approval. `cask diff` shows what changed.";
    DeniedLockfileRolledBack = "denied_lockfile_rolled_back",
        "The lockfile is older than one that was accepted here before.",
        "A lower revision than the highest seen could bring back what was blocked since. Restore the newer lockfile, or approve on top of it. A gateway that was started before the newer one was accepted must be started again.";
    DeniedToolsetNotApproved = "denied_toolset_not_approved",
        "The selected toolset is not approved.",
        "A toolset is a subject of its own: what it holds must be approved too. See `cask gate status`.";
    DeniedToolsetNotAllowed = "denied_toolset_not_allowed",
        "The tool is not in the toolset that is being served.",
        "The gateway serves one toolset (`readonly` unless told otherwise). Start it with `--toolset` to serve another.";
    DeniedParamValidation = "denied_param_validation",
        "The arguments do not fit the tool's input schema.",
        "Each fault names the place by JSON pointer. Values are never repeated. Unknown arguments are refused, and so are arguments that are too large or too deep.";
    DeniedScopeConstraint = "denied_scope_constraint",
        "An argument is not what a scope of the tool allows.",
        "Each fault names the argument by JSON pointer; neither its value nor the limit is repeated. An argument with a limit has to be given, unless the limit is `optional`. `cask scopes show NAME` has the limits.";
    DeniedSchemaInvalid = "denied_schema_invalid",
        "The tool's own input schema cannot be used.",
        "The approved schema does not compile (for example a pattern that has no linear-time form), so nothing can be checked against it. Mint the tool again.";
    DeniedPathEscape = "denied_path_escape",
        "An argument would have led outside the approved path.",
        "The finished URL must still match the signed host and path template. Empty path arguments and `/`, `\\`, `.`, `..` and control characters in them are refused, however often they are percent-encoded, and so is what a lenient server could read as one of them.";
    DeniedHeaderValue = "denied_header_value",
        "An argument would have broken out of its header.",
        "Header arguments are visible ASCII without line breaks, and never replace the headers that steer the connection or carry credentials.";
    DeniedMethodNotAllowed = "denied_method_not_allowed",
        "The tool's method is not one that the gateway sends.",
        "Only GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS are sent upstream.";
    DeniedPolicy = "denied_policy",
        "The policy does not permit the call.",
        "Either a `forbid` applies (the answer names it) or no `permit` does: deny is the default.";
    DeniedPolicyInvalid = "denied_policy_invalid",
        "The policy could not be evaluated for this call.",
        "The policy text does not parse, or a `forbid` failed while it was evaluated. An error never helps to permit, so the call is refused.";
    DeniedRateLimited = "denied_rate_limited",
        "The budget for calls like this one is spent.",
        "The policy would permit the call if fewer calls of its effect had been made in the last minute or hour. Wait, or review the budget in `policy.cedar`.";
    DeniedConfirmationInvalid = "denied_confirmation_invalid",
        "The confirmation does not belong to this call.",
        "A confirmation is bound to one principal, tool, argument list, tool digest, lockfile and policy.";
    DeniedConfirmationExpired = "denied_confirmation_expired",
        "The confirmation came too late.",
        "Confirmations end after a short time. Ask for a new one.";
    DeniedConfirmationReplay = "denied_confirmation_replay",
        "The confirmation was used before.",
        "Each confirmation is good for one call.";
    DeniedSchemeNotAllowed = "denied_scheme_not_allowed",
        "The upstream URL is neither http nor https.",
        "Other schemes are never followed, redirects included.";
    DeniedHostNotAllowed = "denied_host_not_allowed",
        "The upstream host is not on the signed list.",
        "Requests go only to the hosts and ports of approved tools (or to `--base-url`).";
    DeniedHostResolutionFailed = "denied_host_resolution_failed",
        "The upstream host name could not be resolved.",
        "The name has no address, or the resolver did not answer. The call was not made.";
    DeniedAddressNotAllowed = "denied_address_not_allowed",
        "The upstream host resolves to an address that must not be called.",
        "Private, loopback, link-local, metadata, carrier-grade NAT, tunnel, mapped, multicast and reserved addresses are refused; one bad address among good ones is enough. Open an exact range with `--allow-private-cidr`.";
    DeniedRedirectNotAllowlisted = "denied_redirect_not_allowlisted",
        "The upstream answered with a redirect that is not followed.",
        "Redirects are not followed unless `--allow-redirects` is given, and then at most three, only for reads, only to hosts on the signed list and only to paths that the tool's signed template allows.";
    DeniedTimeout = "denied_timeout",
        "The upstream did not answer in time.",
        "The tool's `guards.timeout_ms` covers the whole call. Whether the upstream acted on it is not known.";
    DeniedResponseTooLarge = "denied_response_too_large",
        "The upstream's answer is larger than the tool allows.",
        "The limit counts bytes after decompression and stops a decompression bomb early. It is `guards.max_response_bytes` of the tool.";
    DeniedContentTypeNotAllowed = "denied_content_type_not_allowed",
        "The upstream answered with a media type that the tool does not accept.",
        "The accepted types are part of the signed binding.";
    UpstreamError = "upstream_error",
        "The upstream refused the request.",
        "The call was allowed and made; the upstream answered with a 4xx or 5xx status, which is passed on with a bounded, redacted body.";
    UpstreamUnreachable = "upstream_unreachable",
        "The connection to the upstream failed.",
        "The call was allowed, but no complete answer came: the connection was refused, reset or its TLS failed.";
    OutputSchemaMismatch = "output_schema_mismatch",
        "The upstream's answer does not fit the tool's output schema.",
        "The call was made, but its answer is not what was approved. The body is passed on as text; `cask drift` tells what changed.";
    Cancelled = "cancelled",
        "The client cancelled the call.",
        "The request may or may not have reached the upstream.";
    DryRun = "dry_run",
        "Every guard up to the send passed; nothing was sent.",
        "The gateway runs with `--dry-run` and answers with what it would have sent, credentials masked.";
    ErrorInternal = "error_internal",
        "Something unexpected happened, so the call was refused.",
        "For example the audit record could not be written: without a record there is no call. The log of the gateway on stderr has the cause.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_snake_case_and_explained() {
        let mut seen = std::collections::BTreeSet::new();
        for reason in REASONS {
            assert_eq!(reason.reason.as_str(), reason.code);
            assert!(seen.insert(reason.code), "{} twice", reason.code);
            assert!(reason.code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", reason.code);
            assert!(reason.title.ends_with('.') && reason.explain.ends_with('.'), "{}", reason.code);
        }
    }
}
