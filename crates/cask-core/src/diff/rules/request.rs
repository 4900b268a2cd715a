//! What a call is: where it goes, and what is sent besides the arguments.

use crate::finding::Severity::{Breaking, Warning};

use super::Mirror::Itself;
use super::{Change, Class, change};

pub(in crate::diff) static TOOL_HOST: Change = change(
    Class::NewHost,
    "tool-host-changed",
    Breaking,
    Itself,
    "a tool calls another host",
    "The same tool name would send its arguments and credentials somewhere else. Nothing else about the tool needs to look different for this to matter.",
);

pub(in crate::diff) static TOOL_SCHEME: Change = change(
    Class::NewHost,
    "tool-scheme-changed",
    Breaking,
    Itself,
    "a tool calls with another scheme",
    "From `https` to `http`, arguments and credentials would travel in the clear. The other way is safer, but it is another endpoint.",
);

pub(in crate::diff) static TOOL_METHOD: Change = change(
    Class::NewEffect,
    "tool-method-changed",
    Breaking,
    Itself,
    "a tool calls with another method",
    "The method decides what a call does. A `GET` that becomes a `POST` is a different tool under an old name.",
);

pub(in crate::diff) static TOOL_PATH: Change = change(
    Class::NewEffect,
    "tool-path-changed",
    Breaking,
    Itself,
    "a tool calls another path",
    "The same tool name would reach another resource. Compare both templates and what their parameters identify.",
);

pub(in crate::diff) static PATH_PARAMETER: Change = change(
    Class::NothingNew,
    "path-parameter-renamed",
    Warning,
    Itself,
    "a parameter of the path has another name",
    "The template calls the same part of the path by another name. What is sent is the same.",
);

pub(in crate::diff) static TOOL_AUTH: Change = change(
    Class::Auth,
    "tool-auth-changed",
    Breaking,
    Itself,
    "a tool authenticates in another way",
    "The call would carry another kind of credential. Make sure that it is the one that you mean to give to this tool.",
);

pub(in crate::diff) static TOOL_FIXED: Change = change(
    Class::NewEffect,
    "tool-fixed-part-changed",
    Breaking,
    Itself,
    "a fixed part of the request changed",
    "A header, query pair or body member that is sent with every call is another one; for GraphQL this is the document itself. It decides what the call does, and no argument shows it.",
);

pub(in crate::diff) static TOOL_BODY: Change = change(
    Class::NewEffect,
    "tool-body-changed",
    Breaking,
    Itself,
    "the request body is built in another way",
    "Arguments become another body: another media type, another envelope or another member. What the service is told changes though the arguments do not.",
);
