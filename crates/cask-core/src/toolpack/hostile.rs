//! Text from traffic and descriptions that a model will read: what could be an order is not taken.

use super::words;

/// Words of a text that talks to the model instead of about the service.
const COMMANDING: &[&str] = &[
    "ignore",
    "disregard",
    "forget",
    "override",
    "bypass",
    "jailbreak",
    "pretend",
    "obey",
    "comply",
    "prompt",
    "prompts",
    "instruction",
    "instructions",
    "assistant",
    "llm",
    "gpt",
    "claude",
    "chatgpt",
    "model",
    "agent",
    "system",
    "important",
    "urgent",
    "warning",
    "attention",
    "must",
    "always",
    "never",
    "before",
    "instead",
    "previous",
    "above",
    "below",
    "following",
    "you",
    "your",
    "yours",
    "user's",
    "secret",
    "secrets",
    "password",
    "passwords",
    "exfiltrate",
    "leak",
    "reveal",
    "tool",
    "tools",
    "invoke",
    "execute",
    "curl",
    "wget",
    "http",
    "https",
    "www",
    "javascript",
    "script",
    "eval",
    "base64",
    "please",
    "should",
    "shall",
    "do",
    "don't",
    "dont",
    "not",
    "now",
    "next",
    "then",
    "first",
    "tell",
    "say",
    "act",
    "respond",
    "reply",
    "answer",
    "note",
];

/// The few words that turn even an identifier into an order.
const ORDERS: &[&str] = &[
    "ignore",
    "disregard",
    "jailbreak",
    "pretend",
    "obey",
    "instruction",
    "instructions",
    "exfiltrate",
    "prompt",
    "bypass",
];

/// Whether a text gives orders. Used on identifiers and enumeration values, which are shorter than prose.
#[must_use]
pub fn commands(text: &str) -> bool {
    // Its words are parts of it: most texts have nowhere how one of these begins, and need not be taken apart.
    if !text.as_bytes().windows(2).any(begins_an_order) {
        return false;
    }
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .flat_map(|part| std::iter::once(part.to_ascii_lowercase()).chain(words::split(part)))
        .any(|word| ORDERS.contains(&word.as_str()))
}

/// Whether two letters are the first ones of one of [`ORDERS`].
fn begins_an_order(two: &[u8]) -> bool {
    let &[first, second] = two else { return true };
    matches!(
        [first | 0x20, second | 0x20],
        [b'i', b'g' | b'n']
            | [b'd', b'i']
            | [b'j', b'a']
            | [b'p', b'r']
            | [b'o', b'b']
            | [b'e', b'x']
            | [b'b', b'y']
    )
}

/// A declared text as a plain phrase without its full stop, or nothing.
fn phrase(text: &str, max: usize) -> Option<String> {
    let text = text.trim().trim_end_matches('.').trim_end();
    let plain = (3..=max).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || " ,-'()/&".contains(c))
        && !text.contains("  ")
        && !text.contains("//");
    let commanding = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '\''))
        .any(|word| COMMANDING.contains(&word.to_ascii_lowercase().as_str()));
    // a word no dictionary has the length of is payload, not prose
    let words = text.split_whitespace().all(|word| word.len() <= 32);
    (plain && words && !commanding).then(|| text.to_owned())
}

/// A declared summary as the first sentence.
#[must_use]
pub fn summary(text: &str) -> Option<String> {
    phrase(text, 120).filter(|text| text.split_whitespace().count() >= 2)
}

/// A declared description of an argument, if it is short and plain.
#[must_use]
pub fn note(text: &str) -> Option<String> {
    phrase(text, 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_order_is_overlooked() {
        for order in ORDERS {
            let shout = order.to_ascii_uppercase();
            for text in [(*order).to_owned(), format!("x_{order}_y"), format!("now{}", titled(order)), shout]
            {
                assert!(commands(&text), "{text}");
            }
        }
        for text in ["", "a", "design", "ignorance", "promptness", "exit_code", "by", "Inspector"] {
            assert!(!commands(text), "{text}");
        }
    }

    fn titled(word: &str) -> String {
        word.chars().enumerate().map(|(at, c)| if at == 0 { c.to_ascii_uppercase() } else { c }).collect()
    }
}
