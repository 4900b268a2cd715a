//! The texts that an agent reads, and what stands in them that may be there to steer it.

use rayon::prelude::*;
use serde_json::{Map, Value};

use crate::json::token;
use crate::lock::Surface;
use crate::toolpack::cues::{self, Cue};
use crate::toolpack::{Fixed, Tool};

/// A cue, and where it stands.
#[derive(Debug)]
pub(super) struct Seen {
    pub subject: String,
    pub pointer: String,
    pub cue: Cue,
}

/// What stands in the texts of these tools and in the names of the toolsets.
pub(super) fn seen(tools: &[&Fixed], surface: &Surface) -> Vec<Seen> {
    let found: Vec<Vec<Seen>> = tools.par_iter().map(|tool| of(tool)).collect();
    let mut out: Vec<Seen> = found.into_iter().flatten().collect();
    for name in surface.toolsets.keys() {
        let cues = cues::find(name).into_iter();
        let subject = format!("toolset/{name}");
        out.extend(cues.map(|cue| Seen { subject: subject.clone(), pointer: String::new(), cue }));
    }
    out
}

fn of(tool: &Tool) -> Vec<Seen> {
    let mut texts = vec![
        ("/name".to_owned(), tool.name.as_str()),
        ("/title".to_owned(), tool.title.as_str()),
        ("/description".to_owned(), tool.description.as_str()),
    ];
    members(&tool.input_schema, "/input_schema", &mut texts);
    if let Some(output) = &tool.output_schema {
        members(output, "/output_schema", &mut texts);
    }
    let subject = format!("tool/{}", tool.name);
    let cues = texts
        .into_iter()
        .flat_map(|(pointer, text)| cues::find(text).into_iter().map(move |cue| (pointer.clone(), cue)));
    cues.map(|(pointer, cue)| Seen { subject: subject.clone(), pointer, cue }).collect()
}

/// The names and texts in a schema. Types, formats and patterns are for programs; what is required is named elsewhere.
fn members<'s>(schema: &'s Map<String, Value>, at: &str, out: &mut Vec<(String, &'s str)>) {
    for (name, value) in schema {
        if matches!(name.as_str(), "type" | "format" | "pattern" | "required") && !value.is_object() {
            continue;
        }
        let pointer = format!("{at}/{}", token(name));
        out.push((pointer.clone(), name.as_str()));
        inside(value, &pointer, out);
    }
}

fn inside<'s>(value: &'s Value, at: &str, out: &mut Vec<(String, &'s str)>) {
    match value {
        Value::String(text) => out.push((at.to_owned(), text.as_str())),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| inside(item, &format!("{at}/{index}"), out));
        }
        Value::Object(inner) => members(inner, at, out),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
