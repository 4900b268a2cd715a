//! Canonical bytes (RFC 8785) and the digest that everything is named by.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{self, SHA256};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::json::writer::{self, Refused};

/// `sha256:` and 64 lower-case hex digits: the SHA-256 of a value's canonical JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of bytes as they are, for files and other opaque material.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::made(digest::digest(&SHA256, bytes))
    }

    fn made(digest: digest::Digest) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The bare hex digits, without the `sha256:` prefix.
    #[must_use]
    pub fn hex(&self) -> String {
        self.digits().iter().map(|digit| char::from(*digit)).collect()
    }

    /// The hex digits as ASCII.
    fn digits(&self) -> [u8; 64] {
        let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble };
        let mut out = [0; 64];
        for (pair, byte) in out.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        out
    }
}

/// A digest of bytes that come in pieces.
pub struct Hasher(digest::Context);

impl Default for Hasher {
    fn default() -> Self {
        Self(digest::Context::new(&SHA256))
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

impl Hasher {
    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The same as [`Digest::of_bytes`] of all of them.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest::made(self.0.finish())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: expected `sha256:` and 64 lower-case hex digits")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let hex = text.strip_prefix("sha256:").ok_or(NotADigest)?.as_bytes();
        let (pairs, rest) = hex.as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return Err(NotADigest);
        }
        let nibble = |c: u8| match c {
            b'0'..=b'9' => Ok(c - b'0'),
            b'a'..=b'f' => Ok(c - b'a' + 10),
            _ => Err(NotADigest),
        };
        let mut out = [0; 32];
        for (byte, [high, low]) in out.iter_mut().zip(pairs) {
            *byte = nibble(*high)? << 4 | nibble(*low)?;
        }
        Ok(Self(out))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A value that has no canonical form.
#[derive(Debug, thiserror::Error)]
pub enum CanonError {
    /// RFC 8785 writes numbers as IEEE doubles, so two whole numbers beyond 2^53 could share a digest.
    #[error("whole number {0} is beyond 2^53 and has no exact canonical form; write it as a string")]
    InexactInteger(String),
    /// The value cannot be written as JSON at all (a map with a key that is not a string, for one).
    #[error("not representable as JSON: {0}")]
    NotJson(#[from] serde_json::Error),
}

/// The RFC 8785 canonical JSON of a value.
///
/// # Errors
/// [`CanonError`] if a whole number does not fit a double exactly or the value is not JSON.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonError> {
    match writer::canonical(value) {
        Ok(bytes) => return Ok(bytes),
        Err(Refused::Inexact(number)) => return Err(CanonError::InexactInteger(number)),
        Err(Refused::General) => {}
    }
    let value = serde_json::to_value(value)?;
    refuse_inexact(&value)?;
    Ok(serde_json_canonicalizer::to_vec(&value)?)
}

pub use writer::EXACT;

/// The digest of a value: SHA-256 over [`canonical`].
///
/// # Errors
/// As [`canonical`].
pub fn digest<T: Serialize + ?Sized>(value: &T) -> Result<Digest, CanonError> {
    Ok(Digest::of_bytes(&canonical(value)?))
}

fn refuse_inexact(value: &serde_json::Value) -> Result<(), CanonError> {
    match value {
        serde_json::Value::Number(number) => {
            let exact = number.as_u64().is_none_or(|n| n <= EXACT)
                && number.as_i64().is_none_or(|n| n.unsigned_abs() <= EXACT);
            if exact { Ok(()) } else { Err(CanonError::InexactInteger(number.to_string())) }
        }
        serde_json::Value::Array(items) => items.iter().try_for_each(refuse_inexact),
        serde_json::Value::Object(members) => members.values().try_for_each(refuse_inexact),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-(1_i64 << 53)..=1 << 53).prop_map(Value::from),
            any::<f64>().prop_map(|number| json!(number)),
            any::<String>().prop_map(Value::from),
            "[ -~]{0,20}[\\x00-\\x1f\"\\\\\u{7f}é]{0,3}[ -~]{0,9}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// The short way and the general one write the same bytes.
        #[test]
        fn the_canonical_form_is_the_one_of_rfc_8785(value in value()) {
            prop_assert_eq!(canonical(&value).unwrap(), serde_json_canonicalizer::to_vec(&value).unwrap());
            prop_assert_eq!(writer::to_string(&value).unwrap(), serde_json::to_string(&value).unwrap());
        }
    }

    /// Every form that serde has, by the short way and the general one.
    #[test]
    fn all_forms_are_written_as_serde_json_has_them() {
        #[derive(serde::Serialize)]
        enum Form {
            Unit,
            New(u8),
            Tuple(bool, char),
            Struct { z: Option<i64>, a: () },
        }
        #[derive(serde::Serialize)]
        struct Raw(Box<serde_json::value::RawValue>);
        #[derive(serde::Serialize)]
        struct All<'a> {
            z: Vec<Form>,
            numbers: std::collections::BTreeMap<u16, &'a str>,
            empty: (Vec<u8>, std::collections::BTreeMap<String, u8>),
            signed: std::collections::BTreeMap<i8, [u64; 2]>,
            unit: std::collections::BTreeMap<char, std::marker::PhantomData<u8>>,
        }
        let all = All {
            z: vec![Form::Unit, Form::New(7), Form::Tuple(true, '"'), Form::Struct { z: Some(-3), a: () }],
            numbers: [(10, "x"), (9, "\u{1f600}\n")].into(),
            empty: Default::default(),
            signed: [(-7, [0, EXACT]), (0, [1, 2])].into(),
            unit: [('x', Default::default())].into(),
        };
        let general = serde_json_canonicalizer::to_vec(&serde_json::to_value(&all).unwrap()).unwrap();
        assert!(writer::canonical(&all).is_ok());
        assert_eq!(String::from_utf8(canonical(&all).unwrap()), String::from_utf8(general));
        assert_eq!(writer::to_string(&all).unwrap(), serde_json::to_string(&all).unwrap());
        let raw = Raw(serde_json::value::RawValue::from_string("[1,  2.50]".to_owned()).unwrap());
        assert_eq!(writer::to_string(&raw).unwrap(), "[1,  2.50]");
        assert_eq!(canonical(&raw).unwrap(), b"[1,2.5]");
        let unwritable = std::collections::BTreeMap::from([((), 1)]);
        assert!(writer::to_string(&unwritable).is_err());
        let mut out = b"before".to_vec();
        assert!(writer::append(&[Some(&unwritable), None], &mut out).is_err());
    }

    #[test]
    fn keys_sort_by_utf16_and_numbers_stay_exact() {
        let text = canonical(&json!({ "\u{fb33}": 1, "\u{1f600}": 2, "\r": -0.0, "a": 1.0 })).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), "{\"\\r\":0,\"a\":1,\"\u{1f600}\":2,\"\u{fb33}\":1}");
        assert!(canonical(&json!([(1_u64 << 53) + 1])).is_err());
        assert!(canonical(&json!([u64::MAX, 0.5])).is_err());
        assert!(canonical(&json!(-9_007_199_254_740_993_i64)).is_err());
    }
}
