//! Words out of identifiers. The only way by which text from traffic reaches a name or a description:
//! ASCII letters and digits, a few short words at a time, nothing that could carry a sentence.

/// The longest identifier that is taken for one; slugs and sentences are longer.
const MAX_WORDS: usize = 6;
const MAX_WORD: usize = 32;

/// The lower-case words of `userIds`, `user_ids`, `user-ids` or `UserIDs`; empty if this is no identifier.
#[must_use]
pub fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        if !c.is_ascii_alphanumeric() {
            if !matches!(c, '_' | '-' | '.' | '$' | '@' | '~' | '+' | '[' | ']' | ' ') {
                return Vec::new();
            }
            flush(&mut words, &mut word);
        } else {
            let next_lower = chars.peek().is_some_and(char::is_ascii_lowercase);
            let hump = c.is_ascii_uppercase()
                && (before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && next_lower && !plural_of_acronym(&chars)));
            if hump {
                flush(&mut words, &mut word);
            }
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    flush(&mut words, &mut word);
    if words.len() > MAX_WORDS || words.iter().any(|word| word.len() > MAX_WORD) { Vec::new() } else { words }
}

fn flush(words: &mut Vec<String>, word: &mut String) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

/// `IDs` is one word: a lone lower-case `s` after capitals.
fn plural_of_acronym(rest: &std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let mut rest = rest.clone();
    rest.next() == Some('s') && rest.next().is_none_or(|c| !c.is_ascii_lowercase())
}

/// Plural forms that no rule covers.
const IRREGULAR: [(&str, &str); 16] = [
    ("people", "person"),
    ("children", "child"),
    ("men", "man"),
    ("women", "woman"),
    ("indices", "index"),
    ("vertices", "vertex"),
    ("matrices", "matrix"),
    ("analyses", "analysis"),
    ("diagnoses", "diagnosis"),
    ("aliases", "alias"),
    ("movies", "movie"),
    ("cookies", "cookie"),
    ("lies", "lie"),
    ("criteria", "criterion"),
    ("statuses", "status"),
    ("caches", "cache"),
];

/// Words that end like a plural and are none (or are their own).
const SAME: [&str; 33] = [
    "series",
    "species",
    "news",
    "status",
    "metadata",
    "analytics",
    "kubernetes",
    "sms",
    "dns",
    "aws",
    "tls",
    "https",
    "ios",
    "os",
    "gps",
    "rss",
    "ssl",
    "cors",
    "bus",
    "gas",
    "access",
    "settings",
    "always",
    "css",
    "js",
    "has",
    "was",
    "is",
    "as",
    "us",
    "this",
    "ops",
    "address",
];

/// The singular of one lower-case word; a word that is no plural stays as it is.
#[must_use]
pub fn singular(word: &str) -> String {
    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| *many == word) {
        return (*one).to_owned();
    }
    if SAME.contains(&word) || word.len() < 3 {
        return word.to_owned();
    }
    let cut = |end: &str, put: &str| word.strip_suffix(end).map(|stem| format!("{stem}{put}"));
    let drop_es = ["sses", "shes", "ches", "xes", "zzes"].iter().any(|end| word.ends_with(end))
        || (word.ends_with("uses") && !word.ends_with("ouses") && !word.ends_with("auses") && word.len() > 5);
    let shape = if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        None
    } else if word.ends_with("ies") && word.len() > 4 {
        cut("ies", "y")
    } else if drop_es {
        cut("es", "")
    } else {
        cut("s", "")
    };
    shape.unwrap_or_else(|| word.to_owned())
}

/// Whether a word is a plural by the rules of [`singular`].
#[must_use]
pub fn is_plural(word: &str) -> bool {
    matches!(word, "settings" | "data" | "news" | "media" | "analytics") || singular(word) != word
}

/// The plural of an English noun, so that [`singular`] gives the noun again; what is plural already stays.
#[must_use]
pub fn plural(word: &str) -> String {
    if let Some((many, _)) = IRREGULAR.iter().find(|(_, one)| *one == word) {
        return (*many).to_owned();
    }
    if is_plural(word) || SAME.contains(&word) && !word.ends_with("ss") {
        return word.to_owned();
    }
    match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end)) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

/// The words with the last one in the singular.
#[must_use]
pub fn singular_last(words: &[String]) -> Vec<String> {
    let mut words = words.to_vec();
    if let Some(last) = words.last_mut() {
        *last = singular(last);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_split_into_words() {
        for (text, words) in [
            ("userIds", "user ids"),
            ("UserIDs", "user ids"),
            ("HTTPServer", "http server"),
            ("set-labels", "set labels"),
            ("oauth2Token", "oauth2 token"),
            ("filter[name]", "filter name"),
        ] {
            assert_eq!(split(text).join(" "), words, "{text}");
        }
        for hostile in ["ignore%20all", "a<b", "né", "one-two-three-four-five-six-seven"] {
            assert!(split(hostile).is_empty(), "{hostile}");
        }
    }

    #[test]
    fn plural_and_back() {
        for (one, many) in [
            ("field", "fields"),
            ("company", "companies"),
            ("key", "keys"),
            ("box", "boxes"),
            ("person", "people"),
            ("status", "statuses"),
            ("address", "addresses"),
            ("data", "data"),
            ("users", "users"),
        ] {
            assert_eq!(plural(one), many);
            assert!(one == many || singular(many) == one || one == "users", "{one}");
        }
    }

    #[test]
    fn singular_of_the_words_apis_use() {
        for (many, one) in [
            ("users", "user"),
            ("companies", "company"),
            ("addresses", "address"),
            ("statuses", "status"),
            ("status", "status"),
            ("databases", "database"),
            ("warehouses", "warehouse"),
            ("boxes", "box"),
            ("branches", "branch"),
            ("series", "series"),
            ("analysis", "analysis"),
            ("people", "person"),
            ("kubernetes", "kubernetes"),
            ("ids", "id"),
            ("releases", "release"),
            ("caches", "cache"),
            ("bonuses", "bonus"),
        ] {
            assert_eq!(singular(many), one, "{many}");
        }
    }
}
