//! Alternatives. Our schemas have one type a node and `anyOf` for several, so branches are told apart by their type.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::keyword::TEXT;
use super::{Kind, Place, Walk, What};
use crate::diff::step;

/// A branch, and where it stands below its node.
struct Branch {
    schema: Value,
    pointer: String,
}

impl Walk {
    /// Compares the alternatives of two schemas by their types, if either has some and both can be read so.
    pub(super) fn branches(
        &mut self,
        place: &Place,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
    ) -> bool {
        if !(old.contains_key("anyOf") || new.contains_key("anyOf")) || old.get("anyOf") == new.get("anyOf") {
            return false;
        }
        let (Some(then), Some(now)) = (branches(old), branches(new)) else { return false };
        let (before, after) = (told(old), told(new));
        let types: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
        for name in types {
            let what = if name == "null" { What::Null } else { What::Types };
            match (then.get(name), now.get(name)) {
                (Some(then), Some(now)) => {
                    let at = Place { pointer: format!("{}{}", place.pointer, now.pointer), ..place.clone() };
                    self.node(&at.deeper(), Some(&then.schema), Some(&now.schema), What::Whole);
                }
                // a number may be whole
                (None, Some(_)) if name == "integer" && then.contains_key("number") => {}
                (Some(_), None) if name == "integer" && now.contains_key("number") => {}
                (None, _) => self.push(place, Kind::Wider(what), before.as_ref(), after.as_ref()),
                (_, None) => self.push(place, Kind::Narrower(what), before.as_ref(), after.as_ref()),
            }
        }
        true
    }
}

/// The branches of a schema by their type. `None` if they cannot be told apart so.
fn branches(schema: &Map<String, Value>) -> Option<BTreeMap<String, Branch>> {
    let told = |keyword: &&String| TEXT.contains(&keyword.as_str());
    let mut out = BTreeMap::new();
    let Some(any) = schema.get("anyOf") else {
        let name = schema.get("type")?.as_str()?.to_owned();
        let kept = schema.iter().filter(|(keyword, _)| !told(keyword));
        let kept = kept.map(|(keyword, value)| (keyword.clone(), value.clone())).collect();
        out.insert(name, Branch { schema: Value::Object(kept), pointer: String::new() });
        return Some(out);
    };
    if schema.keys().any(|keyword| keyword != "anyOf" && !told(&keyword)) {
        return None;
    }
    for (number, branch) in any.as_array()?.iter().enumerate() {
        let name = branch.get("type")?.as_str()?.to_owned();
        let pointer = step("/anyOf", &number.to_string());
        if out.insert(name, Branch { schema: branch.clone(), pointer }).is_some() {
            return None;
        }
    }
    Some(out)
}

/// What allows the types that a schema allows.
fn told(schema: &Map<String, Value>) -> Option<Value> {
    schema.get("anyOf").or_else(|| schema.get("type")).cloned()
}
