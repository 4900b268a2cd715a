//! Names that are one to the eye, or nearly: found by what is left of them, never by comparing all with all.

use std::collections::{BTreeMap, BTreeSet};

use crate::endpoint::effect::singular;

/// Shorter names are often one letter apart.
const SHORTEST: usize = 6;

/// With how many of those that share a form with it a name is compared.
const WINDOW: usize = 8;

/// More pairs than this say nothing new.
const PAIRS: usize = 500;

/// Names that only case, separators or look-alike letters tell apart.
pub(super) fn same<'n>(names: &[&'n str]) -> Vec<Vec<&'n str>> {
    let (mut folded, mut drawn): (Groups<'n>, Groups<'n>) = Default::default();
    for &name in names {
        folded.entry(fold(name)).or_default().insert(name);
        drawn.entry(skeleton(name)).or_default().insert(name);
    }
    let groups: BTreeSet<BTreeSet<&str>> =
        folded.into_values().chain(drawn.into_values()).filter(|group| group.len() > 1).collect();
    // what is a part of another group is said there
    let whole = |group: &&BTreeSet<&'n str>| {
        !groups.iter().any(|other| other.len() > group.len() && group.is_subset(other))
    };
    groups.iter().filter(whole).map(|group| group.iter().copied().collect()).collect()
}

type Groups<'n> = BTreeMap<String, BTreeSet<&'n str>>;

/// Pairs of names that one letter tells apart, and how many comparisons it took.
///
/// Two such names have the same form once one letter is left out of one or both of them.
pub(super) fn near<'n>(names: &[&'n str]) -> (Vec<(&'n str, &'n str)>, usize) {
    let forms: Vec<(&'n str, Vec<u8>)> = names
        .iter()
        .map(|name| (*name, fold(name).into_bytes()))
        .filter(|(_, form)| form.len() >= SHORTEST)
        .collect();
    let mut entries: Vec<(u64, usize)> = Vec::new();
    for (index, (_, form)) in forms.iter().enumerate() {
        entries.push((hash(form, form.len()), index));
        entries.extend((0..form.len()).map(|gap| (hash(form, gap), index)));
    }
    entries.sort_unstable();
    entries.dedup();
    let (mut pairs, mut compared) = (BTreeSet::new(), 0);
    for group in entries.chunk_by(|one, other| one.0 == other.0) {
        for (at, (_, one)) in group.iter().enumerate() {
            for (_, other) in group.iter().skip(at + 1).take(WINDOW) {
                compared += 1;
                if let (Some(one), Some(other)) = (forms.get(*one), forms.get(*other))
                    && pairs.len() < PAIRS
                    && is_slip(&one.1, &other.1)
                    && !is_meant(one.0, other.0)
                {
                    pairs.insert((one.0.min(other.0), one.0.max(other.0)));
                }
            }
        }
    }
    (pairs.into_iter().collect(), compared)
}

/// Letters and digits in lower case.
fn fold(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// As [`fold`], with letters that look alike as one.
fn skeleton(name: &str) -> String {
    let alike = |c: char| match c {
        '0' | 'O' => 'o',
        '1' | 'I' => 'l',
        c => c,
    };
    let name: String = name.chars().map(alike).collect();
    fold(&name).replace("rn", "m").replace("vv", "w")
}

/// FNV-1a of a form without the byte at the gap: equal forms have equal hashes, and those that only share one are
/// compared.
fn hash(form: &[u8], gap: usize) -> u64 {
    let kept = form.iter().enumerate().filter(|(at, _)| *at != gap);
    kept.fold(0xcbf2_9ce4_8422_2325, |hash: u64, (_, byte)| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Whether one letter, and no digit, was changed, added or left out: digits count things.
fn is_slip(one: &[u8], other: &[u8]) -> bool {
    let start = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (one.get(start..).unwrap_or_default(), other.get(start..).unwrap_or_default());
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let changed = |rest: &[u8]| rest.len().saturating_sub(end);
    let letters = |rest: &[u8]| rest.iter().take(changed(rest)).all(|byte| !byte.is_ascii_digit());
    let most = changed(one).max(changed(other));
    most == 1 && letters(one) && letters(other)
}

/// Whether the difference has a meaning: one and many, `get` and `set`, a lone letter that counts.
fn is_meant(one: &str, other: &str) -> bool {
    let words = |name: &str| -> Vec<String> {
        name.split(|c: char| !c.is_alphanumeric())
            .map(|word| singular(&word.to_lowercase()).to_owned())
            .collect()
    };
    let (one, other) = (words(one), words(other));
    let pair = |a: &str, b: &str| matches!((a, b), ("get", "set") | ("set", "get"));
    let lone = |a: &str, b: &str| a.chars().count() <= 1 && b.chars().count() <= 1;
    one.len() == other.len() && one.iter().zip(&other).all(|(a, b)| a == b || pair(a, b) || lone(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_separators_and_look_alikes_are_one() {
        let names =
            ["get_user", "getUser", "get-user", "list_items", "list_iterns", "pay_10", "pay_lO", "pay"];
        let found = same(&names);
        assert_eq!(
            found,
            [
                vec!["get-user", "getUser", "get_user"],
                vec!["list_items", "list_iterns"],
                vec!["pay_10", "pay_lO"]
            ]
        );
        assert!(same(&["get_user", "get_users", "set_user"]).is_empty());
    }

    #[test]
    fn one_letter_apart_unless_it_is_meant() {
        let slips = |one, other| near(&[one, other]).0.len();
        for (one, other) in
            [("get_invoice", "get_invoce"), ("send_report", "sent_report"), ("list_orders", "list_borders")]
        {
            assert_eq!(slips(one, other), 1, "{one} {other}");
        }
        for (one, other) in [
            ("get_user", "get_users"),
            ("get_status", "set_status"),
            ("step_one_1", "step_one_2"),
            ("option_a", "option_b"),
            ("cat", "car"),
            ("get_invoice", "pay_invoice"),
        ] {
            assert_eq!(slips(one, other), 0, "{one} {other}");
        }
    }

    #[test]
    fn the_work_grows_with_the_names() {
        let letters = |mut number: usize| {
            let mut out = String::new();
            for _ in 0..4 {
                out.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
                number /= 26;
            }
            out
        };
        let names: Vec<String> = (0..10_000).map(|at| format!("read_{}_entry", letters(at * 7))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (pairs, compared) = near(&names);
        assert!(!pairs.is_empty() && pairs.len() <= PAIRS);
        let entries: usize = names.iter().map(|name| name.len() + 1).sum();
        assert!(compared <= entries * WINDOW, "{compared} comparisons of {entries} forms");
        assert!(same(&names).is_empty());
    }
}
