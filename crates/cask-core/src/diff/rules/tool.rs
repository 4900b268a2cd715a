//! A tool, but for what it sends, what it says and what comes back.

use crate::finding::Severity::{Breaking, Warning};

use super::Mirror::{Code, Itself, Waived};
use super::{Change, Class, change};

pub(in crate::diff) static TOOL_ADDED: Change = change(
    Class::NewTool,
    "tool-added",
    Breaking,
    Code("tool-removed"),
    "a new tool",
    "An agent could call something that it could not call before. Read what it calls and with which arguments; approve it with `cask gate allow`, or refuse it with `cask gate block`.",
);

pub(in crate::diff) static TOOL_ADDED_WRITES: Change = change(
    Class::NewEffect,
    "tool-added-writes",
    Breaking,
    Code("tool-removed"),
    "a new tool that writes",
    "An agent could change something that it could not change before. Read what it calls and with which arguments, and whether the policy asks a person first.",
);

pub(in crate::diff) static TOOL_ADDED_AUTH: Change = change(
    Class::Auth,
    "tool-added-auth",
    Breaking,
    Code("tool-removed"),
    "a new tool for signing in or for credentials",
    "An agent could sign in, or make or revoke credentials. Whatever it gets that way acts outside of the lockfile: approve it only if that is what the tool is for.",
);

pub(in crate::diff) static TOOL_ADDED_DESTRUCTIVE: Change = change(
    Class::Destructive,
    "tool-added-destructive",
    Breaking,
    Code("tool-removed"),
    "a new tool that deletes, pays or administers",
    "An agent could do something that is hard to undo. Read what it calls and with which arguments, and make sure that the policy asks a person first.",
);

pub(in crate::diff) static TOOL_REMOVED: Change = change(
    Class::Narrower,
    "tool-removed",
    Warning,
    Code("tool-added"),
    "a tool is gone",
    "It was approved and is no longer in the toolpack. Agents and programs that call it are refused.",
);

pub(in crate::diff) static TOOL_RENAMED: Change = change(
    Class::NewTool,
    "tool-renamed",
    Breaking,
    Itself,
    "a tool has another name",
    "The call is one that was approved under another name; whatever else differs is reported beside this. Prompts and programs that use the old name are refused. A rule of the policy, a toolset of your own or a block that names the old one does not hold for the new one.",
);

pub(in crate::diff) static EFFECT_UNDERSTATED: Change = change(
    Class::Destructive,
    "effect-understated",
    Breaking,
    Waived("it says what a tool is, not what changed of it: the change back is another effect or method"),
    "a tool that changes something says that it reads",
    "The tool is classified `read` and is called with PUT, PATCH or DELETE. Reads are served by default and need no confirmation. cask does not compile such a tool without a reason: see `cask explain` of the tool, and approve it only if the method is really used to read.",
);

const LOWERED: &str = "tool-effect-lowered";

pub(in crate::diff) static EFFECT: Change = change(
    Class::NewEffect,
    "tool-effect-changed",
    Breaking,
    Code(LOWERED),
    "a tool that read writes",
    "The effect decides which policies hold for a tool. It does more than was approved.",
);

pub(in crate::diff) static EFFECT_AUTH: Change = change(
    Class::Auth,
    "tool-effect-auth",
    Breaking,
    Code(LOWERED),
    "a tool signs in, or makes or revokes credentials",
    "It did less when it was approved. Whatever an agent gets that way acts outside of the lockfile.",
);

pub(in crate::diff) static EFFECT_DESTRUCTIVE: Change = change(
    Class::Destructive,
    "tool-effect-destructive",
    Breaking,
    Code(LOWERED),
    "a tool deletes, pays or administers",
    "It did less when it was approved. Look at what it calls and why it is classified so: `cask explain` of the tool says it.",
);

pub(in crate::diff) static EFFECT_LOWERED: Change = change(
    Class::PolicyWider,
    LOWERED,
    Breaking,
    Waived("the change back raises the effect, and what it is raised to decides the rule"),
    "a lower effect",
    "The tool escapes the confirmations and budgets that held for it. Look at the reasons with `cask explain`, and whether the request is another one too.",
);

pub(in crate::diff) static HINT_RELAXED: Change = change(
    Class::PolicyWider,
    "annotation-relaxed",
    Breaking,
    Code("annotation-tightened"),
    "a hint says that the tool is safer than before",
    "Clients ask less, or not at all, for tools that say they are read-only or touch nothing outside. The same tool would run with fewer questions.",
);

pub(in crate::diff) static HINT_TIGHTENED: Change = change(
    Class::Narrower,
    "annotation-tightened",
    Warning,
    Code("annotation-relaxed"),
    "a hint says that the tool is less safe than before",
    "Clients will ask more often. Make sure that the tool itself did not become more dangerous.",
);

pub(in crate::diff) static DESTRUCTIVE_SET: Change = change(
    Class::Destructive,
    "destructive-hint-set",
    Breaking,
    Code("destructive-hint-cleared"),
    "a tool says that it may destroy something",
    "It did not say so when it was approved. Clients will ask more often, but what they ask for is another tool than the one that was read.",
);

pub(in crate::diff) static DESTRUCTIVE_CLEARED: Change = change(
    Class::Destructive,
    "destructive-hint-cleared",
    Breaking,
    Code("destructive-hint-set"),
    "a tool no longer says that it may destroy something",
    "Clients ask less, or not at all, for a tool that says it destroys nothing. Make sure that it is so: its method, path and effect say more than the hint.",
);

pub(in crate::diff) static RISK_RAISED: Change = change(
    Class::Text,
    "tool-risk-raised",
    Warning,
    Code("tool-risk-lowered"),
    "a higher risk",
    "What is known about the tool now says that a wrong call does more harm. Whoever approved it approved the lower risk.",
);

pub(in crate::diff) static RISK_LOWERED: Change = change(
    Class::PolicyWider,
    "tool-risk-lowered",
    Breaking,
    Code("tool-risk-raised"),
    "a lower risk",
    "The tool escapes the policies and the approvers that its old tier demanded. Look at the reasons with `cask explain`.",
);

pub(in crate::diff) static GUARD_RELAXED: Change = change(
    Class::MoreDataOut,
    "guard-relaxed",
    Breaking,
    Code("guard-tightened"),
    "a limit is higher",
    "A call may take longer or answer with more. That is room for more data to leave.",
);

pub(in crate::diff) static GUARD_TIGHTENED: Change = change(
    Class::Narrower,
    "guard-tightened",
    Warning,
    Code("guard-relaxed"),
    "a limit is lower",
    "Calls that ended well before may be cut or refused.",
);

pub(in crate::diff) static REASONS: Change = change(
    Class::NothingNew,
    "tool-reasons-changed",
    Warning,
    Itself,
    "other reasons for effect and risk",
    "What was seen that makes the tool what it is changed, without changing the result. The approval covers the reasons too, because a reviewer reads them.",
);

pub(in crate::diff) static SCOPE: Change = change(
    Class::Text,
    "tool-scope-changed",
    Warning,
    Itself,
    "another scope",
    "The tool belongs to another capability boundary now. Whoever approves by scope should know.",
);

pub(in crate::diff) static EVIDENCE: Change = change(
    Class::NothingNew,
    "tool-evidence-changed",
    Warning,
    Itself,
    "other evidence",
    "The tool was learned from another endpoint. What it calls is compared on its own.",
);

pub(in crate::diff) static TOOL_OTHER: Change = change(
    Class::NewEffect,
    "tool-changed",
    Breaking,
    Itself,
    "something else changed",
    "The digest is another one, though no rule says what it means. Compare tools.json with the approved one by hand.",
);
