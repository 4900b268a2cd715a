//! A tool, but for its arguments.

use crate::finding::{Rule, Severity};

use super::{Change, Class};

pub(in crate::diff) static TOOL_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-added",
        severity: Severity::Breaking,
        title: "a new tool",
        explain: "An agent could call something that it could not call before. Read what it calls and with which arguments; approve it with `cask gate allow`, or refuse it with `cask gate block`.",
    },
};

pub(in crate::diff) static EFFECT_UNDERSTATED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "effect-understated",
        severity: Severity::Breaking,
        title: "a tool that changes something says that it reads",
        explain: "The tool is classified `read` and is called with PUT, PATCH or DELETE. Reads are served by default and need no confirmation. cask does not compile such a tool without a reason: see `cask explain` of the tool, and approve it only if the method is really used to read.",
    },
};

pub(in crate::diff) static TOOL_HOST: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-host-changed",
        severity: Severity::Breaking,
        title: "a tool calls another host",
        explain: "The same tool name would send its arguments and credentials somewhere else. Nothing else about the tool needs to look different for this to matter.",
    },
};

pub(in crate::diff) static TOOL_SCHEME: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-scheme-changed",
        severity: Severity::Breaking,
        title: "a tool calls with another scheme",
        explain: "From `https` to `http`, arguments and credentials would travel in the clear. The other way is safer, but it is another endpoint.",
    },
};

pub(in crate::diff) static TOOL_METHOD: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-method-changed",
        severity: Severity::Breaking,
        title: "a tool calls with another method",
        explain: "The method decides what a call does. A `GET` that becomes a `POST` is a different tool under an old name.",
    },
};

pub(in crate::diff) static TOOL_PATH: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-path-changed",
        severity: Severity::Breaking,
        title: "a tool calls another path",
        explain: "The same tool name would reach another resource. Compare both templates and what their parameters identify.",
    },
};

pub(in crate::diff) static TOOL_AUTH: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-auth-changed",
        severity: Severity::Breaking,
        title: "a tool authenticates in another way",
        explain: "The call would carry another kind of credential. Make sure that it is the one that you mean to give to this tool.",
    },
};

pub(in crate::diff) static TOOL_FIXED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-fixed-part-changed",
        severity: Severity::Breaking,
        title: "a fixed part of the request changed",
        explain: "A header, query pair or body member that is sent with every call is another one; for GraphQL this is the document itself. It decides what the call does, and no argument shows it.",
    },
};

pub(in crate::diff) static TOOL_BODY: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-body-changed",
        severity: Severity::Breaking,
        title: "the request body is built in another way",
        explain: "Arguments become another body: another media type, another envelope or another member. What the service is told changes though the arguments do not.",
    },
};

pub(in crate::diff) static TOOL_ACCEPT: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "tool-accept-changed",
        severity: Severity::Warning,
        title: "other media types are accepted as an answer",
        explain: "Answers that were refused before may reach the agent, or the other way round.",
    },
};

pub(in crate::diff) static TOOL_WRAP: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "tool-result-changed",
        severity: Severity::Warning,
        title: "the result has another shape",
        explain: "Whether an answer is wrapped as `{\"result\": …}` changed, so an agent reads it at another place.",
    },
};

pub(in crate::diff) static TITLE: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "tool-title-changed",
        severity: Severity::Warning,
        title: "another title",
        explain: "People see it when they are asked to confirm a call. A title that says something else than the tool does is how they are fooled.",
    },
};

pub(in crate::diff) static DESCRIPTION: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "tool-description-changed",
        severity: Severity::Warning,
        title: "another description",
        explain: "A model reads the description and follows it: text that nobody reviewed is a prompt injection waiting to happen. Read it for instructions, names of other tools and requests for data.",
    },
};

pub(in crate::diff) static OUTPUT: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "output-schema-changed",
        severity: Severity::Warning,
        title: "the schema of the result changed",
        explain: "An agent is told to expect something else, and answers are checked against something else. Look for text in it, and for fields that should not be shown.",
    },
};

pub(in crate::diff) static HINT_RELAXED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "annotation-relaxed",
        severity: Severity::Breaking,
        title: "a hint says that the tool is safer than before",
        explain: "Clients ask less, or not at all, for tools that say they are read-only or not destructive. The same tool would run with fewer questions.",
    },
};

pub(in crate::diff) static HINT_TIGHTENED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "annotation-tightened",
        severity: Severity::Warning,
        title: "a hint says that the tool is less safe than before",
        explain: "Clients will ask more often. Make sure that the tool itself did not become more dangerous.",
    },
};

pub(in crate::diff) static EFFECT: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-effect-changed",
        severity: Severity::Breaking,
        title: "another effect",
        explain: "The effect decides which policies hold for a tool. Raised, it does more than was approved; lowered, it escapes the confirmations and budgets that held for it.",
    },
};

pub(in crate::diff) static RISK_RAISED: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "tool-risk-raised",
        severity: Severity::Warning,
        title: "a higher risk",
        explain: "What is known about the tool now says that a wrong call does more harm. Whoever approved it approved the lower risk.",
    },
};

pub(in crate::diff) static RISK_LOWERED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-risk-lowered",
        severity: Severity::Breaking,
        title: "a lower risk",
        explain: "The tool escapes the policies and the approvers that its old tier demanded. Look at the reasons with `cask explain`.",
    },
};

pub(in crate::diff) static GUARD_RELAXED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "guard-relaxed",
        severity: Severity::Breaking,
        title: "a limit is higher",
        explain: "A call may take longer or answer with more. That is room for more data to leave.",
    },
};

pub(in crate::diff) static GUARD_TIGHTENED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "guard-tightened",
        severity: Severity::Warning,
        title: "a limit is lower",
        explain: "Calls that ended well before may be cut or refused.",
    },
};

pub(in crate::diff) static REASONS: Change = Change {
    class: Class::Record,
    rule: Rule {
        code: "tool-reasons-changed",
        severity: Severity::Warning,
        title: "other reasons for effect and risk",
        explain: "What was seen that makes the tool what it is changed, without changing the result. The approval covers the reasons too, because a reviewer reads them.",
    },
};

pub(in crate::diff) static SCOPE: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "tool-scope-changed",
        severity: Severity::Warning,
        title: "another scope",
        explain: "The tool belongs to another capability boundary now. Whoever approves by scope should know.",
    },
};

pub(in crate::diff) static EVIDENCE: Change = Change {
    class: Class::Record,
    rule: Rule {
        code: "tool-evidence-changed",
        severity: Severity::Warning,
        title: "other evidence",
        explain: "The tool was learned from another endpoint. What it calls is compared on its own.",
    },
};

pub(in crate::diff) static TOOL_OTHER: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "tool-changed",
        severity: Severity::Breaking,
        title: "something else changed",
        explain: "The digest is another one, though no rule says what it means. Compare tools.json with the approved one by hand.",
    },
};

pub(in crate::diff) static TOOL_REMOVED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "tool-removed",
        severity: Severity::Warning,
        title: "a tool is gone",
        explain: "It was approved and is no longer in the toolpack. Agents and programs that call it are refused.",
    },
};
