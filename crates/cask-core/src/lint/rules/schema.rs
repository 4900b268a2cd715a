//! Schemas and names that a known client refuses.
//!
//! A client that refuses one tool often refuses the whole list. Each message names the client.

use serde_json::{Map, Value};

use super::{Check, row};
use crate::finding::Severity::{Breaking, Info, Warning};
use crate::json::token;
use crate::lint::view::{Hit, View, few};
use crate::toolpack::name::is_name;
use crate::toolpack::{Fixed, Tool};

const AREA: &str = "What clients take";

/// More places in one schema than this are not listed.
const LISTED: usize = 5;

/// What strict mode took when it was published, and Azure OpenAI takes.
const LEVELS: usize = 5;
const PROPERTIES: usize = 100;
const VALUES: usize = 500;

/// Formats that strict mode knows.
const FORMATS: [&str; 9] =
    ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

pub(super) static RULES: &[Check] = &[
    row(
        AREA,
        "schema-not-object",
        Breaking,
        "a schema that is not an object at the top",
        "MCP asks for `type: object` at the top of the input schema, and of the output schema if there is one. Clients that check refuse the tool, some the whole list. Wrap the value in an object with one member.",
        not_object,
    ),
    row(
        AREA,
        "schema-top-combinator",
        Breaking,
        "`anyOf`, `oneOf` or `allOf` at the top of an input schema",
        "Anthropic's API refuses a request in which one tool has a combinator at the top of its input schema, so that no tool of the list can be used; OpenAI refuses it in strict mode. Inside a property they are fine. Say which arguments belong together in the description instead.",
        combinator,
    ),
    row(
        AREA,
        "schema-reference",
        Warning,
        "a schema with references",
        "Gemini and several editors do not follow `$ref`, and Anthropic's API refuses it in some of its uses. Write the referenced schema where it is used.",
        reference,
    ),
    row(
        AREA,
        "schema-tuple",
        Warning,
        "an array with a schema for each place",
        "`prefixItems`, and a list as `items`, are not taken by OpenAI, Gemini and VS Code. Use one schema for all items, or an object with a member for each place.",
        |view| {
            places(
                view,
                is_tuple,
                "has arrays with a schema for each place, which OpenAI, Gemini and VS Code refuse",
            )
        },
    ),
    row(
        AREA,
        "schema-items-missing",
        Warning,
        "an array that does not say of what",
        "OpenAI and VS Code refuse a tool whose input has an array without `items`. Say what the items are; `anyOf` with all types if it can be anything.",
        |view| places(view, lacks_items, "has arrays without `items`, which OpenAI and VS Code refuse"),
    ),
    row(
        AREA,
        "schema-open-input",
        Warning,
        "an input schema that takes arguments that it does not name",
        "Without `additionalProperties: false` a model may send arguments that nobody reviewed. OpenAI refuses the tool in strict mode, and the gateway refuses such arguments whatever the schema says. Close the schema.",
        open,
    ),
    row(
        AREA,
        "tool-name-refused",
        Breaking,
        "a tool's name that clients refuse",
        "Anthropic's and OpenAI's APIs take names of 1 to 64 of A-Z, a-z, 0-9, `_` and `-`. They refuse a request with any other, so that no tool of the list can be used. Rename the tool.",
        tool_name,
    ),
    row(
        AREA,
        "argument-name-refused",
        Breaking,
        "an argument's name that clients refuse",
        "Anthropic's API takes arguments whose names are 1 to 64 of A-Z, a-z, 0-9, `_`, `.` and `-`, and refuses a request with any other, so that no tool of the list can be used. Give the argument another name: the binding says what it is called on the wire.",
        argument_name,
    ),
    row(
        AREA,
        "schema-too-deep",
        Info,
        "an input schema with many levels",
        "Strict mode took at most 5 levels of objects when it was published, and Azure OpenAI still does; OpenAI itself takes 10 now. Where the tool is used in strict mode, flatten the arguments.",
        deep,
    ),
    row(
        AREA,
        "schema-many-properties",
        Info,
        "an input schema with many properties",
        "Strict mode took at most 100 properties in one schema when it was published, and Azure OpenAI still does; OpenAI itself takes 5,000 now. A model also chooses worse among so many. Leave out what agents do not need.",
        many,
    ),
    row(
        AREA,
        "schema-long-enum",
        Info,
        "a long list of values",
        "Strict mode took at most 500 values in a list when it was published; OpenAI takes 1,000 in a whole schema now. All of them are sent with every request. Say what the values look like instead, and have a tool that lists them.",
        |view| {
            places(
                view,
                is_long,
                "has lists of more than 500 values, more than strict mode of OpenAI may take",
            )
        },
    ),
    row(
        AREA,
        "schema-format-unknown",
        Info,
        "a format that strict mode does not know",
        "OpenAI's strict mode takes `date-time`, `time`, `date`, `duration`, `email`, `hostname`, `ipv4`, `ipv6` and `uuid`, and refuses other formats. Elsewhere a format is a hint. Say it in the description if the tool is used in strict mode.",
        |view| places(view, is_odd, "has formats that strict mode of OpenAI does not know"),
    ),
];

/// An object in a schema, and where it stands.
struct Node<'s> {
    pointer: String,
    members: &'s Map<String, Value>,
    /// How many objects it is in, itself counted.
    level: usize,
}

/// Every schema inside a schema, itself first.
fn nodes<'s>(schema: &'s Map<String, Value>, at: &str) -> Vec<Node<'s>> {
    let mut out = Vec::new();
    let mut open = vec![(at.to_owned(), schema, 0)];
    while let Some((pointer, members, above)) = open.pop() {
        let level = above + usize::from(members.contains_key("properties"));
        let below = |keys: &[&str], value: &'s Value, open: &mut Vec<_>| {
            if let Some(inner) = value.as_object() {
                let path: String = keys.iter().map(|key| format!("/{}", token(key))).collect();
                open.push((format!("{pointer}{path}"), inner, level));
            }
        };
        for (key, value) in members {
            match (key.as_str(), value) {
                ("properties" | "$defs" | "definitions" | "patternProperties", Value::Object(inner)) => {
                    inner
                        .iter()
                        .for_each(|(name, schema)| below(&[key.as_str(), name.as_str()], schema, &mut open));
                }
                ("anyOf" | "oneOf" | "allOf" | "prefixItems" | "items", Value::Array(items)) => {
                    let items = items.iter().enumerate();
                    items.for_each(|(index, item)| {
                        below(&[key.as_str(), &index.to_string()], item, &mut open)
                    });
                }
                ("items" | "additionalProperties" | "not" | "contains", schema) => {
                    below(&[key.as_str()], schema, &mut open);
                }
                _ => {}
            }
        }
        out.push(Node { pointer, members, level });
    }
    out
}

fn input(tool: &Tool) -> Vec<Node<'_>> {
    nodes(&tool.input_schema, "/input_schema")
}

fn hit(tool: &Tool, message: String) -> Hit {
    Hit::new(format!("tool/{}", tool.name), message)
}

/// Tools with such places in their input schema.
fn places(view: &View<'_>, is: fn(&Map<String, Value>) -> bool, what: &str) -> Vec<Hit> {
    let of = |tool: &&Fixed| {
        let at = input(tool).into_iter().filter(|node| is(node.members)).map(|node| node.pointer);
        let mut at: Vec<String> = at.collect();
        at.sort();
        let first = at.first()?.clone();
        Some(hit(tool, format!("`{}` {what}", tool.name)).pointer(first).details(few(at, LISTED)))
    };
    view.tools.iter().filter_map(of).collect()
}

fn is_tuple(node: &Map<String, Value>) -> bool {
    node.contains_key("prefixItems") || node.get("items").is_some_and(Value::is_array)
}

fn lacks_items(node: &Map<String, Value>) -> bool {
    let array = match node.get("type") {
        Some(Value::String(one)) => one == "array",
        Some(Value::Array(any)) => any.iter().any(|one| one == "array"),
        _ => false,
    };
    array && !node.contains_key("items") && !node.contains_key("prefixItems")
}

fn is_long(node: &Map<String, Value>) -> bool {
    node.get("enum").and_then(Value::as_array).is_some_and(|values| values.len() > VALUES)
}

fn is_odd(node: &Map<String, Value>) -> bool {
    node.get("format").and_then(Value::as_str).is_some_and(|format| !FORMATS.contains(&format))
}

fn not_object(view: &View<'_>) -> Vec<Hit> {
    let mut out = Vec::new();
    for tool in &view.tools {
        let output = tool.output_schema.as_ref().map(|schema| ("/output_schema", schema));
        for (pointer, schema) in [("/input_schema", &tool.input_schema)].into_iter().chain(output) {
            if schema.get("type").is_none_or(|kind| kind != "object") {
                let message =
                    format!("the schema of `{}` is no object, which every MCP client asks for", tool.name);
                out.push(hit(tool, message).pointer(pointer));
            }
        }
    }
    out
}

fn combinator(view: &View<'_>) -> Vec<Hit> {
    let mut out = Vec::new();
    for tool in &view.tools {
        for key in ["anyOf", "oneOf", "allOf"].into_iter().filter(|key| tool.input_schema.contains_key(*key))
        {
            let message = format!(
                "the input schema of `{}` has `{key}` at the top, which Anthropic's API and strict mode of OpenAI refuse",
                tool.name
            );
            out.push(hit(tool, message).pointer(format!("/input_schema/{key}")));
        }
    }
    out
}

fn reference(view: &View<'_>) -> Vec<Hit> {
    let is = |node: &Map<String, Value>| {
        ["$ref", "$defs", "definitions"].iter().any(|key| node.contains_key(*key))
    };
    places(
        view,
        is,
        "has references, which Gemini and some editors do not follow and Anthropic's API may refuse",
    )
}

fn open(view: &View<'_>) -> Vec<Hit> {
    let open = |tool: &&&Fixed| tool.input_schema.get("additionalProperties") != Some(&Value::Bool(false));
    let hits = view.tools.iter().filter(open).map(|tool| {
        let message = format!(
            "the input schema of `{}` takes arguments that it does not name, which strict mode of OpenAI refuses",
            tool.name
        );
        hit(tool, message).pointer("/input_schema/additionalProperties")
    });
    hits.collect()
}

fn tool_name(view: &View<'_>) -> Vec<Hit> {
    let hits = view.tools.iter().filter(|tool| !is_name(&tool.name)).map(|tool| {
        let message = format!("Anthropic's and OpenAI's APIs refuse the name `{}`", tool.name);
        hit(tool, message).pointer("/name")
    });
    hits.collect()
}

fn argument_name(view: &View<'_>) -> Vec<Hit> {
    let mut out = Vec::new();
    for tool in &view.tools {
        let names = tool.input_schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        for (name, _) in names.filter(|(name, _)| !is_argument(name)) {
            let message = format!("Anthropic's API refuses the argument `{name}` of `{}`", tool.name);
            out.push(hit(tool, message).pointer(format!("/input_schema/properties/{}", token(name))));
        }
    }
    out
}

fn is_argument(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

fn deep(view: &View<'_>) -> Vec<Hit> {
    let of = |tool: &&Fixed| {
        let deepest = input(tool).into_iter().max_by_key(|node| (node.level, node.pointer.clone()))?;
        let message = format!(
            "the input schema of `{}` has {} levels of objects, and Azure OpenAI takes {LEVELS} in strict mode",
            tool.name, deepest.level
        );
        (deepest.level > LEVELS).then(|| hit(tool, message).pointer(deepest.pointer))
    };
    view.tools.iter().filter_map(of).collect()
}

fn many(view: &View<'_>) -> Vec<Hit> {
    let properties = |node: Node<'_>| node.members.get("properties")?.as_object().map(Map::len);
    let of = |tool: &&Fixed| {
        let count: usize = input(tool).into_iter().filter_map(properties).sum();
        let message = format!(
            "the input schema of `{}` has {count} properties, and Azure OpenAI takes {PROPERTIES} in strict mode",
            tool.name
        );
        (count > PROPERTIES).then(|| hit(tool, message).pointer("/input_schema"))
    };
    view.tools.iter().filter_map(of).collect()
}
