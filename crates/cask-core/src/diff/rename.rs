//! The same under another name: arguments that go where another one went, parameters of a path at the same place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::rules as r;
use super::{Subject, step};
use crate::endpoint::Place;
use crate::toolpack::{Binding, HttpBinding, Tool};

/// Where an argument goes: the part of the request and the name there.
type Goes<'t> = (&'static str, &'t str);

/// Says what only has another name, and gives the tool as it was with the names of now, so that the rest can be
/// compared. `None` if every name is the same.
pub(super) fn respell(then: &Tool, now: &Tool, out: &mut Subject<'_>) -> Option<Tool> {
    let (Binding::Http(was), Binding::Http(is)) = (&then.binding, &now.binding);
    let parameters = parameters(was, is);
    let arguments = arguments(then, now, &parameters);
    if parameters.is_empty() && arguments.is_empty() {
        return None;
    }
    for (old, new) in &arguments {
        let message = format!("argument `{old}` of `{}` is called `{new}` now", now.name);
        let pointer = step("/input_schema/properties", new);
        out.push(&r::ARG_RENAMED, &pointer, message, Some(Value::from(*old)), Some(Value::from(*new)));
    }
    // a parameter that has its argument's name changed with it
    let others = parameters.iter().filter(|(old, new)| arguments.get(**old) != Some(*new));
    for (old, new) in others {
        let message = format!("parameter `{old}` in the path of `{}` is called `{new}` now", now.name);
        let path = |http: &HttpBinding| Some(Value::from(http.path.to_string()));
        out.push(&r::PATH_PARAMETER, "/binding/http/path", message, path(was), path(is));
    }
    Some(spelled(then, now, &arguments, &parameters))
}

/// Parameters of the path that have another name at the same place.
fn parameters<'t>(was: &'t HttpBinding, is: &'t HttpBinding) -> BTreeMap<&'t str, &'t str> {
    if was.path == is.path || was.path.anonymous() != is.path.anonymous() {
        return BTreeMap::new();
    }
    was.path.params().zip(is.path.params()).filter(|(old, new)| old != new).collect()
}

/// Arguments that go where an argument of another name went.
fn arguments<'t>(
    then: &'t Tool,
    now: &'t Tool,
    parameters: &BTreeMap<&'t str, &'t str>,
) -> BTreeMap<&'t str, &'t str> {
    let (Binding::Http(was), Binding::Http(is)) = (&then.binding, &now.binding);
    let (old, new) = (goes(was, parameters), goes(is, &BTreeMap::new()));
    let has = |tool: &Tool, name: &str| {
        tool.input_schema.get("properties").is_some_and(|all| all.get(name).is_some())
    };
    let (mut out, mut taken) = (BTreeMap::new(), BTreeSet::new());
    for (place, argument) in new {
        let before = old.get(&place).copied().flatten();
        let Some((before, after)) = before.zip(argument).filter(|(before, after)| before != after) else {
            continue;
        };
        let moved = has(then, before) && has(now, after) && !has(now, before) && !has(then, after);
        if moved && taken.insert(after) {
            out.insert(before, after);
        }
    }
    out
}

/// The argument that goes to each place; none where several go there.
fn goes<'t>(
    http: &'t HttpBinding,
    parameters: &BTreeMap<&'t str, &'t str>,
) -> BTreeMap<Goes<'t>, Option<&'t str>> {
    let mut out: BTreeMap<Goes<'t>, Option<&'t str>> = BTreeMap::new();
    let args = http.args.iter().map(|(argument, to)| {
        let name = to.name.as_str();
        let name = if to.place == Place::Path { parameters.get(name).copied().unwrap_or(name) } else { name };
        (to.place.as_str(), name, argument)
    });
    let body = http.body.iter();
    let members = body
        .clone()
        .flat_map(|body| &body.members)
        .map(|(argument, member)| ("body", member.as_str(), argument));
    // an empty name is no member of ours
    let whole = body.filter_map(|body| body.whole.as_ref()).map(|argument| ("whole body", "", argument));
    for (place, name, argument) in args.chain(members).chain(whole) {
        out.entry((place, name)).and_modify(|one| *one = None).or_insert(Some(argument.as_str()));
    }
    out
}

fn spelled(
    then: &Tool,
    now: &Tool,
    arguments: &BTreeMap<&str, &str>,
    parameters: &BTreeMap<&str, &str>,
) -> Tool {
    let renamed =
        |name: &String| arguments.get(name.as_str()).map_or_else(|| name.clone(), |new| (*new).to_owned());
    let mut tool = then.clone();
    let schema = Arc::make_mut(&mut tool.input_schema);
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        *properties = std::mem::take(properties)
            .into_iter()
            .map(|(name, value)| (renamed(&name), value))
            .collect::<Map<_, _>>();
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        for name in required {
            if let Value::String(name) = name {
                *name = renamed(name);
            }
        }
    }
    let (Binding::Http(http), Binding::Http(is)) = (&mut tool.binding, &now.binding);
    if !parameters.is_empty() {
        http.path = is.path.clone();
    }
    for to in http.args.values_mut().filter(|to| to.place == Place::Path) {
        if let Some(new) = parameters.get(to.name.as_str()) {
            to.name = (*new).to_owned();
        }
    }
    http.args = std::mem::take(&mut http.args).into_iter().map(|(name, to)| (renamed(&name), to)).collect();
    if let Some(body) = &mut http.body {
        body.members = std::mem::take(&mut body.members)
            .into_iter()
            .map(|(name, member)| (renamed(&name), member))
            .collect();
        body.whole = body.whole.take().map(|name| renamed(&name));
    }
    tool
}
