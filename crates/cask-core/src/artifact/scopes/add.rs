//! Adding scopes to a file that a person wrote: lines go in, and none of theirs goes or changes.

use std::collections::BTreeMap;

use crate::artifact::{BadArtifact, yaml};
use crate::json::Json;
use crate::toolpack::scope::Scope;

use super::{FILE, Scopes, read, write};

/// The text with these scopes of a toolpack added; one of a name that is there stays as it is. Every line of the text is
/// still there, comments too, but for a `{}` that says that there is nothing.
///
/// # Errors
/// [`BadArtifact`] if the text is not what it should be, or is written in a way that nothing can be added to: then
/// somebody has to.
pub fn add(
    text: Option<&str>,
    toolpack: &str,
    scopes: &BTreeMap<String, Scope>,
) -> Result<String, BadArtifact> {
    let before = text.map(read).transpose()?.unwrap_or_default();
    let mut after = before.clone();
    let there = &mut after.toolpacks.entry(toolpack.to_owned()).or_default().scopes;
    let new: BTreeMap<&String, &Scope> =
        scopes.iter().filter(|(name, _)| !there.contains_key(*name)).collect();
    there.extend(new.iter().map(|(name, scope)| ((*name).clone(), (*scope).clone())));
    let out = match text {
        _ if new.is_empty() => return Ok(text.map_or_else(|| write(&Scopes::default()), str::to_owned)),
        None => write(&after),
        Some(text) => inserted(text, toolpack, &new),
    };
    // whatever was made of the lines counts only if it says what it should
    match read(&out) {
        Ok(again) if again == after => Ok(out),
        _ => Err(BadArtifact::new(
            FILE,
            "it is not written in blocks, so nothing can be added without changing it",
        )),
    }
}

fn inserted(text: &str, toolpack: &str, new: &BTreeMap<&String, &Scope>) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
        last.push('\n');
    }
    let path = ["toolpacks", toolpack, "scopes"];
    let (mut at, mut found) = (None, 0);
    for (level, key) in path.iter().enumerate() {
        let from = at.map_or(0, |at: usize| at + 1);
        let mut below = lines.iter().enumerate().skip(from).take_while(|(_, line)| is_within(line, level));
        let Some((line, _)) = below.find(|(_, line)| is_header(line, level, key)) else { break };
        (at, found) = (Some(line), level + 1);
    }
    if let Some(header) = at.and_then(|at| lines.get_mut(at)) {
        *header = opened(header);
    }
    let mut block = String::new();
    for (level, key) in path.iter().enumerate().skip(found) {
        yaml::key(&mut block, key, level);
        block.push('\n');
    }
    for (name, scope) in new {
        let value = serde_json::to_value(scope).unwrap_or_default();
        yaml::member(&mut block, name, &Json::from(&value), path.len());
    }
    lines.insert(at.map_or(lines.len(), |at| at + 1), block);
    lines.concat()
}

/// The line that opens a block, where it says so far that there is nothing in it.
fn opened(header: &str) -> String {
    match header.split_once(':') {
        Some((key, value)) if value.trim() == "{}" => format!("{key}:\n"),
        _ => header.to_owned(),
    }
}

/// Whether a line is in a block of that level: it says nothing, or stands far enough to the right.
fn is_within(line: &str, level: usize) -> bool {
    let rest = line.trim_start_matches(' ');
    rest.trim_end().is_empty() || rest.starts_with('#') || line.len() - rest.len() >= 2 * level
}

/// Whether a line opens the block of this key at that level, as it is written here.
fn is_header(line: &str, level: usize, key: &str) -> bool {
    let rest = line.trim_start_matches(' ');
    let quoted = format!("\"{key}\"");
    let after = rest.strip_prefix(quoted.as_str()).or_else(|| rest.strip_prefix(key));
    let value = after.and_then(|after| after.strip_prefix(':')).map(str::trim);
    line.len() - rest.len() == 2 * level
        && value.is_some_and(|value| value.is_empty() || value == "{}" || value.starts_with('#'))
}
