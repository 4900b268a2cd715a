//! What a tool says, and what stands in it that may be there to steer.

use crate::finding::Severity::{Breaking, Warning};
use crate::toolpack::cues::Kind;

use super::Mirror::{Itself, Waived};
use super::{Change, Class, Mirror, change};

pub(in crate::diff) static TITLE: Change = change(
    Class::Text,
    "tool-title-changed",
    Warning,
    Itself,
    "another title",
    "People see it when they are asked to confirm a call. A title that says something else than the tool does is how they are fooled.",
);

pub(in crate::diff) static DESCRIPTION: Change = change(
    Class::Text,
    "tool-description-changed",
    Warning,
    Itself,
    "another description",
    "A model reads the description and follows it: text that nobody reviewed is a prompt injection waiting to happen. Read it for instructions, names of other tools and requests for data.",
);

const GONE: Mirror =
    Waived("a cue that is gone steers nobody; that the text changed is reported by the rule of its place");

/// A cue that came in.
const fn cue(code: &'static str, title: &'static str, explain: &'static str) -> Change {
    change(Class::Injection, code, Breaking, GONE, title, explain)
}

pub(in crate::diff) static TEXT_INSTRUCTION: Change = cue(
    "text-instruction",
    "words that tell the model what to do",
    "The description of a tool says what the tool does. Words that speak to the model (ignore, you must, always call, the system prompt) are how a poisoned tool takes over a conversation, whether or not it is ever called. Take them out, or do not approve the tool.",
);

pub(in crate::diff) static TEXT_CONCEALMENT: Change = cue(
    "text-concealment",
    "words that ask to keep something from a person",
    "No tool needs an agent to hide a call, to skip a confirmation or not to mention a step. Words that ask for it are there against whoever uses the agent.",
);

pub(in crate::diff) static TEXT_OTHER_TOOL: Change = cue(
    "text-other-tool",
    "words about other tools",
    "A tool that says when other tools are to be called, or that they are not to be trusted, changes what an agent does with tools that were reviewed by themselves. Read what it wants of them.",
);

pub(in crate::diff) static TEXT_MARKUP: Change = cue(
    "text-markup",
    "text written like a part of the conversation, or to be hidden when shown",
    "Tags and headings such as `<system>` make text look to a model as if it came from its operator; comments and elements of HTML are not shown where people read. Neither belongs into what a tool says about itself.",
);

pub(in crate::diff) static TEXT_PRESSURE: Change = cue(
    "text-pressure",
    "words that press",
    "Urgency, threats and claims of precedence make a model put a text above what it was told before. What a tool does needs none of them.",
);

pub(in crate::diff) static TEXT_CREDENTIAL: Change = cue(
    "text-credential-request",
    "words that ask for a credential, or name a file that holds one",
    "The gateway adds credentials to a call by reference; an agent never needs to find, read or paste one. Words that ask for keys, passwords or files such as `~/.ssh` are how they are stolen.",
);

pub(in crate::diff) static TEXT_DESTINATION: Change = cue(
    "text-destination",
    "an address that something could be sent to, or that loads something",
    "An address with parameters, in numbers, of a mailbox or of an image can carry what a model knows to somebody else, sometimes by being shown only. A tool calls the host in its binding and needs no other.",
);

pub(in crate::diff) static TEXT_ENCODED: Change = cue(
    "text-encoded",
    "text that is encoded",
    "A model can read base64 and escapes that a reviewer skips. Decode it before anything else; what cannot be read cannot be approved.",
);

pub(in crate::diff) static TEXT_HIDDEN: Change = cue(
    "text-hidden",
    "characters that are not seen",
    "Characters without a form, tags, and marks that change the direction of text reach the model and not the eye. They can spell whole sentences. Nothing in the description of a tool needs them.",
);

pub(in crate::diff) static TEXT_CONFUSABLE: Change = cue(
    "text-confusable",
    "letters that look like other letters",
    "A word mixes Latin letters with look-alikes of another alphabet or style (UTS 39). It is not the word that it seems to be: a name, an address or an order that a search would not find.",
);

pub(in crate::diff) static TEXT_LINK: Change = change(
    Class::Text,
    "text-link",
    Warning,
    GONE,
    "an address to read at",
    "The text points to a page. An agent that can open pages may do so and follow what stands there, which can change after the approval. See where it leads.",
);

/// The rule for a cue.
pub(in crate::diff) fn cue_rule(kind: Kind) -> &'static Change {
    match kind {
        Kind::Instruction => &TEXT_INSTRUCTION,
        Kind::Concealment => &TEXT_CONCEALMENT,
        Kind::OtherTool => &TEXT_OTHER_TOOL,
        Kind::Markup => &TEXT_MARKUP,
        Kind::Pressure => &TEXT_PRESSURE,
        Kind::Credential => &TEXT_CREDENTIAL,
        Kind::Link => &TEXT_LINK,
        Kind::Destination => &TEXT_DESTINATION,
        Kind::Encoded => &TEXT_ENCODED,
        Kind::Hidden => &TEXT_HIDDEN,
        Kind::Confusable => &TEXT_CONFUSABLE,
    }
}
