//! From counted observations to a [`Schema`].

use std::collections::BTreeMap;

use serde_json::Value;

use super::learn::look::{Look, look};
use super::observed::{Observed, Strings};
use super::schema::{Property, Schema, TypeSet};

/// Fewest strings before a small set of them may be called an enumeration.
const ENUM_MIN_SEEN: u32 = 8;
/// Most members of an enumeration.
const ENUM_MAX: usize = 12;

/// The schema of a position, given the name of the member that holds it (empty at the root).
#[must_use]
pub fn schema(seen: &Observed, name: &str) -> Schema {
    let mut out = Schema {
        types: types(seen),
        seen: u64::from(seen.total()),
        nulls: u64::from(seen.null),
        sent: seen.sent.clone(),
        ..Schema::default()
    };
    if let Some(strings) = &seen.strings {
        // Text that only sometimes reads as a number (in a query, a form) is text.
        (out.values, out.counts) = members(strings, seen, name);
        out.format = format(strings, seen.string, name);
        if let Some((kind, _)) = strings.redacted.iter().max_by_key(|(_, n)| **n) {
            out.redacted = Some(kind.to_string());
        }
    }
    out.identifier = is_identifier(seen, name);
    if seen.array > 0 {
        out.items =
            Some(Box::new(seen.items.as_deref().map_or_else(Schema::default, |items| schema(items, name))));
    }
    if seen.object > 0 {
        object(seen, &mut out);
    }
    out
}

/// As [`schema`], for values that travelled as text: mixed scalar types are one string type.
#[must_use]
pub fn text_schema(seen: &Observed, name: &str) -> Schema {
    let mut out = schema(seen, name);
    out.types = if seen.string > 0 {
        TypeSet::STRING
    } else if seen.boolean > 0 && seen.integer + seen.float > 0 {
        out.format = None;
        TypeSet::STRING
    } else if seen.float > 0 {
        TypeSet::NUMBER
    } else {
        out.types
    };
    if !out.types.has(TypeSet::STRING) {
        out.values.clear();
        out.counts.clear();
    }
    out
}

fn types(seen: &Observed) -> TypeSet {
    [
        (seen.null, TypeSet::NULL),
        (seen.boolean, TypeSet::BOOLEAN),
        (seen.integer, TypeSet::INTEGER),
        (seen.float, TypeSet::NUMBER),
        (seen.string, TypeSet::STRING),
        (seen.array, TypeSet::ARRAY),
        (seen.object, TypeSet::OBJECT),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .fold(TypeSet::NONE, |set, (_, one)| set.with(one))
}

fn object(seen: &Observed, out: &mut Schema) {
    if let Some(all) = &seen.any_field {
        out.additional = Some(Box::new(schema(all, "")));
        return;
    }
    if is_map(seen) {
        let mut all = Observed::default();
        for field in seen.fields.values() {
            all.merge(field.clone());
        }
        out.additional = Some(Box::new(schema(&all, "")));
        return;
    }
    out.properties = seen
        .fields
        .iter()
        .map(|(name, field)| {
            let property = Property {
                required: field.total() >= seen.object,
                seen: u64::from(field.total()),
                of: u64::from(seen.object),
                schema: Box::new(schema(field, name)),
            };
            (name.to_string(), property)
        })
        .collect::<BTreeMap<_, _>>();
}

/// Whether the members are entries of a map (their names are data) and not fields of a record.
fn is_map(seen: &Observed) -> bool {
    let names = seen.fields.len();
    if names == 0 {
        return false;
    }
    // at least four of five; most records are told by their first names
    let mut fields = 0;
    for name in seen.fields.keys() {
        fields += usize::from(!is_data(name));
        if fields * 10 > names * 2 {
            return false;
        }
    }
    let values = seen.fields.keys().filter(|name| look(name).is_value()).count();
    // A record repeats its fields; entries of a map come and go.
    let always = seen.fields.values().filter(|field| field.total() >= seen.object).count();
    let present: u64 = seen.fields.values().map(|field| u64::from(field.total())).sum();
    let usual = present * 100 >= names as u64 * u64::from(seen.object) * 35;
    if seen.object >= 3 && (always * 2 >= names || usual) {
        return false;
    }
    let kinds =
        seen.fields.values().fold(TypeSet::NONE, |set, field| set.with(types(field)).without(TypeSet::NULL));
    let scalar_kinds = kinds.names().count();
    values * 2 >= names || scalar_kinds <= 2
}

/// Whether a member name looks like data: no programmer names a field like that.
fn is_data(name: &str) -> bool {
    // `48x48`: sizes are a fixed vocabulary.
    if name.starts_with(|c: char| c.is_ascii_digit() || c == '+')
        && name.split_once('x').is_some_and(|(w, h)| [w, h].iter().all(|side| side.parse::<u16>().is_ok()))
    {
        return false;
    }
    match look(name) {
        Look::Word | Look::Code | Look::Keyword | Look::Version => false,
        Look::Slug => {
            name.contains(['-', ' ', '/', ':', '%'])
                || name.starts_with(|c: char| c.is_ascii_digit()) && name.len() > 2
        }
        _ => true,
    }
}

fn format(strings: &Strings, total: u32, name: &str) -> Option<String> {
    let spoken = total.checked_sub(strings.empty)?;
    if spoken == 0 || total == 0 {
        return None;
    }
    // Placeholders of unknown content neither prove nor disprove a format.
    let hidden: u32 =
        strings.redacted.iter().filter(|(kind, _)| kind.as_ref() != "email").map(|(_, n)| *n).sum();
    let (format, n) = strings.formats.iter().max_by_key(|(_, n)| **n)?;
    if n + hidden < spoken || *n == 0 {
        return None;
    }
    Some(match format {
        super::format::Format::Int64 if named_like_id(name) => "uint64".to_owned(),
        other => other.name().to_owned(),
    })
}

/// The members of an enumeration, if the strings are one.
fn members(strings: &Strings, seen: &Observed, name: &str) -> (Vec<Value>, Vec<u64>) {
    let distinct = strings.values.len();
    let total = seen.string;
    if strings.open
        || distinct == 0
        || distinct > ENUM_MAX
        || total < ENUM_MIN_SEEN
        || seen.integer + seen.float > 0
    {
        return (Vec::new(), Vec::new());
    }
    let often = total as usize >= distinct * 4;
    let wordy = strings.values.keys().all(|value| is_enum_word(value));
    if !often || !wordy || holds_names(name) {
        return (Vec::new(), Vec::new());
    }
    strings.values.iter().map(|(value, n)| (Value::String(value.to_string()), u64::from(*n))).unzip()
}

/// Written like a constant: one token of letters, digits and joiners.
fn is_enum_word(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= 40
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':' | b'/'))
        && !look(value).is_value()
}

/// Members that hold people's or machines' own names: never an enumeration, however few were seen.
pub(crate) fn holds_names(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "name",
        "title",
        "slug",
        "login",
        "email",
        "url",
        "uri",
        "href",
        "host",
        "path",
        "token",
        "description",
        "message",
        "city",
        "address",
    ]
    .iter()
    .any(|word| name.ends_with(word))
        || named_like_id(&name)
}

fn named_like_id(name: &str) -> bool {
    let ends = |end: &&str| {
        let at = name.len().checked_sub(end.len());
        at.and_then(|at| name.as_bytes().get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
    };
    ["id", "key", "uid"].iter().any(|whole| name.eq_ignore_ascii_case(whole))
        || ["_id", "-id", "_ids", "_key", "uuid", "guid", "_sha", "fingerprint"].iter().any(ends)
        || name.ends_with("Id")
        || name.ends_with("ID")
        || name.ends_with("Ids")
        || name.ends_with("Key")
}

fn is_identifier(seen: &Observed, name: &str) -> bool {
    let scalar = seen.string + seen.integer > 0;
    let formatted = seen.strings.as_ref().is_some_and(|strings| {
        strings.formats.get(&super::format::Format::Uuid).is_some_and(|n| *n > 0 && *n == seen.string)
    });
    scalar && (named_like_id(name) || formatted)
}
