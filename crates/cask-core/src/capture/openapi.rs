//! Published descriptions: OpenAPI 3.0 and 3.1 and Swagger 2.0, in YAML or JSON, read into endpoints.
//!
//! Everything in a description is hostile: it is bounded, its references never leave the file, and its
//! texts are kept short and plain. What cannot be carried over is noted; it does not stop the rest.
//!
//! This reader makes endpoints, not exchanges, and so it is the one part of `capture` that looks right.

use std::collections::BTreeMap;

use crate::capture::Scheme;
use crate::endpoint::Endpoint;
use crate::json::Json;

mod body;
mod document;
mod expand;
mod merge;
mod operation;
mod param;
mod path;
mod security;
mod server;

use document::Document;

/// What a description says.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// `info.title` (hostile text, plain and bounded).
    pub title: String,
    /// `info.version`, likewise.
    pub version: String,
    /// Its operations, sorted by host, path template and method; none twice.
    pub endpoints: Vec<Endpoint>,
    /// What was left out, changed or guessed, sorted.
    pub notes: Vec<Note>,
}

/// Something a reader of the description should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// RFC 6901 JSON pointer into the description.
    pub pointer: String,
    /// What happened there.
    pub message: String,
}

/// Why a description cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenapiError {
    /// Not JSON or YAML, or too large or too deep.
    #[error("{file}:{line}: {message}")]
    Syntax {
        /// File as the caller named it.
        file: String,
        /// Line, from 1; 0 where it is the whole file.
        line: u64,
        /// What the parser said.
        message: String,
    },
    /// A document of another kind or version.
    #[error("{file}: {message}")]
    Unsupported {
        /// File as the caller named it.
        file: String,
        /// What it seems to be.
        message: String,
    },
    /// A description with faults that leave nothing to use.
    #[error("{}", listed(file, faults))]
    Faulty {
        /// File as the caller named it.
        file: String,
        /// Every fault found, up to a bound.
        faults: Vec<Note>,
    },
    /// Operations without an absolute server.
    #[error("{file}: its servers name no host; say which one with `-a HOST`")]
    NoHost {
        /// File as the caller named it.
        file: String,
    },
}

fn listed(file: &str, faults: &[Note]) -> String {
    let lines: Vec<String> =
        faults.iter().map(|fault| format!("{file}#{}: {}", fault.pointer, fault.message)).collect();
    lines.join("\n")
}

/// Reads a description. `host` (`api.example.com`, with a port if it is not the scheme's own) is used
/// where its servers name none, and picks among several.
///
/// # Errors
/// [`OpenapiError`] if nothing in it can be used; see [`Description::notes`] for the rest.
pub fn read(text: &str, file: &str, host: Option<&str>) -> Result<Description, OpenapiError> {
    let root = document::parse(text, file)?;
    let document = Document::new(&root);
    let dialect =
        dialect(&root).map_err(|message| OpenapiError::Unsupported { file: file.to_owned(), message })?;
    let info = |name| root.get("info").and_then(|info| info.get(name)).and_then(Json::as_str);
    let operations = operation::all(&document, dialect);
    if operations.is_empty() {
        let mut faults = document.notes();
        faults.truncate(20);
        if faults.is_empty() {
            faults.push(Note { pointer: "/paths".to_owned(), message: "there are no operations".to_owned() });
        }
        return Err(OpenapiError::Faulty { file: file.to_owned(), faults });
    }
    let cap = operation::cap(&document, &operations);
    let mut endpoints: BTreeMap<String, Endpoint> = BTreeMap::new();
    let mut homeless = 0;
    for operation in &operations {
        let Some(server) = server::of(&document, dialect, operation, host) else {
            homeless += 1;
            continue;
        };
        let Some(endpoint) = operation.endpoint(&document, dialect, &server, cap) else { continue };
        match endpoints.get_mut(&endpoint.id) {
            Some(known) => {
                document.note(
                    &operation.pointer,
                    "the same method and path as another operation; they are one endpoint",
                );
                merge::into(known, endpoint);
            }
            None => {
                endpoints.insert(endpoint.id.clone(), endpoint);
            }
        }
    }
    if endpoints.is_empty() {
        if homeless > 0 {
            return Err(OpenapiError::NoHost { file: file.to_owned() });
        }
        return Err(OpenapiError::Faulty { file: file.to_owned(), faults: document.notes() });
    }
    let judged = security::declared(&document, dialect);
    let mut endpoints: Vec<Endpoint> =
        endpoints.into_values().map(|endpoint| judge(endpoint, judged)).collect();
    endpoints.sort_by_cached_key(|endpoint| {
        (endpoint.host.clone(), endpoint.template.to_string(), endpoint.method.clone())
    });
    Ok(Description {
        title: shown(info("title").unwrap_or_default(), 200),
        version: shown(info("version").unwrap_or_default(), 60),
        endpoints,
        notes: document.notes(),
    })
}

/// Effect and risk of a declared endpoint; `secured` says whether the description declares any security.
fn judge(mut endpoint: Endpoint, secured: bool) -> Endpoint {
    let mut signals = crate::endpoint::effect::Signals::of(&endpoint);
    signals.auth_known = secured;
    let verdict = crate::endpoint::effect::classify(&signals);
    endpoint.effect = verdict.effect;
    endpoint.risk = verdict.risk;
    endpoint.reasons = verdict.reasons;
    endpoint
}

/// Which standard a document follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Swagger 2.0
    Swagger,
    /// OpenAPI 3.x
    Openapi,
}

fn dialect(root: &Json<'_>) -> Result<Dialect, String> {
    // YAML without quotes makes numbers of versions.
    let version = |name: &str| match root.get(name)? {
        Json::Str(text) => Some(text.trim().to_owned()),
        Json::Float(number) => Some(format!("{number:?}")),
        Json::Int(number) => Some(number.to_string()),
        _ => None,
    };
    let is = |version: &str, known: &str| version == known || version.starts_with(&format!("{known}."));
    match (version("openapi"), version("swagger")) {
        (Some(v), _) if ["3.0", "3.1", "3.2"].iter().any(|known| is(&v, known)) => Ok(Dialect::Openapi),
        (Some(v), _) => Err(format!("OpenAPI {} is not known here; 3.0 and 3.1 are", shown(&v, 20))),
        (None, Some(v)) if is(&v, "2.0") || v == "2" => Ok(Dialect::Swagger),
        (None, Some(v)) => Err(format!("Swagger {} is not known here; 2.0 is", shown(&v, 20))),
        (None, None) if root.get("asyncapi").is_some() => {
            Err("an AsyncAPI document; an OpenAPI one is needed".to_owned())
        }
        (None, None) => Err("neither `openapi` nor `swagger` says which standard it follows".to_owned()),
    }
}

/// Text of a description made plain: one line, no control, bidirectional or invisible characters, at
/// most `most` characters.
fn shown(text: &str, most: usize) -> String {
    let mut plain = String::new();
    let mut count = 0;
    for c in text.chars() {
        let c = if c.is_whitespace() { ' ' } else { c };
        let hidden = c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
        if hidden || (c == ' ' && (plain.is_empty() || plain.ends_with(' '))) {
            continue;
        }
        if count == most {
            plain.push('…');
            break;
        }
        plain.push(c);
        count += 1;
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// A server: where paths start.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Server {
    scheme: Scheme,
    host: String,
    /// `/v1`, or empty.
    base: String,
}

#[cfg(test)]
mod tests;
