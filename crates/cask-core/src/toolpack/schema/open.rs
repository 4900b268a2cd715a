//! What an answer always is, measured before it is written: most answers are larger than what an agent should read, and
//! several cuts are tried until one fits.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{is_member, names, per_type, types};
use crate::endpoint::{Schema, TypeSet};
use crate::toolpack::describe;

/// How much of an answer is described.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Levels of nesting.
    pub depth: usize,
    /// Members per object.
    pub breadth: usize,
    /// Whether `required` lists are written.
    pub required: bool,
}

/// A place in an answer of which something can be said. What is below it is looked at when it is first needed.
pub(super) struct Node<'s> {
    schema: &'s Schema,
    names: Vec<&'static str>,
    members: OnceCell<Vec<Member<'s>>>,
    items: OnceCell<Option<Box<Node<'s>>>>,
}

struct Member<'s> {
    name: &'s str,
    /// It was there in every one of several answers.
    promised: bool,
    node: Option<Node<'s>>,
}

impl<'s> Node<'s> {
    /// `None` where nothing can be said, so that nothing is.
    pub fn of(schema: &'s Schema) -> Option<Self> {
        let types = types(schema);
        // only ever null, or anything: no statement
        if types.is_empty() || types == TypeSet::NULL {
            return None;
        }
        // a quantity that was whole so far may have a fraction tomorrow
        let types = if types.has(TypeSet::INTEGER) && !schema.identifier {
            types.without(TypeSet::INTEGER).with(TypeSet::NUMBER)
        } else {
            types
        };
        Some(Self { schema, names: names(types), members: OnceCell::new(), items: OnceCell::new() })
    }

    /// The members that may be shown, the most telling first.
    fn members(&self, limits: Limits) -> impl Iterator<Item = (&Member<'s>, &Node<'s>)> {
        let all = self.members.get_or_init(|| {
            let shown = self.schema.properties.iter().filter(|(name, _)| is_member(name));
            let mut ranked: Vec<_> = shown
                .map(|(name, property)| ((describe::rank(name), !property.required, name.as_str()), property))
                .collect();
            ranked.sort_by_key(|(rank, _)| *rank);
            let most = super::OUTPUT_TRIES.iter().map(|limits| limits.breadth).max().unwrap_or_default();
            let taken = ranked.into_iter().take(most);
            taken
                .map(|((.., name), property)| Member {
                    name,
                    // what was there in all of a handful of answers is a habit, not yet a promise
                    promised: property.required && (property.of == 0 || property.of >= 3),
                    node: Node::of(&property.schema),
                })
                .collect()
        });
        all.iter().take(limits.breadth).filter_map(|member| Some((member, member.node.as_ref()?)))
    }

    /// The items of a list and how deep they are looked at: `[{…}]` reads like `{…}`, so they are not a level of their own.
    fn items(&self, limits: Limits) -> Option<(&Node<'s>, Limits)> {
        let items = self.items.get_or_init(|| self.schema.items.as_deref().and_then(Node::of).map(Box::new));
        let node = items.as_deref()?;
        let within = if node.schema.items.is_some() { limits.below() } else { limits };
        Some((node, within))
    }

    /// Whether its JSON takes no more bytes than that.
    pub fn fits(&self, limits: Limits, bytes: usize) -> bool {
        let mut room = bytes;
        self.measure(limits, &mut room).is_some()
    }

    /// Takes the bytes of its JSON from the room; `None` as soon as they are more.
    fn measure(&self, limits: Limits, room: &mut usize) -> Option<()> {
        let take = |room: &mut usize, bytes: usize| {
            *room = room.checked_sub(bytes)?;
            Some(())
        };
        if self.names.len() > 1 {
            take(room, r#"{"anyOf":[]}"#.len() + self.names.len() - 1)?;
        }
        for name in &self.names {
            take(room, r#"{"type":""}"#.len() + name.len())?;
            if limits.depth == 0 {
                continue;
            }
            if *name == "array" {
                if let Some((items, within)) = self.items(limits) {
                    take(room, r#","items":"#.len())?;
                    items.measure(within, room)?;
                }
            } else if *name == "object" {
                let (mut members, mut required) = (0, 0);
                for (member, node) in self.members(limits) {
                    take(room, r#""":"#.len() + member.name.len() + usize::from(members > 0))?;
                    node.measure(limits.below(), room)?;
                    members += 1;
                    if limits.required && member.promised {
                        take(room, r#""""#.len() + member.name.len() + usize::from(required > 0))?;
                        required += 1;
                    }
                }
                if members > 0 {
                    take(room, r#","properties":{}"#.len())?;
                }
                if required > 0 {
                    take(room, r#","required":[]"#.len())?;
                }
            }
        }
        Some(())
    }

    /// As JSON Schema.
    pub fn write(&self, limits: Limits) -> Value {
        per_type(&self.names, |name| {
            let mut node = Map::new();
            node.insert("type".to_owned(), json!(name));
            if limits.depth == 0 {
                return node;
            }
            if name == "array" {
                if let Some((items, within)) = self.items(limits) {
                    node.insert("items".to_owned(), items.write(within));
                }
            } else if name == "object" {
                self.write_members(&mut node, limits);
            }
            node
        })
    }

    fn write_members(&self, node: &mut Map<String, Value>, limits: Limits) {
        let mut properties = Map::new();
        let mut required = BTreeSet::new();
        for (member, inner) in self.members(limits) {
            properties.insert(member.name.to_owned(), inner.write(limits.below()));
            if limits.required && member.promised {
                required.insert(member.name);
            }
        }
        if properties.is_empty() {
            return;
        }
        properties.sort_keys();
        node.insert("properties".to_owned(), Value::Object(properties));
        if !required.is_empty() {
            node.insert("required".to_owned(), json!(required));
        }
    }
}

impl Limits {
    fn below(self) -> Self {
        Self { depth: self.depth.saturating_sub(1), ..self }
    }
}
