//! What is around the tools: hosts and toolsets.

use crate::finding::Severity::{Breaking, Warning};

use super::Mirror::{Code, Itself, Waived};
use super::{Change, Class, change};

const GONE_HOST: &str =
    "a host that no tool calls any more can do nothing; the tools that called it are reported";

pub(in crate::diff) static HOST_ADDED: Change = change(
    Class::NewHost,
    "host-added",
    Breaking,
    Waived(GONE_HOST),
    "a new host",
    "Calls would go to a host that no approved tool calls. Make sure that it belongs to the service: what a tool sends, and how it authenticates, goes there.",
);

pub(in crate::diff) static HOST_MOVED: Change = change(
    Class::NewHost,
    "host-moved",
    Breaking,
    Itself,
    "all tools of a host call another host",
    "Every tool that called the old host calls the new one, so this is said once for all of them. Their arguments and credentials would go there: make sure that it belongs to the service. Whatever else differs in a tool is reported by itself.",
);

pub(in crate::diff) static PATH_MOVED: Change = change(
    Class::NewEffect,
    "path-prefix-moved",
    Breaking,
    Itself,
    "all tools below a path call below another one",
    "Every tool below the old prefix calls the same path below the new one, as when a service goes from `/v1` to `/v2`, so this is said once for all of them. The other version may do something else under the same name. Whatever else differs in a tool is reported by itself.",
);

pub(in crate::diff) static TOOLSET_ADDED: Change = change(
    Class::NewTool,
    "toolset-added",
    Breaking,
    Code("toolset-removed"),
    "a new toolset",
    "A group of tools that can be served together. Look at what is in it.",
);

pub(in crate::diff) static TOOLSET_REMOVED: Change = change(
    Class::Narrower,
    "toolset-removed",
    Warning,
    Code("toolset-added"),
    "a toolset is gone",
    "Serving it is refused.",
);

pub(in crate::diff) static TOOLSET_MEMBER_ADDED: Change = change(
    Class::NewTool,
    "toolset-member-added",
    Breaking,
    Code("toolset-member-removed"),
    "a tool is in a toolset that it was not in",
    "Agents that are given this toolset would have one tool more. Mind `readonly`, which is served when nothing else is asked for.",
);

pub(in crate::diff) static TOOLSET_MEMBER_WRITES: Change = change(
    Class::NewEffect,
    "toolset-member-added-writes",
    Breaking,
    Code("toolset-member-removed"),
    "a tool that writes is in a toolset that it was not in",
    "Agents that are given this toolset could change something with it that they could not change before.",
);

pub(in crate::diff) static TOOLSET_MEMBER_AUTH: Change = change(
    Class::Auth,
    "toolset-member-added-auth",
    Breaking,
    Code("toolset-member-removed"),
    "a tool for signing in or for credentials is in a toolset that it was not in",
    "Agents that are given this toolset could sign in, or make or revoke credentials.",
);

pub(in crate::diff) static TOOLSET_MEMBER_DESTRUCTIVE: Change = change(
    Class::Destructive,
    "toolset-member-added-destructive",
    Breaking,
    Code("toolset-member-removed"),
    "a tool that deletes, pays or administers is in a toolset that it was not in",
    "Agents that are given this toolset could do harm with it that is hard to undo. Make sure that the toolset is meant for that: `readonly` never is.",
);

pub(in crate::diff) static TOOLSET_MEMBER_REMOVED: Change = change(
    Class::Narrower,
    "toolset-member-removed",
    Warning,
    Code("toolset-member-added"),
    "a tool left a toolset",
    "Agents that are given this toolset lose the tool.",
);
