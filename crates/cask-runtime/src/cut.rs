//! Shortens an answer to its limit, still a whole value.

use serde_json::Value;

/// What marks a cut string.
const CUT: &str = "… [cut by cask]";

/// Shortens a value to `limit` bytes of JSON and says whether anything was lost.
///
/// Lists lose their ends and long strings their tails first; members stay, as schemas ask for them. Only
/// if that is not enough do objects lose members, the last ones first.
#[must_use]
pub fn cut(value: &mut Value, limit: usize) -> bool {
    if fits(value, limit) {
        return false;
    }
    let mut budget = limit;
    shorten(value, &mut budget);
    if !fits(value, limit) {
        let mut budget = limit;
        if !bound(value, &mut budget) {
            *value = Value::Null;
        }
    }
    true
}

/// Whether a value is at most this long as JSON.
fn fits(value: &Value, limit: usize) -> bool {
    let mut room = limit;
    spend(value, &mut room).is_some()
}

/// Takes the length of a value from `room`; nothing if there is not enough.
fn spend(value: &Value, room: &mut usize) -> Option<()> {
    let mut take = |len: usize| {
        *room = room.checked_sub(len)?;
        Some(())
    };
    match value {
        Value::Null | Value::Bool(true) => take(4),
        Value::Bool(false) => take(5),
        Value::Number(number) => take(number.to_string().len()),
        Value::String(text) => take(quoted(text)),
        Value::Array(items) => {
            take(2 + items.len().saturating_sub(1))?;
            items.iter().try_for_each(|item| spend(item, room))
        }
        Value::Object(members) => {
            take(2 + members.len().saturating_sub(1))?;
            members.iter().try_for_each(|(key, member)| {
                *room = room.checked_sub(quoted(key) + 1)?;
                spend(member, room)
            })
        }
    }
}

/// The length of a text as a JSON string.
fn quoted(text: &str) -> usize {
    2 + text.chars().map(width).sum::<usize>()
}

/// The length of a character in a JSON string, as `serde_json` writes it.
fn width(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..'\u{20}' => 6,
        c => c.len_utf8(),
    }
}

/// Shortens lists and strings. The budget may be overrun by members, which stay.
fn shorten(value: &mut Value, budget: &mut usize) {
    match value {
        Value::String(text) => {
            if !string(text, budget) {
                CUT.clone_into(text);
                *budget = 0;
            }
        }
        Value::Array(items) => {
            *budget = budget.saturating_sub(2);
            let mut kept = 0;
            for item in items.iter_mut() {
                if *budget < 2 {
                    break;
                }
                *budget -= 1;
                shorten(item, budget);
                kept += 1;
            }
            items.truncate(kept);
        }
        Value::Object(members) => {
            *budget = budget.saturating_sub(2);
            for (key, member) in members.iter_mut() {
                *budget = budget.saturating_sub(quoted(key) + 2);
                shorten(member, budget);
            }
        }
        leaf => *budget = budget.saturating_sub(leaf.to_string().len()),
    }
}

/// Drops whatever does not fit, members too. Says whether anything of the value is left.
fn bound(value: &mut Value, budget: &mut usize) -> bool {
    match value {
        Value::String(text) => string(text, budget),
        Value::Array(items) => {
            let Some(rest) = budget.checked_sub(2) else { return false };
            *budget = rest;
            let mut kept = 0;
            for item in items.iter_mut() {
                let Some(rest) = budget.checked_sub(1) else { break };
                *budget = rest;
                if !bound(item, budget) {
                    break;
                }
                kept += 1;
            }
            items.truncate(kept);
            true
        }
        Value::Object(members) => {
            let Some(rest) = budget.checked_sub(2) else { return false };
            *budget = rest;
            for (key, mut member) in std::mem::take(members) {
                let Some(rest) = budget.checked_sub(quoted(&key) + 2) else { break };
                *budget = rest;
                if !bound(&mut member, budget) {
                    break;
                }
                members.insert(key, member);
            }
            true
        }
        leaf => {
            let Some(rest) = budget.checked_sub(leaf.to_string().len()) else { return false };
            *budget = rest;
            true
        }
    }
}

/// Cuts a string to the budget; says whether at least the mark fits.
fn string(text: &mut String, budget: &mut usize) -> bool {
    let len = quoted(text);
    if let Some(rest) = budget.checked_sub(len) {
        *budget = rest;
        return true;
    }
    let Some(mut room) = budget.checked_sub(quoted(CUT)) else { return false };
    let mut end = 0;
    for c in text.chars() {
        let Some(rest) = room.checked_sub(width(c)) else { break };
        room = rest;
        end += c.len_utf8();
    }
    text.truncate(end);
    text.push_str(CUT);
    *budget = 0;
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cut_value_is_whole_json_within_its_limit() {
        let mut small = json!({"a": [1, 2, {"b": "c"}]});
        let before = small.clone();
        assert!(!cut(&mut small, 1000));
        assert_eq!(small, before);
        let mut large = json!({"items": (0..10_000).map(|n| json!({"id": n, "name": "näme"})).collect::<Vec<_>>(), "next": "x"});
        assert!(cut(&mut large, 4096));
        assert!(large.to_string().len() < 5000);
        assert!(large["items"].as_array().unwrap().len() > 50);
        assert_eq!(large["items"][0], json!({"id": 0, "name": "näme"}));
        assert!(large.get("next").is_some());
        let mut text = json!("ä".repeat(5000));
        assert!(cut(&mut text, 1001));
        assert!(text.as_str().unwrap().ends_with(CUT) && text.as_str().unwrap().len() <= 1001);
    }

    #[test]
    fn objects_respect_the_limit_too() {
        let many: Value =
            (0..60_000).map(|n| (format!("k{n:06}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
        let deep = json!({"a": {"b": many.clone()}, "list": [many.clone(), many.clone()]});
        let escapes = json!({"a": "\u{1}\"\n".repeat(20_000), "b": ["\u{1}".repeat(9000)]});
        let empty = json!((0..60_000).map(|_| json!({})).collect::<Vec<_>>());
        for value in [many, deep, escapes, empty] {
            for limit in [2, 30, 100, 4096, 65536] {
                let mut short = value.clone();
                assert!(cut(&mut short, limit));
                let len = short.to_string().len();
                assert!(len <= limit.max(4), "{len} > {limit}");
                assert!(limit < 4096 || len > limit / 4, "{len} of {limit}");
            }
            let exact = value.to_string().len();
            assert!(!cut(&mut value.clone(), exact));
        }
    }
}
