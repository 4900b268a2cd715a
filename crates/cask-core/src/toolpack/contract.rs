//! Post-conditions: what an answer must be for a call to have done what it is for.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::canon::Digest;
use crate::endpoint::{Endpoint, Schema, TypeSet};

use super::{Fixed, bind, schema};

/// The post-conditions of one tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// The endpoint it was learned from.
    pub endpoint: String,
    /// The tool as it was then.
    pub digest: Digest,
    /// Statuses of a call that worked. Empty: any 2xx.
    pub statuses: BTreeSet<u16>,
    /// Media types of such an answer. Empty: no statement.
    #[serde(default)]
    pub media: BTreeSet<String>,
    /// Fields that are always there: JSON pointer (`*` for array items and map keys) to JSON types.
    #[serde(default)]
    pub required: BTreeMap<String, TypeSet>,
    /// Fields that may be missing, and their types when they are there.
    #[serde(default)]
    pub optional: BTreeMap<String, TypeSet>,
}

/// Fields of one contract at most, and how deep they go.
const MAX_FIELDS: usize = 400;
const MAX_DEPTH: usize = 8;

/// The contract of a tool.
#[must_use]
pub fn contract(tool: &Fixed, endpoint: &Endpoint) -> Contract {
    let worked = || endpoint.responses.iter().filter(|(status, _)| (200..300).contains(*status));
    let answer = answer(endpoint);
    let mut fields = Fields::default();
    if let Some(answer) = &answer {
        fields.walk(answer, "", true, 0);
    }
    Contract {
        endpoint: tool.evidence.endpoint.clone(),
        digest: tool.digest(),
        statuses: worked().map(|(status, _)| *status).collect(),
        media: worked().flat_map(|(_, response)| response.content.keys().cloned()).collect(),
        required: fields.required,
        optional: fields.optional,
    }
}

/// The JSON that calls that worked were answered with, all statuses together.
#[must_use]
pub fn answer(endpoint: &Endpoint) -> Option<Cow<'_, Schema>> {
    let worked = endpoint.responses.iter().filter(|(status, _)| (200..300).contains(*status));
    schema::union_of(
        worked
            .flat_map(|(_, response)| &response.content)
            .filter(|(media, _)| bind::is_json(media))
            .map(|(_, payload)| &*payload.schema),
    )
}

#[derive(Default)]
struct Fields {
    required: BTreeMap<String, TypeSet>,
    optional: BTreeMap<String, TypeSet>,
}

impl Fields {
    fn walk(&mut self, schema: &Schema, at: &str, always: bool, depth: usize) {
        if depth > MAX_DEPTH || self.required.len() + self.optional.len() >= MAX_FIELDS {
            return;
        }
        if !schema.types.is_empty() {
            let side = if always { &mut self.required } else { &mut self.optional };
            side.insert(at.to_owned(), schema.types);
        }
        for (name, property) in &schema.properties {
            let at = format!("{at}/{}", crate::json::token(name));
            self.walk(&property.schema, &at, always && property.required, depth + 1);
        }
        // items and map values hold for each that is there, so for an empty list as well
        for inner in [&schema.items, &schema.additional].into_iter().flatten() {
            self.walk(inner, &format!("{at}/*"), always, depth + 1);
        }
    }
}
