//! Path templates: parsing, printing, matching. How they are learned is in [`super::summary`].

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path template: `/v1/users/{user_id}/photo.{format}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Template {
    segments: Vec<Segment>,
}

/// One part of a path between slashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Always this text (percent-encoded as on the wire).
    Literal(String),
    /// A parameter, with text around it (`{id}.json`, `@{user}`, `{name}:cancel`).
    Param {
        /// Literal text before the value.
        prefix: String,
        /// The parameter's name, unique in its template.
        name: String,
        /// Literal text after the value.
        suffix: String,
    },
}

/// A text that is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a path template: `{template}`: {why}")]
pub struct NotATemplate {
    /// The text.
    pub template: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Template {
    /// A template of these segments; the root path has one empty literal.
    #[must_use]
    pub fn new(segments: Vec<Segment>) -> Self {
        Self { segments }
    }

    /// The segments between the slashes.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Parses `/a/{b}`. Each segment holds at most one parameter.
    ///
    /// # Errors
    /// [`NotATemplate`] without a leading slash, with unbalanced or empty braces, with two parameters in
    /// one segment or the same name twice.
    pub fn parse(text: &str) -> Result<Self, NotATemplate> {
        let fail = |why| NotATemplate { template: text.chars().take(200).collect(), why };
        let rest = text.strip_prefix('/').ok_or_else(|| fail("it must start with `/`"))?;
        let mut segments = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for part in rest.split('/') {
            let Some((prefix, tail)) = part.split_once('{') else {
                if part.contains('}') {
                    return Err(fail("`}` without `{`"));
                }
                segments.push(Segment::Literal(part.to_owned()));
                continue;
            };
            let (name, suffix) = tail.split_once('}').ok_or_else(|| fail("`{` without `}`"))?;
            if name.is_empty() || name.contains('{') {
                return Err(fail("a parameter needs a name"));
            }
            if suffix.contains(['{', '}']) || prefix.contains('}') {
                return Err(fail("one parameter per segment"));
            }
            if names.contains(&name) {
                return Err(fail("the same parameter twice"));
            }
            names.push(name);
            segments.push(Segment::Param {
                prefix: prefix.to_owned(),
                name: name.to_owned(),
                suffix: suffix.to_owned(),
            });
        }
        Ok(Self { segments })
    }

    /// The names of the parameters, from left to right.
    pub fn params(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Param { name, .. } => Some(name.as_str()),
            Segment::Literal(_) => None,
        })
    }

    /// The template with nameless parameters: what identifies an endpoint.
    #[must_use]
    pub fn anonymous(&self) -> String {
        self.segments.iter().fold(String::new(), |mut out, segment| {
            out.push('/');
            match segment {
                Segment::Literal(text) => out.push_str(text),
                Segment::Param { prefix, suffix, .. } => {
                    out.push_str(prefix);
                    out.push_str("{}");
                    out.push_str(suffix);
                }
            }
            out
        })
    }

    /// The raw (still percent-encoded) parameter values of a path that fits, from left to right.
    ///
    /// A value is never empty and never spans a slash.
    #[must_use]
    pub fn captures<'p>(&self, path: &'p str) -> Option<Vec<&'p str>> {
        let mut parts = path.strip_prefix('/')?.split('/');
        let mut values = Vec::new();
        for segment in &self.segments {
            let part = parts.next()?;
            match segment {
                Segment::Literal(text) => {
                    if text != part {
                        return None;
                    }
                }
                Segment::Param { prefix, suffix, .. } => {
                    let value = part.strip_prefix(prefix.as_str())?.strip_suffix(suffix.as_str())?;
                    if value.is_empty() {
                        return None;
                    }
                    values.push(value);
                }
            }
        }
        parts.next().is_none().then_some(values)
    }

    /// Whether a concrete path fits.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.captures(path).is_some()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{text}")?,
                Segment::Param { prefix, name, suffix } => write!(f, "/{prefix}{{{name}}}{suffix}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Template::parse(&text).map_err(serde::de::Error::custom)
    }
}
