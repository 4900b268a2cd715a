//! The policy.

use crate::finding::Severity::{Breaking, Warning};

use super::Mirror::{Code, Itself, Waived};
use super::{Change, Class, change};

pub(in crate::diff) static POLICY_ADDED: Change = change(
    Class::PolicyWider,
    "policy-added",
    Breaking,
    Waived("a policy that loses its last rule loses each of them, and each is reported"),
    "a first policy",
    "The policy decides which calls are allowed, which need a person and how many there may be. Read it in policy.cedar.",
);

pub(in crate::diff) static POLICY_PERMIT_ADDED: Change = change(
    Class::PolicyWider,
    "policy-permit-added",
    Breaking,
    Code("policy-permit-removed"),
    "a new permission",
    "A rule allows calls that no rule allowed before.",
);

pub(in crate::diff) static POLICY_PERMIT_REMOVED: Change = change(
    Class::Narrower,
    "policy-permit-removed",
    Warning,
    Code("policy-permit-added"),
    "a permission is gone",
    "Calls that this rule allowed are denied, unless another rule allows them.",
);

pub(in crate::diff) static POLICY_FORBID_ADDED: Change = change(
    Class::Narrower,
    "policy-forbid-added",
    Warning,
    Code("policy-forbid-removed"),
    "a new prohibition",
    "Calls that this rule forbids are denied or need a person.",
);

pub(in crate::diff) static POLICY_FORBID_REMOVED: Change = change(
    Class::PolicyWider,
    "policy-forbid-removed",
    Breaking,
    Code("policy-forbid-added"),
    "a prohibition is gone",
    "A confirmation, a budget or a plain no does not hold any more.",
);

pub(in crate::diff) static POLICY_RULE_CHANGED: Change = change(
    Class::PolicyWider,
    "policy-rule-changed",
    Breaking,
    Itself,
    "a rule of the policy changed",
    "The rule allows or forbids something else than the approved one. Compare both texts.",
);

pub(in crate::diff) static POLICY_TEXT: Change = change(
    Class::NothingNew,
    "policy-text-changed",
    Warning,
    Itself,
    "the policy text changed, its rules did not",
    "White space, comments or the order of rules. The approval covers the bytes, so it has to be given again.",
);

pub(in crate::diff) static POLICY_UNREADABLE: Change = change(
    Class::PolicyWider,
    "policy-unreadable",
    Breaking,
    Itself,
    "the policy cannot be compared",
    "The policy does not parse, so nobody can say what it allows. Nothing is served with it.",
);

pub(in crate::diff) static POLICY_PROVED: Change = change(
    Class::Narrower,
    "policy-proved-narrower",
    Warning,
    Code("policy-newly-allows"),
    "proved: the policy allows nothing new",
    "Rules changed, and an SMT solver proved, over all arguments, counts and confirmations, that every call which the new \
     policy allows was allowed by the old one. It still has to be approved: what it refuses now may be missed.",
);

pub(in crate::diff) static POLICY_ALLOWS: Change = change(
    Class::PolicyWider,
    "policy-newly-allows",
    Breaking,
    Code("policy-proved-narrower"),
    "a call that was refused is allowed",
    "An SMT solver found a call that the old policy refuses and the new one allows. It is one of perhaps many: read the \
     rules that changed with it in mind.",
);
