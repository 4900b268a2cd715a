//! What may be sent.

use crate::finding::{Rule, Severity};

use super::{Change, Class};

pub(in crate::diff) static ARG_ADDED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "argument-added",
        severity: Severity::Breaking,
        title: "a new argument",
        explain: "An agent could send something that it could not send before. See where the argument goes and what the service does with it.",
    },
};

pub(in crate::diff) static ARG_REMOVED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "argument-removed",
        severity: Severity::Warning,
        title: "an argument is gone",
        explain: "An agent cannot send this any more. A prompt or program that does is refused.",
    },
};

pub(in crate::diff) static ARG_REQUIRED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "argument-required",
        severity: Severity::Warning,
        title: "an argument must be given now",
        explain: "Calls without it are refused. Prompts and programs that leave it out break.",
    },
};

pub(in crate::diff) static ARG_OPTIONAL: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "argument-optional",
        severity: Severity::Breaking,
        title: "an argument may be left out now",
        explain: "Calls without it are possible. Leaving a filter out often means all of them.",
    },
};

pub(in crate::diff) static ARG_WIDENED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "argument-widened",
        severity: Severity::Breaking,
        title: "an argument takes more values",
        explain: "Values that were refused before would be sent: another type, more members of an enumeration, a higher limit, a pattern less.",
    },
};

pub(in crate::diff) static ARG_NARROWED: Change = Change {
    class: Class::CanDoLess,
    rule: Rule {
        code: "argument-narrowed",
        severity: Severity::Warning,
        title: "an argument takes fewer values",
        explain: "Values that were sent before are refused. Prompts and programs that use them break.",
    },
};

pub(in crate::diff) static ARG_PLACED: Change = Change {
    class: Class::CanDoMore,
    rule: Rule {
        code: "argument-moved",
        severity: Severity::Breaking,
        title: "an argument goes somewhere else",
        explain: "The same argument would become another part of the request: another parameter, header or body member, or another way of writing a list. What it means to the service can be anything.",
    },
};

pub(in crate::diff) static ARG_TEXT: Change = Change {
    class: Class::SeesOtherText,
    rule: Rule {
        code: "argument-text-changed",
        severity: Severity::Warning,
        title: "the words about an argument changed",
        explain: "A model reads these words and follows them. Read them as you would read a prompt from a stranger.",
    },
};
