//! What is around the tools: hosts, toolsets, the policy.

use crate::finding::{Rule, Severity};

use super::{Change, Class};

pub(in crate::diff) static HOST_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "host-added",
        severity: Severity::Breaking,
        title: "a new host",
        explain: "Calls would go to a host that no approved tool calls. Make sure that it belongs to the service: what a tool sends, and how it authenticates, goes there.",
    },
};

pub(in crate::diff) static TOOLSET_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "toolset-added",
        severity: Severity::Breaking,
        title: "a new toolset",
        explain: "A group of tools that can be served together. Look at what is in it.",
    },
};

pub(in crate::diff) static TOOLSET_REMOVED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "toolset-removed",
        severity: Severity::Warning,
        title: "a toolset is gone",
        explain: "Serving it is refused.",
    },
};

pub(in crate::diff) static TOOLSET_MEMBER_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "toolset-member-added",
        severity: Severity::Breaking,
        title: "a tool is in a toolset that it was not in",
        explain: "Agents that are given this toolset would have one tool more. Mind `readonly`, which is served when nothing else is asked for.",
    },
};

pub(in crate::diff) static TOOLSET_MEMBER_REMOVED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "toolset-member-removed",
        severity: Severity::Warning,
        title: "a tool left a toolset",
        explain: "Agents that are given this toolset lose the tool.",
    },
};

pub(in crate::diff) static POLICY_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "policy-added",
        severity: Severity::Breaking,
        title: "a first policy",
        explain: "The policy decides which calls are allowed, which need a person and how many there may be. Read it in policy.cedar.",
    },
};

pub(in crate::diff) static POLICY_PERMIT_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "policy-permit-added",
        severity: Severity::Breaking,
        title: "a new permission",
        explain: "A rule allows calls that no rule allowed before.",
    },
};

pub(in crate::diff) static POLICY_PERMIT_REMOVED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "policy-permit-removed",
        severity: Severity::Warning,
        title: "a permission is gone",
        explain: "Calls that this rule allowed are denied, unless another rule allows them.",
    },
};

pub(in crate::diff) static POLICY_FORBID_ADDED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "policy-forbid-added",
        severity: Severity::Warning,
        title: "a new prohibition",
        explain: "Calls that this rule forbids are denied or need a person.",
    },
};

pub(in crate::diff) static POLICY_FORBID_REMOVED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "policy-forbid-removed",
        severity: Severity::Breaking,
        title: "a prohibition is gone",
        explain: "A confirmation, a budget or a plain no does not hold any more.",
    },
};

pub(in crate::diff) static POLICY_RULE_CHANGED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "policy-rule-changed",
        severity: Severity::Breaking,
        title: "a rule of the policy changed",
        explain: "The rule allows or forbids something else than the approved one. Compare both texts.",
    },
};

pub(in crate::diff) static POLICY_TEXT: Change = Change {
    class: Class::Record,
    rule: Rule {
        code: "policy-text-changed",
        severity: Severity::Warning,
        title: "the policy text changed, its rules did not",
        explain: "White space, comments or the order of rules. The approval covers the bytes, so it has to be given again.",
    },
};

pub(in crate::diff) static POLICY_UNREADABLE: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "policy-unreadable",
        severity: Severity::Breaking,
        title: "the policy cannot be compared",
        explain: "The policy does not parse, so nobody can say what it allows. Nothing is served with it.",
    },
};
