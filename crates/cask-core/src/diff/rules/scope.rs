//! Scopes: what holds the tools that they name.

use crate::finding::Severity::{Breaking, Warning};

use super::Mirror::{Code, Itself, Waived};
use super::{Change, Class, change};

pub(in crate::diff) static SCOPE_ADDED: Change = change(
    Class::Narrower,
    "scope-added",
    Warning,
    Code("scope-removed"),
    "a new scope",
    "Its tools are served within it only, and not at all before it is approved. Look at which tools and limits it has.",
);

pub(in crate::diff) static SCOPE_REMOVED: Change = change(
    Class::PolicyWider,
    "scope-removed",
    Breaking,
    Code("scope-added"),
    "a scope is gone",
    "Its tools would be served without its limits. They are not served at all until somebody approves that it is gone.",
);

pub(in crate::diff) static SCOPE_BROADENED: Change = change(
    Class::PolicyWider,
    "scope-broadened",
    Breaking,
    Waived("a tool that joins or leaves, and a limit of another form, count as broader both ways"),
    "a scope lets more through",
    "A call could get through that the approved scope refused: a limit is wider or gone, a host, an effect or a higher risk is allowed, nobody is asked any more, or the scope has other tools. When in doubt it counts as broader.",
);

pub(in crate::diff) static SCOPE_NARROWED: Change = change(
    Class::Narrower,
    "scope-narrowed",
    Warning,
    Code("scope-broadened"),
    "a scope lets less through",
    "Nothing gets through that the approved scope refused. It is signed even so: until it is approved, none of its tools is served.",
);

pub(in crate::diff) static SCOPE_CHANGED: Change = change(
    Class::NothingNew,
    "scope-changed",
    Warning,
    Itself,
    "a scope reads otherwise",
    "The same calls get through, but something is put in other words. Until it is approved, none of its tools is served.",
);
