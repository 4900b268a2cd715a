//! What an address is there for, as far as its form and the words before it say.

use super::rules::Rules;

/// How far before an address a verb is looked for, in characters.
const LOOKED: usize = 80;

/// Whether an address only says where more can be read: a named host, nothing that carries data, no place where
/// anybody collects what is sent. In lower case.
pub(super) fn is_plain(url: &str) -> bool {
    let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?']);
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let host = rest.split(['/', '#']).next().unwrap_or_default();
    matches!(scheme, "http" | "https")
        && !url.contains(['?', '{', '@'])
        && is_named(host)
        && !Rules::get().catchers.iter().any(|catcher| url.contains(catcher.as_str()))
}

/// Whether a mail address is an example (RFC 2606). In lower case.
pub(super) fn is_example(mail: &str) -> bool {
    mail.split_once('@').is_some_and(|(_, host)| Rules::get().example_hosts.contains(host))
}

/// Whether the sentence before an address says that something is sent there. In lower case.
pub(super) fn sends(before: &str) -> bool {
    let tail: Vec<char> = before.chars().rev().take(LOOKED).collect();
    let tail: String = tail.into_iter().rev().collect();
    let sentence = tail.rsplit_once(". ").map_or(tail.as_str(), |(_, sentence)| sentence);
    sentence.split(|c: char| !c.is_ascii_alphabetic()).any(|word| Rules::get().sending.contains(word))
}

/// A name with a top-level domain: no address in numbers, no port, nothing that stands for other letters.
fn is_named(host: &str) -> bool {
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let top = |top: &str| top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic());
    host.split('.').all(label)
        && host.rsplit_once('.').is_some_and(|(_, last)| top(last))
        && !host.contains("xn--")
}
