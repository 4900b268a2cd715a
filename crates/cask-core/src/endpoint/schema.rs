//! The schema of one JSON position, learned or declared, with the counts that justify it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sent::Sent;

/// A set of JSON types. `number` includes `integer` only where a fraction was seen or declared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct TypeSet(u8);

impl TypeSet {
    /// No type: nothing is known.
    pub const NONE: TypeSet = TypeSet(0);
    /// `null`
    pub const NULL: TypeSet = TypeSet(1);
    /// `boolean`
    pub const BOOLEAN: TypeSet = TypeSet(2);
    /// `integer`
    pub const INTEGER: TypeSet = TypeSet(4);
    /// `number`
    pub const NUMBER: TypeSet = TypeSet(8);
    /// `string`
    pub const STRING: TypeSet = TypeSet(16);
    /// `array`
    pub const ARRAY: TypeSet = TypeSet(32);
    /// `object`
    pub const OBJECT: TypeSet = TypeSet(64);

    const NAMES: [(TypeSet, &'static str); 7] = [
        (TypeSet::ARRAY, "array"),
        (TypeSet::BOOLEAN, "boolean"),
        (TypeSet::INTEGER, "integer"),
        (TypeSet::NULL, "null"),
        (TypeSet::NUMBER, "number"),
        (TypeSet::OBJECT, "object"),
        (TypeSet::STRING, "string"),
    ];

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: TypeSet) -> TypeSet {
        TypeSet(self.0 | other.0)
    }

    /// This set less the other.
    #[must_use]
    pub const fn without(self, other: TypeSet) -> TypeSet {
        TypeSet(self.0 & !other.0)
    }

    /// Whether all of `other` is in this set.
    #[must_use]
    pub const fn has(self, other: TypeSet) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is known.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The JSON Schema names of the types, sorted.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(set, _)| self.has(*set)).map(|(_, name)| name)
    }

    /// The set with the type of that JSON Schema name, if it is one.
    #[must_use]
    pub fn named(name: &str) -> Option<TypeSet> {
        Self::NAMES.into_iter().find(|(_, known)| *known == name).map(|(set, _)| set)
    }
}

impl fmt::Debug for TypeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl Serialize for TypeSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

impl<'de> Deserialize<'de> for TypeSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names.iter().try_fold(TypeSet::NONE, |set, name| {
            TypeSet::named(name)
                .map(|one| set.with(one))
                .ok_or_else(|| serde::de::Error::custom(format!("`{name}` is not a JSON Schema type")))
        })
    }
}

/// What is known of one JSON position. The empty schema allows anything.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schema {
    /// The JSON types; empty: any.
    #[serde(skip_serializing_if = "is_default")]
    pub types: TypeSet,
    /// Values seen at this position (not: documents).
    #[serde(skip_serializing_if = "is_default")]
    pub seen: u64,
    /// Of them `null`: how often decides whether a `null` elsewhere is news.
    #[serde(skip_serializing_if = "is_default")]
    pub nulls: u64,
    /// JSON Schema / OpenAPI `format` of the strings or numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The only values, sorted; scalars. Empty: not an enumeration.
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// How often each of `values` was seen, in their order; empty where they were only declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<u64>,
    /// Named members of an object.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, Property>,
    /// Values of the members that are not named: a map with dynamic keys, or `additionalProperties`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional: Option<Box<Schema>>,
    /// `additionalProperties: false` was declared.
    #[serde(skip_serializing_if = "is_default")]
    pub closed: bool,
    /// Items of an array.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Schema>>,
    /// Alternatives (`oneOf`/`anyOf` of a description). The other fields hold for all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<Schema>,
    /// Declared bounds and pattern, in JSON Schema 2020-12 keywords (`minimum`, `maxLength`, `pattern`, …).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bounds: BTreeMap<String, Value>,
    /// Declared default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Declared description (hostile text).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the values look like identifiers (of anything), not like quantities.
    #[serde(skip_serializing_if = "is_default")]
    pub identifier: bool,
    /// The kind of secret or personal data that redaction replaced here (`credential`, `email`, …).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted: Option<String>,
    /// What the values kept to where callers sent them. Not kept on disk: it is there to propose limits from, and says more
    /// of the traffic than an artifact should.
    #[serde(skip)]
    pub sent: Option<Box<Sent>>,
}

impl Schema {
    /// The same without what is nested in it.
    #[must_use]
    pub fn shallow(&self) -> Schema {
        Schema {
            types: self.types,
            seen: self.seen,
            nulls: self.nulls,
            format: self.format.clone(),
            values: self.values.clone(),
            counts: self.counts.clone(),
            properties: BTreeMap::new(),
            additional: None,
            closed: self.closed,
            items: None,
            any_of: Vec::new(),
            bounds: self.bounds.clone(),
            default: self.default.clone(),
            description: self.description.clone(),
            identifier: self.identifier,
            redacted: self.redacted.clone(),
            sent: self.sent.clone(),
        }
    }
}

/// A named member of an object.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// Whether every parent object had it (or the description says so).
    #[serde(default)]
    pub required: bool,
    /// Parent objects that had it, of how many parents there were.
    #[serde(default)]
    pub seen: u64,
    /// Parent objects seen.
    #[serde(default)]
    pub of: u64,
    /// Its values. A box, because a map reserves room for eleven members where there is one.
    pub schema: Box<Schema>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
