//! What may be sent.

use crate::finding::Severity::{Breaking, Warning};

use super::Mirror::{Code, Itself, Waived};
use super::{Change, Class, change};

pub(in crate::diff) static ARG_ADDED: Change = change(
    Class::WiderInput,
    "argument-added",
    Breaking,
    Code("argument-removed"),
    "a new argument",
    "An agent could send something that it could not send before. See where the argument goes and what the service does with it.",
);

pub(in crate::diff) static ARG_CREDENTIAL: Change = change(
    Class::Auth,
    "argument-credential-added",
    Breaking,
    Waived("an argument that is gone takes nothing any more, whatever it was called: `argument-removed`"),
    "a new argument that is named like a credential",
    "An agent would be asked to hand over a password, key or token, and has to get it from somewhere. Credentials belong to the gateway, which adds them to the call; an argument for one is needed only where signing in is what the tool does.",
);

pub(in crate::diff) static ARG_REMOVED: Change = change(
    Class::Narrower,
    "argument-removed",
    Warning,
    Code("argument-added"),
    "an argument is gone",
    "An agent cannot send this any more. A prompt or program that does is refused.",
);

pub(in crate::diff) static ARG_RENAMED: Change = change(
    Class::WiderInput,
    "argument-renamed",
    Breaking,
    Itself,
    "an argument has another name",
    "The same value goes to the same place of the request under another name. Prompts and programs that use the old name are refused, and a rule of the policy that names it does not hold any more.",
);

pub(in crate::diff) static ARG_REQUIRED: Change = change(
    Class::Narrower,
    "argument-required",
    Warning,
    Code("argument-optional"),
    "an argument must be given now",
    "Calls without it are refused. Prompts and programs that leave it out break.",
);

pub(in crate::diff) static ARG_OPTIONAL: Change = change(
    Class::WiderInput,
    "argument-optional",
    Breaking,
    Code("argument-required"),
    "an argument may be left out now",
    "Calls without it are possible. Leaving a filter out often means all of them.",
);

pub(in crate::diff) static ARG_WIDENED: Change = change(
    Class::WiderInput,
    "argument-widened",
    Breaking,
    Code("argument-narrowed"),
    "an argument takes more values",
    "Values that were refused before would be sent: another type, more members of an enumeration, a higher limit, a pattern less. What cannot be compared counts as more.",
);

pub(in crate::diff) static ARG_NARROWED: Change = change(
    Class::Narrower,
    "argument-narrowed",
    Warning,
    Code("argument-widened"),
    "an argument takes fewer values",
    "Values that were sent before are refused. Prompts and programs that use them break.",
);

pub(in crate::diff) static ARG_PLACED: Change = change(
    Class::NewEffect,
    "argument-moved",
    Breaking,
    Itself,
    "an argument goes somewhere else",
    "The same argument would become another part of the request: another parameter, header or body member, or another way of writing a list. What it means to the service can be anything.",
);

pub(in crate::diff) static ARG_TEXT: Change = change(
    Class::Text,
    "argument-text-changed",
    Warning,
    Itself,
    "the words about an argument changed",
    "A model reads these words and follows them. Read them as you would read a prompt from a stranger.",
);
