//! The table of what can differ between a toolpack and what was approved of it.

use crate::finding::{Rule, Severity};

/// What a change means for whoever approves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// An agent could do something that it could not do before.
    CanDoMore,
    /// An agent, or the person who confirms its calls, would read something that nobody reviewed.
    SeesOtherText,
    /// Something that worked does not any more.
    CanDoLess,
    /// Neither; but it is signed, so it has to be approved again.
    Record,
}

impl Class {
    /// The heading of its findings.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Class::CanDoMore => "An agent could do more",
            Class::SeesOtherText => "An agent would read or be told something else",
            Class::CanDoLess => "An agent could do less",
            Class::Record => "For the record",
        }
    }

    /// Stable name, for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Class::CanDoMore => "can_do_more",
            Class::SeesOtherText => "sees_different_text",
            Class::CanDoLess => "narrows",
            Class::Record => "record",
        }
    }
}

/// A rule and what its findings mean.
#[derive(Debug)]
pub struct Change {
    /// The rule.
    pub rule: Rule,
    /// The meaning.
    pub class: Class,
}

/// The class of a rule of this table.
#[must_use]
pub fn class(code: &str) -> Option<Class> {
    RULES.iter().find(|change| change.rule.code == code).map(|change| change.class)
}

/// Every rule.
pub const RULES: [&Change; 47] = [
    &TOOL_ADDED,
    &EFFECT_UNDERSTATED,
    &HOST_ADDED,
    &TOOL_HOST,
    &TOOL_SCHEME,
    &TOOL_METHOD,
    &TOOL_PATH,
    &TOOL_AUTH,
    &TOOL_FIXED,
    &TOOL_BODY,
    &TOOL_ACCEPT,
    &TOOL_WRAP,
    &ARG_ADDED,
    &ARG_REMOVED,
    &ARG_REQUIRED,
    &ARG_OPTIONAL,
    &ARG_WIDENED,
    &ARG_NARROWED,
    &ARG_PLACED,
    &ARG_TEXT,
    &TITLE,
    &DESCRIPTION,
    &OUTPUT,
    &HINT_RELAXED,
    &HINT_TIGHTENED,
    &EFFECT,
    &RISK_RAISED,
    &RISK_LOWERED,
    &GUARD_RELAXED,
    &GUARD_TIGHTENED,
    &REASONS,
    &SCOPE,
    &EVIDENCE,
    &TOOL_OTHER,
    &TOOL_REMOVED,
    &TOOLSET_ADDED,
    &TOOLSET_REMOVED,
    &TOOLSET_MEMBER_ADDED,
    &TOOLSET_MEMBER_REMOVED,
    &POLICY_ADDED,
    &POLICY_PERMIT_ADDED,
    &POLICY_PERMIT_REMOVED,
    &POLICY_FORBID_ADDED,
    &POLICY_FORBID_REMOVED,
    &POLICY_RULE_CHANGED,
    &POLICY_TEXT,
    &POLICY_UNREADABLE,
];

pub(super) static TOOL_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-added",
        severity: Severity::Breaking,
        title: "a new tool",
        explain: "An agent could call something that it could not call before. Read what it calls and with which arguments; approve it with `cask gate allow`, or refuse it with `cask gate block`.",
    },
};

pub(super) static EFFECT_UNDERSTATED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "effect-understated",
        severity: Severity::Breaking,
        title: "a tool that changes something says that it reads",
        explain: "The tool is classified `read` and is called with PUT, PATCH or DELETE. Reads are served by default and need no confirmation. cask does not compile such a tool without a reason: see `cask explain` of the tool, and approve it only if the method is really used to read.",
    },
};

pub(super) static HOST_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "host-added",
        severity: Severity::Breaking,
        title: "a new host",
        explain: "Calls would go to a host that no approved tool calls. Make sure that it belongs to the service: what a tool sends, and how it authenticates, goes there.",
    },
};

pub(super) static TOOL_HOST: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-host-changed",
        severity: Severity::Breaking,
        title: "a tool calls another host",
        explain: "The same tool name would send its arguments and credentials somewhere else. Nothing else about the tool needs to look different for this to matter.",
    },
};

pub(super) static TOOL_SCHEME: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-scheme-changed",
        severity: Severity::Breaking,
        title: "a tool calls with another scheme",
        explain: "From `https` to `http`, arguments and credentials would travel in the clear. The other way is safer, but it is another endpoint.",
    },
};

pub(super) static TOOL_METHOD: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-method-changed",
        severity: Severity::Breaking,
        title: "a tool calls with another method",
        explain: "The method decides what a call does. A `GET` that becomes a `POST` is a different tool under an old name.",
    },
};

pub(super) static TOOL_PATH: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-path-changed",
        severity: Severity::Breaking,
        title: "a tool calls another path",
        explain: "The same tool name would reach another resource. Compare both templates and what their parameters identify.",
    },
};

pub(super) static TOOL_AUTH: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-auth-changed",
        severity: Severity::Breaking,
        title: "a tool authenticates in another way",
        explain: "The call would carry another kind of credential. Make sure that it is the one that you mean to give to this tool.",
    },
};

pub(super) static TOOL_FIXED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-fixed-part-changed",
        severity: Severity::Breaking,
        title: "a fixed part of the request changed",
        explain: "A header, query pair or body member that is sent with every call is another one; for GraphQL this is the document itself. It decides what the call does, and no argument shows it.",
    },
};

pub(super) static TOOL_BODY: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-body-changed",
        severity: Severity::Breaking,
        title: "the request body is built in another way",
        explain: "Arguments become another body: another media type, another envelope or another member. What the service is told changes though the arguments do not.",
    },
};

pub(super) static TOOL_ACCEPT: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "tool-accept-changed",
        severity: Severity::Warning,
        title: "other media types are accepted as an answer",
        explain: "Answers that were refused before may reach the agent, or the other way round.",
    },
};

pub(super) static TOOL_WRAP: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "tool-result-changed",
        severity: Severity::Warning,
        title: "the result has another shape",
        explain: "Whether an answer is wrapped as `{\"result\": …}` changed, so an agent reads it at another place.",
    },
};

pub(super) static ARG_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "argument-added",
        severity: Severity::Breaking,
        title: "a new argument",
        explain: "An agent could send something that it could not send before. See where the argument goes and what the service does with it.",
    },
};

pub(super) static ARG_REMOVED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "argument-removed",
        severity: Severity::Warning,
        title: "an argument is gone",
        explain: "An agent cannot send this any more. A prompt or program that does is refused.",
    },
};

pub(super) static ARG_REQUIRED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "argument-required",
        severity: Severity::Warning,
        title: "an argument must be given now",
        explain: "Calls without it are refused. Prompts and programs that leave it out break.",
    },
};

pub(super) static ARG_OPTIONAL: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "argument-optional",
        severity: Severity::Breaking,
        title: "an argument may be left out now",
        explain: "Calls without it are possible. Leaving a filter out often means all of them.",
    },
};

pub(super) static ARG_WIDENED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "argument-widened",
        severity: Severity::Breaking,
        title: "an argument takes more values",
        explain: "Values that were refused before would be sent: another type, more members of an enumeration, a higher limit, a pattern less.",
    },
};

pub(super) static ARG_NARROWED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "argument-narrowed",
        severity: Severity::Warning,
        title: "an argument takes fewer values",
        explain: "Values that were sent before are refused. Prompts and programs that use them break.",
    },
};

pub(super) static ARG_PLACED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "argument-moved",
        severity: Severity::Breaking,
        title: "an argument goes somewhere else",
        explain: "The same argument would become another part of the request: another parameter, header or body member, or another way of writing a list. What it means to the service can be anything.",
    },
};

pub(super) static ARG_TEXT: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "argument-text-changed",
        severity: Severity::Warning,
        title: "the words about an argument changed",
        explain: "A model reads these words and follows them. Read them as you would read a prompt from a stranger.",
    },
};

pub(super) static TITLE: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "tool-title-changed",
        severity: Severity::Warning,
        title: "another title",
        explain: "People see it when they are asked to confirm a call. A title that says something else than the tool does is how they are fooled.",
    },
};

pub(super) static DESCRIPTION: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "tool-description-changed",
        severity: Severity::Warning,
        title: "another description",
        explain: "A model reads the description and follows it: text that nobody reviewed is a prompt injection waiting to happen. Read it for instructions, names of other tools and requests for data.",
    },
};

pub(super) static OUTPUT: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "output-schema-changed",
        severity: Severity::Warning,
        title: "the schema of the result changed",
        explain: "An agent is told to expect something else, and answers are checked against something else. Look for text in it, and for fields that should not be shown.",
    },
};

pub(super) static HINT_RELAXED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "annotation-relaxed",
        severity: Severity::Breaking,
        title: "a hint says that the tool is safer than before",
        explain: "Clients ask less, or not at all, for tools that say they are read-only or not destructive. The same tool would run with fewer questions.",
    },
};

pub(super) static HINT_TIGHTENED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "annotation-tightened",
        severity: Severity::Warning,
        title: "a hint says that the tool is less safe than before",
        explain: "Clients will ask more often. Make sure that the tool itself did not become more dangerous.",
    },
};

pub(super) static EFFECT: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-effect-changed",
        severity: Severity::Breaking,
        title: "another effect",
        explain: "The effect decides which policies hold for a tool. Raised, it does more than was approved; lowered, it escapes the confirmations and budgets that held for it.",
    },
};

pub(super) static RISK_RAISED: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "tool-risk-raised",
        severity: Severity::Warning,
        title: "a higher risk",
        explain: "What is known about the tool now says that a wrong call does more harm. Whoever approved it approved the lower risk.",
    },
};

pub(super) static RISK_LOWERED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-risk-lowered",
        severity: Severity::Breaking,
        title: "a lower risk",
        explain: "The tool escapes the policies and the approvers that its old tier demanded. Look at the reasons with `cask explain`.",
    },
};

pub(super) static GUARD_RELAXED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "guard-relaxed",
        severity: Severity::Breaking,
        title: "a limit is higher",
        explain: "A call may take longer or answer with more. That is room for more data to leave.",
    },
};

pub(super) static GUARD_TIGHTENED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "guard-tightened",
        severity: Severity::Warning,
        title: "a limit is lower",
        explain: "Calls that ended well before may be cut or refused.",
    },
};

pub(super) static REASONS: Change = Change {
    class: Class::Record,
    rule: Rule {
        code: "tool-reasons-changed",
        severity: Severity::Warning,
        title: "other reasons for effect and risk",
        explain: "What was seen that makes the tool what it is changed, without changing the result. The approval covers the reasons too, because a reviewer reads them.",
    },
};

pub(super) static SCOPE: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "tool-scope-changed",
        severity: Severity::Warning,
        title: "another scope",
        explain: "The tool belongs to another capability boundary now. Whoever approves by scope should know.",
    },
};

pub(super) static EVIDENCE: Change = Change {
    class: Class::Record,
    rule: Rule {
        code: "tool-evidence-changed",
        severity: Severity::Warning,
        title: "other evidence",
        explain: "The tool was learned from another endpoint. What it calls is compared on its own.",
    },
};

pub(super) static TOOL_OTHER: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-changed",
        severity: Severity::Breaking,
        title: "something else changed",
        explain: "The digest is another one, though no rule says what it means. Compare tools.json with the approved one by hand.",
    },
};

pub(super) static TOOL_REMOVED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "tool-removed",
        severity: Severity::Warning,
        title: "a tool is gone",
        explain: "It was approved and is no longer in the toolpack. Agents and programs that call it are refused.",
    },
};

pub(super) static TOOLSET_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "toolset-added",
        severity: Severity::Breaking,
        title: "a new toolset",
        explain: "A group of tools that can be served together. Look at what is in it.",
    },
};

pub(super) static TOOLSET_REMOVED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "toolset-removed",
        severity: Severity::Warning,
        title: "a toolset is gone",
        explain: "Serving it is refused.",
    },
};

pub(super) static TOOLSET_MEMBER_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "toolset-member-added",
        severity: Severity::Breaking,
        title: "a tool is in a toolset that it was not in",
        explain: "Agents that are given this toolset would have one tool more. Mind `readonly`, which is served when nothing else is asked for.",
    },
};

pub(super) static TOOLSET_MEMBER_REMOVED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "toolset-member-removed",
        severity: Severity::Warning,
        title: "a tool left a toolset",
        explain: "Agents that are given this toolset lose the tool.",
    },
};

pub(super) static POLICY_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "policy-added",
        severity: Severity::Breaking,
        title: "a first policy",
        explain: "The policy decides which calls are allowed, which need a person and how many there may be. Read it in policy.cedar.",
    },
};

pub(super) static POLICY_PERMIT_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "policy-permit-added",
        severity: Severity::Breaking,
        title: "a new permission",
        explain: "A rule allows calls that no rule allowed before.",
    },
};

pub(super) static POLICY_PERMIT_REMOVED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "policy-permit-removed",
        severity: Severity::Warning,
        title: "a permission is gone",
        explain: "Calls that this rule allowed are denied, unless another rule allows them.",
    },
};

pub(super) static POLICY_FORBID_ADDED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "policy-forbid-added",
        severity: Severity::Warning,
        title: "a new prohibition",
        explain: "Calls that this rule forbids are denied or need a person.",
    },
};

pub(super) static POLICY_FORBID_REMOVED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "policy-forbid-removed",
        severity: Severity::Breaking,
        title: "a prohibition is gone",
        explain: "A confirmation, a budget or a plain no does not hold any more.",
    },
};

pub(super) static POLICY_RULE_CHANGED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "policy-rule-changed",
        severity: Severity::Breaking,
        title: "a rule of the policy changed",
        explain: "The rule allows or forbids something else than the approved one. Compare both texts.",
    },
};

pub(super) static POLICY_TEXT: Change = Change {
    class: Class::Record,
    rule: Rule {
        code: "policy-text-changed",
        severity: Severity::Warning,
        title: "the policy text changed, its rules did not",
        explain: "White space, comments or the order of rules. The approval covers the bytes, so it has to be given again.",
    },
};

pub(super) static POLICY_UNREADABLE: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "policy-unreadable",
        severity: Severity::Breaking,
        title: "the policy cannot be compared",
        explain: "The policy does not parse, so nobody can say what it allows. Nothing is served with it.",
    },
};
