//! The members of a HAR entry that matter, read as leniently as the writers are sloppy.
//!
//! A member of the wrong type counts as missing, a repeated one wins over the earlier, an unknown
//! one is passed over without building it. Only broken JSON makes an entry unreadable.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::json::Json;

/// A string; a number or boolean is taken as its text, anything else as empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A body's text. Some tools put the JSON itself where its text should be.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Content<'a> {
    /// No text member.
    #[default]
    None,
    /// As the format says.
    Text(Cow<'a, str>),
    /// A JSON value in place of its text.
    Json(Json<'a>),
    /// Decoded, and not text: its length in bytes.
    Binary(u64),
}

/// Zero or more of something; a single one stands for itself, anything unreadable for none.
#[derive(Debug, Clone, PartialEq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

macro_rules! record {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty = $key:literal $(| $other:literal)*),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name<'a> { $($(#[$fdoc])* pub $field: $ty,)+ }

        impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Read<'a>(PhantomData<&'a ()>);
                impl<'de: 'a, 'a> Visitor<'de> for Read<'a> {
                    type Value = $name<'a>;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut out = $name::default();
                        #[allow(non_camel_case_types)]
                        enum Field { $($field,)+ Unknown }
                        struct Key;
                        impl<'de> serde::de::DeserializeSeed<'de> for Key {
                            type Value = Field;
                            fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Field, D::Error> {
                                d.deserialize_identifier(self)
                            }
                        }
                        impl Visitor<'_> for Key {
                            type Value = Field;
                            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                                f.write_str("a member name")
                            }
                            fn visit_str<E>(self, name: &str) -> Result<Field, E> {
                                Ok(match name { $($key $(| $other)* => Field::$field,)+ _ => Field::Unknown })
                            }
                        }
                        while let Some(field) = map.next_key_seed(Key)? {
                            match field {
                                $(Field::$field => out.$field = map.next_value()?,)+
                                Field::Unknown => { map.next_value::<IgnoredAny>()?; }
                            }
                        }
                        Ok(out)
                    }
                    fallbacks!($name::default());
                }
                deserializer.deserialize_any(Read(PhantomData))
            }
        }
    };
}

/// A value of a type that was not expected: passed over, and the default taken.
macro_rules! fallbacks {
    (@scalars $default:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($default)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($default)
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($default)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($default)
        }
    };
    (@seq $default:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok($default)
        }
    };
    (@map $default:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($default)
        }
    };
    ($default:expr) => {
        fallbacks!(@scalars $default);
        fallbacks!(@seq $default);
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($default)
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($default)
        }
    };
}

record! {
    /// One element of `log.entries`.
    Entry {
        /// What was sent.
        request: Request<'a> = "request",
        /// What came back.
        response: Response<'a> = "response",
        /// Chrome's kind of resource (`xhr`, `fetch`, `document`, `image` …); WebPageTest has none.
        kind: Text<'a> = "_resourceType",
    }
}

record! {
    /// HAR `request`.
    Request {
        /// Method in any case.
        method: Text<'a> = "method",
        /// Absolute, or relative to the `Host` header.
        url: Text<'a> = "url",
        /// Request headers.
        headers: List<Pair<'a>> = "headers",
        /// Used only where the URL lost its query.
        query: List<Pair<'a>> = "queryString",
        /// The body.
        post: Post<'a> = "postData",
    }
}

record! {
    /// HAR `postData`.
    Post {
        /// Content type with parameters.
        media: Text<'a> = "mimeType",
        /// The body as sent.
        text: Content<'a> = "text",
        /// `base64` where the text is.
        encoding: Text<'a> = "encoding" | "_encoding",
        /// Fields of a form, where the text is missing.
        params: List<PostParam<'a>> = "params",
    }
}

record! {
    /// HAR `postData.params[]`.
    PostParam {
        /// Field name.
        name: Text<'a> = "name",
        /// Value of a plain field.
        value: Text<'a> = "value",
        /// Set for a file upload.
        file: Text<'a> = "fileName",
        /// Media type of the part.
        media: Text<'a> = "contentType",
    }
}

record! {
    /// HAR `response`.
    Response {
        /// Status code; `0`, `-` or nothing for an aborted request.
        status: Text<'a> = "status",
        /// Response headers.
        headers: List<Pair<'a>> = "headers",
        /// The body.
        content: Body<'a> = "content",
    }
}

record! {
    /// HAR `content`.
    Body {
        /// Content type with parameters.
        media: Text<'a> = "mimeType",
        /// The body.
        text: Content<'a> = "text",
        /// `base64` where the text is; `utf-8` and others mean nothing.
        encoding: Text<'a> = "encoding",
    }
}

record! {
    /// A header or query pair.
    Pair {
        /// Name.
        name: Text<'a> = "name",
        /// Value.
        value: Text<'a> = "value",
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Read<'a> {
            type Value = Text<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_unit<E>(self) -> Result<Text<'a>, E> {
                Ok(Text::default())
            }
            fn visit_bool<E>(self, value: bool) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Borrowed(if value { "true" } else { "false" })))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }
            fallbacks!(@seq Text::default());
            fallbacks!(@map Text::default());
        }
        deserializer.deserialize_any(Read(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Json::deserialize(deserializer)? {
            Json::Null => Content::None,
            Json::Str(text) => Content::Text(text),
            other => Content::Json(other),
        })
    }
}

impl<'de, T: Deserialize<'de> + From<Named<'de>>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + From<Named<'de>>> Visitor<'de> for Read<T> {
            type Value = List<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(List(items))
            }
            /// `{"accept": "*/*"}` in place of `[{"name": "accept", "value": "*/*"}]`.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<List<T>, A::Error> {
                let mut items = Vec::new();
                while let Some((name, value)) = map.next_entry::<Text<'de>, Text<'de>>()? {
                    items.push(T::from(Named { name, value }));
                }
                Ok(List(items))
            }
            fallbacks!(@scalars List::default());
            fn visit_str<E>(self, _: &str) -> Result<List<T>, E> {
                Ok(List::default())
            }
            fn visit_unit<E>(self) -> Result<List<T>, E> {
                Ok(List::default())
            }
        }
        deserializer.deserialize_any(Read(PhantomData))
    }
}

/// A member of an object that stands where a list of named things should.
#[derive(Debug)]
pub struct Named<'a> {
    name: Text<'a>,
    value: Text<'a>,
}

impl<'de: 'a, 'a> From<Named<'de>> for Pair<'a> {
    fn from(named: Named<'de>) -> Self {
        Pair { name: named.name, value: named.value }
    }
}

impl<'de: 'a, 'a> From<Named<'de>> for PostParam<'a> {
    fn from(named: Named<'de>) -> Self {
        PostParam { name: named.name, value: named.value, ..PostParam::default() }
    }
}
