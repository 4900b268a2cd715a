//! The default policy and its schema, in Cedar.
//!
//! Every tool is an action in the groups of its effect, its risk and its toolsets. The policy speaks of
//! groups only, so that its text, and with it its approval, does not change when tools come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rayon::prelude::*;
use serde_json::{Map, Value};

use crate::endpoint::{Effect, Risk};

use super::Fixed;

/// The default policy: deny; reads allowed; all else confirmed and limited.
pub const DEFAULT: &str = r#"// Deny is the default: what no rule permits does not happen.

@id("allow-reads")
permit (principal, action in [Action::"effect_read"], resource);

@id("allow-changes")
permit (
  principal,
  action in [
    Action::"effect_write", Action::"effect_delete", Action::"effect_payment",
    Action::"effect_auth", Action::"effect_admin"
  ],
  resource
);

@id("confirm-changes")
forbid (
  principal,
  action in [
    Action::"effect_write", Action::"effect_delete", Action::"effect_payment",
    Action::"effect_auth", Action::"effect_admin"
  ],
  resource
) unless { context.confirmed };

@id("confirm-high-risk")
forbid (principal, action in [Action::"risk_high", Action::"risk_critical"], resource)
unless { context.confirmed };

@id("limit-writes")
forbid (principal, action in [Action::"effect_write"], resource)
when { context.calls.minute >= 30 || context.calls.hour >= 300 };

@id("limit-deletes")
forbid (principal, action in [Action::"effect_delete"], resource)
when { context.calls.minute >= 10 || context.calls.hour >= 60 };

@id("limit-auth")
forbid (principal, action in [Action::"effect_auth"], resource)
when { context.calls.minute >= 5 || context.calls.hour >= 30 };

@id("limit-admin")
forbid (principal, action in [Action::"effect_admin"], resource)
when { context.calls.minute >= 5 || context.calls.hour >= 30 };

@id("limit-payments")
forbid (principal, action in [Action::"effect_payment"], resource)
when { context.calls.minute >= 2 || context.calls.hour >= 10 };
"#;

/// What Cedar can type of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `String`
    Text,
    /// `Long`
    Long,
    /// `Bool`
    Bool,
    /// `Set<String>`
    Texts,
}

impl Kind {
    fn cedar(self) -> &'static str {
        match self {
            Kind::Text => "String",
            Kind::Long => "Long",
            Kind::Bool => "Bool",
            Kind::Texts => "Set<String>",
        }
    }
}

/// The arguments that a policy can speak of, with their Cedar type and whether a call always has them.
///
/// Arguments of other types (objects, fractions, unions) are not in the context.
#[must_use]
pub fn arguments(input_schema: &Map<String, Value>) -> BTreeMap<String, (Kind, bool)> {
    let required: BTreeSet<&str> = input_schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let Some(properties) = input_schema.get("properties").and_then(Value::as_object) else {
        return BTreeMap::new();
    };
    properties
        .iter()
        .filter_map(|(name, schema)| {
            let kind = match schema.get("type").and_then(Value::as_str)? {
                "string" => Kind::Text,
                "integer" => Kind::Long,
                "boolean" => Kind::Bool,
                "array" if schema.pointer("/items/type").and_then(Value::as_str) == Some("string") => {
                    Kind::Texts
                }
                _ => return None,
            };
            Some((name.clone(), (kind, required.contains(name.as_str()))))
        })
        .collect()
}

/// The Cedar schema for these tools.
#[must_use]
pub fn schema(tools: &[Fixed], toolsets: &BTreeMap<String, BTreeSet<String>>) -> String {
    let mut out = String::from("entity Agent;\nentity Host;\ntype Calls = { minute: Long, hour: Long };\n\n");
    let groups = Effect::ALL
        .iter()
        .map(|effect| format!("effect_{}", effect.as_str()))
        .chain(Risk::ALL.iter().map(|risk| format!("risk_{}", risk.as_str())))
        .chain(toolsets.keys().map(|toolset| format!("toolset_{toolset}")));
    for group in groups {
        let _ = writeln!(out, "action {};", quoted(&group));
    }
    let actions = tools.par_iter().map(|tool| {
        let mut groups =
            vec![format!("effect_{}", tool.effect.as_str()), format!("risk_{}", tool.risk.as_str())];
        groups.extend(
            toolsets
                .iter()
                .filter(|(_, members)| members.contains(&tool.name))
                .map(|(toolset, _)| format!("toolset_{toolset}")),
        );
        let groups: Vec<String> = groups.iter().map(|group| quoted(group)).collect();
        let args: Vec<String> = arguments(&tool.input_schema)
            .iter()
            .map(|(name, (kind, required))| {
                format!("{}{}: {}", quoted(name), if *required { "" } else { "?" }, kind.cedar())
            })
            .collect();
        format!(
            "\naction {} in [{}] appliesTo {{ principal: [Agent], resource: [Host], context: {{ args: {{ {} }}, confirmed: Bool, calls: Calls, toolset: String }} }};\n",
            quoted(&tool.name),
            groups.join(", "),
            args.join(", "),
        )
    });
    actions.collect::<Vec<String>>().iter().for_each(|action| out.push_str(action));
    out
}

/// Names reach this only as `[A-Za-z0-9_.-]`; escaping is for whoever changes that.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
