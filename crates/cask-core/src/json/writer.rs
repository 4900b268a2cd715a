//! JSON written straight from a value, with no tree in between: as its members stand, byte for byte as `serde_json`
//! writes it, or in the canonical form of RFC 8785.
//!
//! Most of what is written is strings, and most strings need no escapes: eight bytes are looked at at a time.
//! The usual value has no fractions, and its keys are plain ASCII. A canonical form that needs more than that is
//! [`Refused::General`], and left to the general way.

use std::fmt;

use serde::ser::{self, Serialize};

use super::has_byte;

/// Whole numbers beyond this share a double with their neighbours.
pub const EXACT: u64 = 1 << 53;

/// Why a value was not written.
#[derive(Debug)]
pub enum Refused {
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
///
/// # Errors
/// [`Refused`]
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Refused> {
    let mut out = Vec::with_capacity(1024);
    value.serialize(&mut Writer { out: &mut out, canonical: true })?;
    Ok(out)
}

/// Appends a value as `serde_json::to_writer` does.
///
/// # Errors
/// The serialiser's: a key that cannot be text, or what the value's own implementation says.
pub fn append<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let start = out.len();
    value.serialize(&mut Writer { out, canonical: false }).or_else(|_| {
        out.truncate(start);
        serde_json::to_writer(out, value)
    })
}

/// A value as `serde_json::to_string` writes it.
///
/// # Errors
/// As [`append`].
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let mut out = Vec::with_capacity(1024);
    append(value, &mut out)?;
    String::from_utf8(out).map_err(|_| ser::Error::custom("not text"))
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    canonical: bool,
}

impl<'o> Writer<'o> {
    fn text(&mut self, text: &str) {
        self.out.push(b'"');
        let mut rest = text.as_bytes();
        while let Some(at) = to_escape(rest) {
            let (plain, after) = rest.split_at(at);
            self.out.extend_from_slice(plain);
            let Some((byte, after)) = after.split_first() else { break };
            self.escape(*byte);
            rest = after;
        }
        self.out.extend_from_slice(rest);
        self.out.push(b'"');
    }

    fn escape(&mut self, byte: u8) {
        let short = match byte {
            b'"' | b'\\' => byte,
            8 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            12 => b'f',
            b'\r' => b'r',
            _ => {
                let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble };
                let code = [b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)];
                return self.out.extend_from_slice(&code);
            }
        };
        self.out.extend_from_slice(&[b'\\', short]);
    }

    fn whole(&mut self, number: impl Serialize + fmt::Display, size: u64) -> Result<(), Refused> {
        if self.canonical && size > EXACT {
            return Err(Refused::Inexact(number.to_string()));
        }
        serde_json::to_writer(&mut *self.out, &number).map_err(|_| Refused::General)
    }

    /// How the digits of a fraction are written is an art of its own.
    fn fraction(&mut self, number: impl Serialize) -> Result<(), Refused> {
        if self.canonical {
            return Err(Refused::General);
        }
        serde_json::to_writer(&mut *self.out, &number).map_err(|_| Refused::General)
    }

    fn list<'w>(&'w mut self) -> List<'w, 'o> {
        self.out.push(b'[');
        List { writer: self, first: true, inside: false }
    }

    fn members<'w>(&'w mut self) -> Members<'w, 'o> {
        Members { start: self.out.len(), writer: self, entries: Vec::new(), inside: false }
    }
}

/// Offset of the first byte that a JSON string must escape: a quote, a backslash, a control character.
fn to_escape(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let (words, last) = bytes.as_chunks::<8>();
    for (nth, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & (ONES << 7);
        let hit = has_byte(word, b'"') | has_byte(word, b'\\') | control;
        if hit != 0 {
            return Some(nth * 8 + hit.trailing_zeros() as usize / 8);
        }
    }
    let at = last.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    Some(words.len() * 8 + at)
}

/// Items of an array.
struct List<'w, 'o> {
    writer: &'w mut Writer<'o>,
    first: bool,
    /// Whether it stands in the object of a variant.
    inside: bool,
}

impl List<'_, '_> {
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

/// Members of an object. Each is written as `,"key":value` where it comes; where the form is canonical they are put in
/// order at the end. The first comma becomes the brace.
struct Members<'w, 'o> {
    writer: &'w mut Writer<'o>,
    start: usize,
    /// Where each begins, and the length of its key; only where they are put in order.
    entries: Vec<(usize, usize)>,
    /// Whether it stands in the object of a variant.
    inside: bool,
}

impl Members<'_, '_> {
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        let at = self.writer.out.len();
        self.writer.out.push(b',');
        key.serialize(&mut *self.writer)?;
        let written = self.writer.out.get(at + 1..).unwrap_or_default();
        let length = match written {
            [b'"', inner @ .., b'"'] => {
                // Of such keys, bytes and UTF-16 have the same order, and none is escaped.
                let plain = |byte: &u8| (b' '..0x7f).contains(byte) && *byte != b'"' && *byte != b'\\';
                if self.writer.canonical && !inner.iter().all(plain) {
                    return Err(Refused::General);
                }
                inner.len()
            }
            // a number is a key as text
            number
                if !number.is_empty() && number.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-') =>
            {
                let length = number.len();
                self.writer.out.insert(at + 1, b'"');
                self.writer.out.push(b'"');
                length
            }
            _ => return Err(Refused::General),
        };
        if self.writer.canonical {
            self.entries.push((at, length));
        }
        self.writer.out.push(b':');
        Ok(())
    }

    fn done(self) -> Result<(), Refused> {
        let Members { writer, start, entries, inside } = self;
        if writer.canonical {
            order(writer.out, &entries)?;
        }
        match writer.out.get_mut(start) {
            Some(comma) => *comma = b'{',
            None => writer.out.push(b'{'),
        }
        writer.out.push(b'}');
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
    let sorted: Vec<&[u8]> = parts.into_iter().map(|(_, part)| part).collect();
    let sorted = sorted.concat();
    out.truncate(out.len() - sorted.len());
    out.extend_from_slice(&sorted);
    Ok(())
}

impl<'w, 'o> ser::Serializer for &'w mut Writer<'o> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = List<'w, 'o>;
    type SerializeTuple = List<'w, 'o>;
    type SerializeTupleStruct = List<'w, 'o>;
    type SerializeTupleVariant = List<'w, 'o>;
    type SerializeMap = Members<'w, 'o>;
    type SerializeStruct = Members<'w, 'o>;
    type SerializeStructVariant = Members<'w, 'o>;

    fn serialize_bool(self, value: bool) -> Result<(), Refused> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }
    fn serialize_i8(self, value: i8) -> Result<(), Refused> {
        self.whole(value, u64::from(value.unsigned_abs()))
    }
    fn serialize_i16(self, value: i16) -> Result<(), Refused> {
        self.whole(value, u64::from(value.unsigned_abs()))
    }
    fn serialize_i32(self, value: i32) -> Result<(), Refused> {
        self.whole(value, u64::from(value.unsigned_abs()))
    }
    fn serialize_i64(self, value: i64) -> Result<(), Refused> {
        self.whole(value, value.unsigned_abs())
    }
    fn serialize_u8(self, value: u8) -> Result<(), Refused> {
        self.whole(value, u64::from(value))
    }
    fn serialize_u16(self, value: u16) -> Result<(), Refused> {
        self.whole(value, u64::from(value))
    }
    fn serialize_u32(self, value: u32) -> Result<(), Refused> {
        self.whole(value, u64::from(value))
    }
    fn serialize_u64(self, value: u64) -> Result<(), Refused> {
        self.whole(value, value)
    }
    fn serialize_f32(self, value: f32) -> Result<(), Refused> {
        self.fraction(value)
    }
    fn serialize_f64(self, value: f64) -> Result<(), Refused> {
        self.fraction(value)
    }
    fn serialize_char(self, value: char) -> Result<(), Refused> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, value: &str) -> Result<(), Refused> {
        self.text(value);
        Ok(())
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
        self.serialize_str(variant)
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
        self.under(variant);
        value.serialize(&mut *self)?;
        self.out.push(b'}');
        Ok(())
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<List<'w, 'o>, Refused> {
        Ok(self.list())
    }
    fn serialize_tuple(self, _: usize) -> Result<List<'w, 'o>, Refused> {
        Ok(self.list())
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List<'w, 'o>, Refused> {
        Ok(self.list())
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'w, 'o>, Refused> {
        self.under(variant);
        Ok(List { inside: true, ..self.list() })
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Members<'w, 'o>, Refused> {
        Ok(self.members())
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Members<'w, 'o>, Refused> {
        // how `serde_json` marks text that is JSON already, which only it understands
        if name.starts_with("$serde_json") {
            return Err(Refused::General);
        }
        Ok(self.members())
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members<'w, 'o>, Refused> {
        self.under(variant);
        Ok(Members { inside: true, ..self.members() })
    }
}

impl Writer<'_> {
    /// The object with one member that a variant with content is.
    fn under(&mut self, variant: &str) {
        self.out.push(b'{');
        self.text(variant);
        self.out.push(b':');
    }
}

macro_rules! lists {
    ($($kind:ident :: $method:ident),*) => {$(
        impl ser::$kind for List<'_, '_> {
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
        impl ser::$kind for Members<'_, '_> {
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

impl ser::SerializeMap for Members<'_, '_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<(), Refused> {
        self.done()
    }
}
