//! Names for learned path parameters: what they identify, in the API's own words.

use super::look::{Look, look};
use super::{Part, decode};

/// The name of the parameter at `at`, given the names taken by those before it.
pub fn name(parts: &[Part], at: usize, look: Look, taken: &[String]) -> String {
    let before = parts.get(..at).unwrap_or_default();
    let noun = before.iter().rev().find_map(|part| match part {
        Part::Literal(text) => noun(text),
        Part::Param { .. } => None,
    });
    let noun = noun.unwrap_or_else(|| "item".to_owned());
    let base = match look {
        Look::Date => format!("{noun}_date"),
        Look::Email => format!("{noun}_email"),
        Look::List => format!("{noun}_ids"),
        Look::Version => "version".to_owned(),
        Look::Word | Look::Code | Look::Slug | Look::Keyword => format!("{noun}_name"),
        Look::Redacted | Look::Uuid | Look::Hex | Look::Int | Look::Random | Look::Address => {
            format!("{noun}_id")
        }
    };
    if !taken.contains(&base) {
        return base;
    }
    // Two values in a row below one collection: the outer one owns the inner one.
    let mut n = 2;
    loop {
        let name = format!("{base}_{n}");
        if !taken.contains(&name) {
            return name;
        }
        n += 1;
    }
}

/// The look that most values share; ties go to the plainer one.
pub fn common_look<'a>(values: impl Iterator<Item = &'a str>) -> Look {
    let mut counts = std::collections::BTreeMap::<Look, usize>::new();
    for value in values {
        *counts.entry(look(value)).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, n)| *n).map_or(Look::Slug, |(look, _)| look)
}

/// The literal as a singular noun in snake case, if it is one (a version is not).
fn noun(text: &str) -> Option<String> {
    if matches!(look(text), Look::Version | Look::Int | Look::Keyword) {
        return None;
    }
    let text = decode(text);
    let stem = text.split(['.', ':']).next().unwrap_or(&text);
    let mut out = String::new();
    for c in stem.chars().take(40) {
        if c.is_ascii_uppercase()
            && out.ends_with(|last: char| last.is_ascii_lowercase() || last.is_ascii_digit())
        {
            out.push('_');
        }
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => out.push(c),
            _ if !out.ends_with('_') && !out.is_empty() => out.push('_'),
            _ => {}
        }
    }
    let out = singular(out.trim_matches('_'));
    (!out.is_empty() && !out.starts_with(|c: char| c.is_ascii_digit())).then_some(out)
}

/// An English noun without its plural ending.
fn singular(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for end in ["sses", "shes", "ches", "xes", "zes"] {
        if word.ends_with(end) {
            return word.strip_suffix("es").unwrap_or(word).to_owned();
        }
    }
    let kept = ["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    if kept { word.to_owned() } else { word.strip_suffix('s').unwrap_or(word).to_owned() }
}
