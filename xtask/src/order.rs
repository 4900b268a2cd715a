//! The modules of the core stand in the order of the data's path, and each uses only what stands to its left.

use std::path::Path;

use crate::source::{Source, files};

/// Everything may use the ground.
const GROUND: [&str; 4] = ["canon", "finding", "ids", "json"];

/// Left to right. Modules of one step do not use each other.
const PATH: [&[&str]; 11] = [
    &["capture"],
    &["redact"],
    &["endpoint"],
    &["toolpack"],
    &["lock"],
    &["guard"],
    &["audit"],
    &["diff", "drift", "lint", "verify"],
    &["explain"],
    &["report"],
    // The file formats know every stage, and no stage knows them.
    &["artifact"],
];

/// A look to the right that is meant.
struct Waiver {
    /// Files whose path below `src` starts so.
    file: &'static str,
    /// What they may use.
    uses: &'static str,
    /// Why that is better than moving something.
    #[allow(dead_code, reason = "written for the reader of this table")]
    why: &'static str,
}

const WAIVERS: &[Waiver] = &[Waiver {
    file: "capture/openapi",
    uses: "endpoint",
    why: "a published description says what the endpoints are; there are no exchanges to learn them from",
}];

/// Every use of a module to the right, and every waiver that nothing needs.
pub fn faults(root: &Path) -> Result<Vec<String>, String> {
    let sources = files(&root.join("crates/cask-core/src"), "rs")?;
    let mut faults = Vec::new();
    let mut needed = vec![false; WAIVERS.len()];
    for source in sources.iter().filter(|source| !source.is_test()) {
        let Some(module) = module(source) else { continue };
        let Some(mine) = rank(&module) else {
            faults.push(format!(
                "xtask/src/order.rs: module `{module}` has no place in the order: give it one"
            ));
            continue;
        };
        for (line, used) in uses(source) {
            let theirs = rank(&used);
            if used == module || theirs.is_none_or(|theirs| theirs == 0 || theirs < mine) {
                continue;
            }
            let file = source.path.to_string_lossy();
            let waiver = WAIVERS.iter().position(|w| file.starts_with(w.file) && used == w.uses);
            match waiver.and_then(|at| needed.get_mut(at)) {
                Some(needed) => *needed = true,
                None => faults.push(format!(
                    "crates/cask-core/src/{file}:{line}: `{module}` uses `{used}`, which does not stand to its left: \
                     move what both need to the left, or write a waiver with its reason"
                )),
            }
        }
    }
    let unused = WAIVERS.iter().zip(needed).filter(|(_, needed)| !needed);
    faults.extend(
        unused.map(|(w, _)| format!("xtask/src/order.rs: nothing needs {} → {}: remove it", w.file, w.uses)),
    );
    Ok(faults)
}

/// The module of the core that a file belongs to; `lib.rs` belongs to none.
fn module(source: &Source) -> Option<String> {
    let first = source.path.iter().next()?.to_str()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (name != "lib").then(|| name.to_owned())
}

fn rank(module: &str) -> Option<usize> {
    if GROUND.contains(&module) {
        return Some(0);
    }
    PATH.iter().position(|step| step.contains(&module)).map(|at| at + 1)
}

/// The modules that a file names by `crate::x` or `crate::{x, y::z}`, with the line of each.
fn uses(source: &Source) -> Vec<(usize, String)> {
    let code = source.code();
    let mut found = Vec::new();
    for (at, (number, line)) in code.iter().enumerate() {
        for (_, rest) in line.match_indices("crate::").map(|(i, word)| line.split_at(i + word.len())) {
            if rest.starts_with('{') {
                let rest = std::iter::once(rest).chain(code.iter().skip(at + 1).map(|(_, line)| *line));
                found.extend(group(rest).into_iter().map(|name| (*number, name)));
            } else {
                found.push((*number, word(rest)));
            }
        }
    }
    found.retain(|(_, name)| rank(name).is_some());
    found
}

/// The first names in `{a, b::{c, d}, e}`, which may go on over lines.
fn group<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut fresh) = (0_usize, false);
    for line in lines {
        for (i, c) in line.char_indices() {
            match c {
                '{' => {
                    depth += 1;
                    fresh = depth == 1;
                }
                '}' if depth <= 1 => return names,
                '}' => depth -= 1,
                ',' => fresh = depth == 1,
                c if fresh && !c.is_whitespace() => {
                    names.push(word(line.split_at(i).1));
                    fresh = false;
                }
                _ => {}
            }
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_groups_and_paths_and_not_in_comments_or_tests() {
        let text = "use crate::{canon::{Digest, digest}, lock, // crate::drift\n    guard::Call};\n\
                    /// See [`crate::report`].\nfn f() { crate::capture::read(); }\n\
                    #[cfg(test)]\nmod tests;\nuse crate::ids;\n#[cfg(test)]\nmod more {\n    use crate::audit;\n}\n";
        let source = Source { path: "toolpack.rs".into(), text: text.to_owned() };
        let names: Vec<String> = uses(&source).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["canon", "lock", "guard", "capture", "ids"]);
    }
}
