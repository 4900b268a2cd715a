//! A tool that does not change any more, with the bytes that an approval signs.

use std::ops::Deref;
use std::sync::OnceLock;

use crate::canon::{self, CanonError, Digest};
use crate::endpoint::Risk;

use super::{Tool, floor};

/// A tool, its canonical form (RFC 8785) and the digest of that.
///
/// Read from `tools.json`, the form is the text that stands there, whatever it is: one that is not canonical
/// has another digest than what was approved, so nobody needs to make it again to know. Who approves does
/// ([`Fixed::is_canonical`]).
#[derive(Debug, Clone)]
pub struct Fixed {
    tool: Tool,
    text: Box<str>,
    digest: Digest,
    /// [`Fixed::floor`], once somebody asked.
    floor: OnceLock<Risk>,
}

/// Who was asked what does not matter.
impl PartialEq for Fixed {
    fn eq(&self, other: &Self) -> bool {
        (&self.tool, &self.text, self.digest) == (&other.tool, &other.text, other.digest)
    }
}

impl Fixed {
    /// Fixes a tool as it is now.
    ///
    /// # Errors
    /// [`CanonError`] if it has no canonical form (a whole number beyond 2^53).
    pub fn new(tool: Tool) -> Result<Self, CanonError> {
        let text = canonical(&tool)?;
        Ok(Self { digest: Digest::of_bytes(text.as_bytes()), tool, text, floor: OnceLock::new() })
    }

    /// Reads the text of one.
    ///
    /// # Errors
    /// The parser's own words.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        Ok(Self {
            tool: serde_json::from_str(text)?,
            digest: Digest::of_bytes(text.as_bytes()),
            text: text.into(),
            floor: OnceLock::new(),
        })
    }

    /// The text that the digest is of.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The digest that an approval signs.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The least risk that it can have, see [`floor::risk`].
    #[must_use]
    pub fn floor(&self) -> Risk {
        *self.floor.get_or_init(|| floor::risk(&self.tool))
    }

    /// Whether the text is the tool's canonical form.
    #[must_use]
    pub fn is_canonical(&self) -> bool {
        canonical(&self.tool).is_ok_and(|text| text == self.text)
    }

    /// The tool, to change it.
    #[must_use]
    pub fn into_tool(self) -> Tool {
        self.tool
    }
}

impl Deref for Fixed {
    type Target = Tool;

    fn deref(&self) -> &Tool {
        &self.tool
    }
}

impl AsRef<Tool> for Fixed {
    fn as_ref(&self) -> &Tool {
        &self.tool
    }
}

fn canonical(tool: &Tool) -> Result<Box<str>, CanonError> {
    let bytes = canon::canonical(tool)?;
    Ok(String::from_utf8_lossy(&bytes).into())
}

#[cfg(test)]
impl Fixed {
    /// The same tool with a difference.
    pub(crate) fn changed(&self, change: impl FnOnce(&mut Tool)) -> Self {
        let mut tool = self.tool.clone();
        change(&mut tool);
        Self::new(tool).unwrap()
    }
}
