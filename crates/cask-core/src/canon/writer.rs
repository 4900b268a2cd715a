//! Canonical JSON written straight from a value: no tree in between.
//!
//! The usual value has no fractions, and its keys are plain ASCII. What is not so is [`Refused::General`],
//! and left to the general way.

use std::fmt;
use std::io::Write as _;

use serde::ser::{self, Serialize};

use super::EXACT;

/// Why a value was not written.
#[derive(Debug)]
pub(super) enum Refused {
    /// It needs the general way: a fraction, a key that sorts differently as UTF-16, a key there twice.
    General,
    /// A whole number that has no exact canonical form.
    Inexact(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not written")
    }
}

impl std::error::Error for Refused {}

impl ser::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Refused::General
    }
}

/// Writes the canonical form of a value.
pub(super) fn write<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Refused> {
    let mut writer = Writer { out: Vec::with_capacity(1024) };
    value.serialize(&mut writer)?;
    Ok(writer.out)
}

struct Writer {
    out: Vec<u8>,
}

impl Writer {
    fn text(&mut self, text: &str) -> Result<(), Refused> {
        serde_json::to_writer(&mut self.out, text).map_err(|_| Refused::General)
    }

    fn whole(&mut self, number: impl Into<i128>) -> Result<(), Refused> {
        let number = number.into();
        if number.unsigned_abs() > u128::from(EXACT) {
            return Err(Refused::Inexact(number.to_string()));
        }
        write!(self.out, "{number}").map_err(|_| Refused::General)
    }

    fn list(&mut self) -> List<'_> {
        self.out.push(b'[');
        List { writer: self, first: true, inside: false }
    }

    fn members(&mut self) -> Members<'_> {
        Members { start: self.out.len(), writer: self, entries: Vec::new(), inside: false }
    }
}

/// Items of an array.
struct List<'w> {
    writer: &'w mut Writer,
    first: bool,
    /// Whether it stands in the object of a variant.
    inside: bool,
}

impl List<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        if !std::mem::take(&mut self.first) {
            self.writer.out.push(b',');
        }
        value.serialize(&mut *self.writer)
    }

    fn done(self) {
        self.writer.out.push(b']');
        if self.inside {
            self.writer.out.push(b'}');
        }
    }
}

/// Members of an object. Each is written as `,"key":value` where it comes; they are put in order at the end,
/// and the first comma becomes the brace.
struct Members<'w> {
    writer: &'w mut Writer,
    start: usize,
    /// Where each begins, and the length of its key.
    entries: Vec<(usize, usize)>,
    /// Whether it stands in the object of a variant.
    inside: bool,
}

impl Members<'_> {
    fn key(&mut self, key: &str) -> Result<(), Refused> {
        // Of such keys, bytes and UTF-16 have the same order, and none is escaped.
        let plain = |byte: u8| (b' '..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
        if !key.bytes().all(plain) {
            return Err(Refused::General);
        }
        self.entries.push((self.writer.out.len(), key.len()));
        self.writer.out.extend_from_slice(b",\"");
        self.writer.out.extend_from_slice(key.as_bytes());
        self.writer.out.extend_from_slice(b"\":");
        Ok(())
    }

    fn done(self) -> Result<(), Refused> {
        let Members { writer, start, entries, inside } = self;
        if entries.is_empty() {
            writer.out.extend_from_slice(b"{}");
        } else {
            order(&mut writer.out, &entries)?;
            if let Some(brace) = writer.out.get_mut(start) {
                *brace = b'{';
            }
            writer.out.push(b'}');
        }
        if inside {
            writer.out.push(b'}');
        }
        Ok(())
    }
}

/// Puts the members that end the text in the order of their keys.
fn order(out: &mut Vec<u8>, entries: &[(usize, usize)]) -> Result<(), Refused> {
    let key = |&(at, length): &(usize, usize)| out.get(at + 2..at + 2 + length).unwrap_or_default();
    if entries.is_sorted_by(|one, other| key(one) < key(other)) {
        return Ok(());
    }
    let ends = entries.iter().skip(1).map(|(at, _)| *at).chain([out.len()]);
    let mut parts: Vec<(&[u8], &[u8])> = entries
        .iter()
        .zip(ends)
        .map(|(entry, end)| (key(entry), out.get(entry.0..end).unwrap_or_default()))
        .collect();
    parts.sort_unstable_by_key(|(key, _)| *key);
    if parts.windows(2).any(|pair| matches!(pair, [(one, _), (other, _)] if one == other)) {
        return Err(Refused::General);
    }
    let sorted: Vec<u8> = parts.iter().flat_map(|(_, part)| *part).copied().collect();
    out.truncate(out.len() - sorted.len());
    out.extend_from_slice(&sorted);
    Ok(())
}

impl<'w> ser::Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = List<'w>;
    type SerializeTuple = List<'w>;
    type SerializeTupleStruct = List<'w>;
    type SerializeTupleVariant = List<'w>;
    type SerializeMap = Members<'w>;
    type SerializeStruct = Members<'w>;
    type SerializeStructVariant = Members<'w>;

    fn serialize_bool(self, value: bool) -> Result<(), Refused> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }
    fn serialize_i8(self, value: i8) -> Result<(), Refused> {
        self.whole(value)
    }
    fn serialize_i16(self, value: i16) -> Result<(), Refused> {
        self.whole(value)
    }
    fn serialize_i32(self, value: i32) -> Result<(), Refused> {
        self.whole(value)
    }
    fn serialize_i64(self, value: i64) -> Result<(), Refused> {
        self.whole(value)
    }
    fn serialize_u8(self, value: u8) -> Result<(), Refused> {
        self.whole(value)
    }
    fn serialize_u16(self, value: u16) -> Result<(), Refused> {
        self.whole(value)
    }
    fn serialize_u32(self, value: u32) -> Result<(), Refused> {
        self.whole(value)
    }
    fn serialize_u64(self, value: u64) -> Result<(), Refused> {
        self.whole(value)
    }
    fn serialize_f32(self, _: f32) -> Result<(), Refused> {
        Err(Refused::General)
    }
    fn serialize_f64(self, _: f64) -> Result<(), Refused> {
        // how the digits of a fraction are written is an art of its own
        Err(Refused::General)
    }
    fn serialize_char(self, value: char) -> Result<(), Refused> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, value: &str) -> Result<(), Refused> {
        self.text(value)
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<(), Refused> {
        Err(Refused::General)
    }
    fn serialize_none(self) -> Result<(), Refused> {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Refused> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refused> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Refused> {
        self.text(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        self.under(variant)?;
        value.serialize(&mut *self)?;
        self.out.push(b'}');
        Ok(())
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<List<'w>, Refused> {
        Ok(self.list())
    }
    fn serialize_tuple(self, _: usize) -> Result<List<'w>, Refused> {
        Ok(self.list())
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List<'w>, Refused> {
        Ok(self.list())
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'w>, Refused> {
        self.under(variant)?;
        Ok(List { inside: true, ..self.list() })
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Members<'w>, Refused> {
        Ok(self.members())
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'w>, Refused> {
        Ok(self.members())
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members<'w>, Refused> {
        self.under(variant)?;
        Ok(Members { inside: true, ..self.members() })
    }
}

impl Writer {
    /// The object with one member that a variant with content is.
    fn under(&mut self, variant: &str) -> Result<(), Refused> {
        self.out.push(b'{');
        self.text(variant)?;
        self.out.push(b':');
        Ok(())
    }
}

macro_rules! lists {
    ($($kind:ident :: $method:ident),*) => {$(
        impl ser::$kind for List<'_> {
            type Ok = ();
            type Error = Refused;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
                self.item(value)
            }
            fn end(self) -> Result<(), Refused> {
                self.done();
                Ok(())
            }
        }
    )*};
}

lists!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! structs {
    ($($kind:ident),*) => {$(
        impl ser::$kind for Members<'_> {
            type Ok = ();
            type Error = Refused;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Refused> {
                self.key(key)?;
                value.serialize(&mut *self.writer)
            }
            fn end(self) -> Result<(), Refused> {
                self.done()
            }
        }
    )*};
}

structs!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        // A key is text, or a number or unit variant that becomes text: written, then taken as the key.
        let mut text = Writer { out: Vec::with_capacity(32) };
        key.serialize(&mut text)?;
        let text = String::from_utf8(text.out).map_err(|_| Refused::General)?;
        let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-').then_some(text.as_str());
        self.key(quoted.or(number).ok_or(Refused::General)?)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<(), Refused> {
        self.done()
    }
}
