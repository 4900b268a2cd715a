//! What comes back.

use crate::finding::Severity::{Breaking, Warning};

use super::Mirror::{Code, Itself, Waived};
use super::{Change, Class, change};

pub(in crate::diff) static OUTPUT_ADDED: Change = change(
    Class::MoreDataOut,
    "output-field-added",
    Warning,
    Code("output-field-removed"),
    "a new field in the result",
    "An agent is told of a field that it did not know of, and can use it. Look whether it may see what is in it.",
);

pub(in crate::diff) static OUTPUT_CREDENTIAL: Change = change(
    Class::MoreDataOut,
    "output-credential-added",
    Breaking,
    Waived("a field that is gone shows nothing any more, whatever it was called: `output-field-removed`"),
    "a new field in the result that is named like a credential",
    "What a model reads may end in its answers, in logs and in other tools. The gateway redacts what it recognises under such a name, but a result that has it is seldom needed: see whether the tool can do without.",
);

pub(in crate::diff) static OUTPUT_REMOVED: Change = change(
    Class::Narrower,
    "output-field-removed",
    Warning,
    Code("output-field-added"),
    "a field of the result is gone",
    "An agent is no longer told of it. Prompts and programs that read it may break.",
);

pub(in crate::diff) static OUTPUT_OPTIONAL: Change = change(
    Class::MoreDataOut,
    "output-field-optional",
    Warning,
    Code("output-field-required"),
    "a field of the result may be missing now",
    "Answers without it were refused and are passed on now. A check less stands between the service and the agent.",
);

pub(in crate::diff) static OUTPUT_REQUIRED: Change = change(
    Class::Narrower,
    "output-field-required",
    Warning,
    Code("output-field-optional"),
    "a field of the result must be there now",
    "Answers without it are refused. Make sure that the service always sends it.",
);

pub(in crate::diff) static OUTPUT_WIDENED: Change = change(
    Class::MoreDataOut,
    "output-widened",
    Warning,
    Code("output-narrowed"),
    "a part of the result may hold more",
    "Answers that were refused are passed on now: another type, more members of an enumeration, a higher limit, members that are not named.",
);

pub(in crate::diff) static OUTPUT_NARROWED: Change = change(
    Class::Narrower,
    "output-narrowed",
    Warning,
    Code("output-widened"),
    "a part of the result may hold less",
    "Answers that were passed on are refused now. Make sure that the service does not send them.",
);

pub(in crate::diff) static OUTPUT: Change = change(
    Class::MoreDataOut,
    "output-schema-changed",
    Warning,
    Itself,
    "a part of the result is described in another way",
    "An agent is told to expect something else, and answers are checked against something else. Neither allows all that the other does, or they cannot be compared: look at both.",
);

pub(in crate::diff) static OUTPUT_TEXT: Change = change(
    Class::Text,
    "output-text-changed",
    Warning,
    Itself,
    "the words about the result changed",
    "A model reads these words and follows them. Read them as you would read a prompt from a stranger.",
);

pub(in crate::diff) static OUTPUT_SCHEMA_ADDED: Change = change(
    Class::Narrower,
    "output-schema-added",
    Warning,
    Code("output-schema-removed"),
    "the result has a schema now",
    "Answers that do not fit are refused, and an agent is told what to expect. Read the names and words in it.",
);

pub(in crate::diff) static OUTPUT_SCHEMA_REMOVED: Change = change(
    Class::MoreDataOut,
    "output-schema-removed",
    Warning,
    Code("output-schema-added"),
    "the result has no schema any more",
    "Answers are not checked against anything: whatever the service sends is passed on, after redaction.",
);

pub(in crate::diff) static TOOL_WRAP: Change = change(
    Class::MoreDataOut,
    "tool-result-changed",
    Warning,
    Code("tool-result-unwrapped"),
    "the result is wrapped",
    "The answer may be of any type now and is given as `{\"result\": …}`, so an agent reads it at another place.",
);

pub(in crate::diff) static TOOL_UNWRAP: Change = change(
    Class::Narrower,
    "tool-result-unwrapped",
    Warning,
    Code("tool-result-changed"),
    "the result is not wrapped any more",
    "The answer has to be an object and is given as it is, so an agent reads it at another place.",
);

pub(in crate::diff) static TOOL_ACCEPT: Change = change(
    Class::MoreDataOut,
    "tool-accept-changed",
    Warning,
    Code("tool-accept-narrowed"),
    "more media types are accepted as an answer",
    "Answers that were refused before may reach the agent.",
);

pub(in crate::diff) static TOOL_ACCEPT_LESS: Change = change(
    Class::Narrower,
    "tool-accept-narrowed",
    Warning,
    Code("tool-accept-changed"),
    "fewer media types are accepted as an answer",
    "Answers that were passed on before are refused.",
);
