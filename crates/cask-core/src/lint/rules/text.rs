//! What an agent reads: titles, descriptions, the names and texts in schemas, and the names of toolsets.

use super::{Check, row};
use crate::finding::Severity::{Breaking, Warning};
use crate::lint::view::{Hit, View};
use crate::toolpack::cues::Kind;

const AREA: &str = "What an agent reads";

pub(super) static RULES: &[Check] = &[
    row(
        AREA,
        "agent-text-hidden",
        Breaking,
        "characters that are not seen",
        "Characters without a form, tags, and marks that change the direction of text reach the model and not the eye of whoever reviews. They can spell whole sentences. Nothing that a tool says about itself needs them: take them out.",
        |view| cues(view, |kind| kind == Kind::Hidden, "has characters that are not seen"),
    ),
    row(
        AREA,
        "agent-text-lookalike",
        Breaking,
        "letters that look like other letters",
        "A word mixes Latin letters with look-alikes of another alphabet or style (UTS 39). It is not the word that it seems to be: a name, an address or an order that a search would not find.",
        |view| cues(view, |kind| kind == Kind::Confusable, "has letters that look like others"),
    ),
    row(
        AREA,
        "agent-text-steers",
        Breaking,
        "words that may be there to steer the model",
        "A description says what a tool does. Words that tell the model what to do, that ask to keep something from a person, that speak of other tools, that look like a part of the conversation, that press, or that ask for credentials take over a conversation whether or not the tool is called. Take them out, or waive this if a reader agrees that they are harmless.",
        |view| cues(view, steers, "says what could steer a model"),
    ),
    row(
        AREA,
        "agent-text-sends",
        Breaking,
        "an address that something could be sent to, or that loads something",
        "An address with parameters, in numbers, of a mailbox or of an image can carry what a model knows to somebody else, sometimes by being shown only. A tool calls the host in its binding and needs no other address in its text.",
        |view| cues(view, |kind| kind == Kind::Destination, "has an address that data could go to"),
    ),
    row(
        AREA,
        "agent-text-encoded",
        Breaking,
        "text that is encoded",
        "A model reads base64 and escapes that a reviewer skips. What cannot be read cannot be approved: decode it, and take it out or write it in words.",
        |view| cues(view, |kind| kind == Kind::Encoded, "has text that is encoded"),
    ),
    row(
        AREA,
        "agent-text-link",
        Warning,
        "an address to read at",
        "The text points to a page. An agent that can open pages may do so and follow what stands there, which can change after the approval. See where it leads, or take it out.",
        |view| cues(view, |kind| kind == Kind::Link, "points to a page"),
    ),
];

/// Whatever is none of the others: what is added to the cues is not overlooked here.
fn steers(kind: Kind) -> bool {
    !matches!(kind, Kind::Hidden | Kind::Confusable | Kind::Destination | Kind::Encoded | Kind::Link)
}

fn cues(view: &View<'_>, of: fn(Kind) -> bool, what: &str) -> Vec<Hit> {
    let seen = view.seen.iter().filter(|seen| of(seen.cue.kind));
    seen.map(|seen| {
        let message = format!("`{}` {what}: `{}`", seen.subject, seen.cue.text);
        Hit::new(seen.subject.clone(), message).pointer(seen.pointer.clone())
    })
    .collect()
}
