//! GraphQL calls: which operation of which document an exchange ran, told by a real parser.
//!
//! What looks like GraphQL and does not parse is left an ordinary call. A batch (a JSON array of calls)
//! is taken apart by [`unbatch`], so that each of its operations becomes a tool of its own.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use apollo_parser::cst::{CstNode, Definition, Selection, SelectionSet};
use apollo_parser::{Lexer, Parser, TokenKind};

use crate::capture::{Body, Exchange};
use crate::endpoint::Operation;
use crate::json::Json;

/// Bytes of a document beyond which it is not read.
const MAX_DOCUMENT: usize = 256 * 1024;
const MAX_TOKENS: usize = 50_000;
const MAX_DEPTH: usize = 100;
/// Calls of a batch beyond which it is left alone.
const MAX_BATCH: usize = 100;

/// One GraphQL call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call<'e> {
    /// The operation that ran.
    pub operation: Operation,
    /// The variables as they were sent; a GET carries them as JSON text.
    pub variables: Option<Cow<'e, Json<'e>>>,
    /// Declared variables with their GraphQL types, in order: `("id", "ID!")`.
    pub declared: Vec<(String, String)>,
    /// Whether the document has string literals: values from traffic that are fixed in the tool.
    pub literals: bool,
}

/// The GraphQL call of an exchange: POST with JSON or a form, GET with query parameters, whole
/// documents and persisted ones (`extensions.persistedQuery`, `documentId`, `doc_id`, `queryId`, `id`).
///
/// A batch with one call is that call; one with more is `None` (see [`unbatch`]).
#[must_use]
pub fn call<'e>(exchange: &'e Exchange<'_>) -> Option<Call<'e>> {
    let sent = Sent::of(exchange)?;
    if let Some(text) = sent.query.filter(|text| !text.trim().is_empty()) {
        let document = document(text, sent.name)?;
        let (persisted, persisted_as) =
            sent.persisted.map_or((None, None), |(id, member)| (Some(id), member));
        return Some(Call {
            operation: Operation {
                kind: document.kind,
                name: document.name,
                document: document.text,
                persisted,
                persisted_as,
                fields: document.fields,
            },
            variables: sent.variables,
            declared: document.declared,
            literals: document.literals,
        });
    }
    let (id, member) = sent.persisted?;
    let fields = answered_fields(exchange);
    let name = sent.name.filter(|name| is_name(name)).map(str::to_owned);
    let name = name.or_else(|| name_of(&fields)).unwrap_or_else(|| {
        format!("persisted_{}", id.chars().filter(char::is_ascii_alphanumeric).take(12).collect::<String>())
    });
    // Over GET only queries may run (GraphQL over HTTP, 6.2.1). Over POST nothing tells: the higher one.
    let kind = if exchange.method == "GET" { "query" } else { "mutation" };
    Some(Call {
        operation: Operation {
            kind: kind.to_owned(),
            name,
            document: String::new(),
            persisted: Some(id),
            persisted_as: member,
            fields: fields.into_iter().collect(),
        },
        variables: sent.variables,
        declared: Vec::new(),
        literals: false,
    })
}

/// The calls of a GraphQL batch, each as an exchange of its own with its part of the answer; `None` for
/// anything else.
#[must_use]
pub fn unbatch<'a>(exchange: &Exchange<'a>) -> Option<Vec<Exchange<'a>>> {
    let Body::Json(Json::Array(calls)) = &exchange.request.body else { return None };
    if calls.is_empty() || calls.len() > MAX_BATCH {
        return None;
    }
    let answers: &[Json<'a>] = match &exchange.response.body {
        Body::Json(Json::Array(answers)) => answers,
        _ => &[],
    };
    let parts: Vec<Exchange<'a>> = calls
        .iter()
        .enumerate()
        .map(|(index, call)| {
            let mut part = Exchange { request: exchange.request.clone(), ..bare(exchange) };
            part.request.body = Body::Json(call.clone());
            part.response.body = answers.get(index).map_or(Body::None, |answer| Body::Json(answer.clone()));
            part
        })
        .collect();
    parts.iter().all(|part| call(part).is_some()).then_some(parts)
}

/// The exchange without its bodies.
fn bare<'a>(exchange: &Exchange<'a>) -> Exchange<'a> {
    let message = |from: &crate::capture::Message<'a>| crate::capture::Message {
        headers: from.headers.clone(),
        media: from.media.clone(),
        body: Body::None,
    };
    Exchange {
        seq: exchange.seq,
        method: exchange.method.clone(),
        scheme: exchange.scheme,
        host: exchange.host.clone(),
        path: exchange.path.clone(),
        query: exchange.query.clone(),
        request: message(&exchange.request),
        status: exchange.status,
        response: message(&exchange.response),
    }
}

/// The members of a call, wherever they travelled.
struct Sent<'e> {
    query: Option<&'e str>,
    name: Option<&'e str>,
    variables: Option<Cow<'e, Json<'e>>>,
    /// The id and, unless it is `extensions.persistedQuery.sha256Hash`, the member that carried it.
    persisted: Option<(String, Option<String>)>,
}

/// Members that carry the id of a persisted document, beside Apollo's `extensions`.
const PERSISTED_AS: [&str; 6] = ["documentId", "doc_id", "queryId", "query_id", "id", "hash"];

impl<'e> Sent<'e> {
    fn of(exchange: &'e Exchange<'_>) -> Option<Self> {
        let sent = match (exchange.method.as_str(), &exchange.request.body) {
            ("GET", _) => Self::pairs(&exchange.query),
            ("POST", Body::Json(Json::Array(calls))) => match calls.as_slice() {
                [one] => Self::json(one),
                _ => return None,
            },
            ("POST", Body::Json(json)) => Self::json(json),
            ("POST", Body::Form(pairs)) => Self::pairs(pairs),
            ("POST", Body::None) => Self::pairs(&exchange.query),
            _ => return None,
        };
        // An `id` alone is on every second call of any API: it needs a path or companions that say GraphQL.
        let loose = sent.persisted.as_ref().is_some_and(|(_, member)| member.is_some());
        let path = exchange.path.to_ascii_lowercase();
        let said = path.contains("graphql") || path.contains("/gql") || sent.name.is_some();
        if sent.query.is_none() && loose && !(said && sent.variables.is_some()) {
            return None;
        }
        Some(sent)
    }

    fn json(json: &'e Json<'_>) -> Self {
        let text = |name: &str| json.get(name).and_then(Json::as_str);
        let apollo = json.get("extensions").and_then(apollo_hash);
        Self {
            query: text("query"),
            name: text("operationName"),
            variables: json.get("variables").filter(|v| matches!(v, Json::Object(_))).map(Cow::Borrowed),
            persisted: apollo.map(|hash| (hash, None)).or_else(|| persisted(text)),
        }
    }

    fn pairs(pairs: &'e [(String, String)]) -> Self {
        let text = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let apollo =
            text("extensions").and_then(|text| Json::parse(text).ok()).as_ref().and_then(apollo_hash);
        let variables = text("variables").and_then(|text| Json::parse(text).ok());
        Self {
            query: text("query"),
            name: text("operationName"),
            variables: variables.filter(|v| matches!(v, Json::Object(_))).map(Cow::Owned),
            persisted: apollo.map(|hash| (hash, None)).or_else(|| persisted(text)),
        }
    }
}

fn apollo_hash(extensions: &Json<'_>) -> Option<String> {
    let hash = extensions.get("persistedQuery")?.get("sha256Hash")?.as_str()?;
    (!hash.is_empty() && hash.len() <= 200).then(|| hash.to_owned())
}

fn persisted<'e>(text: impl Fn(&str) -> Option<&'e str>) -> Option<(String, Option<String>)> {
    PERSISTED_AS.into_iter().find_map(|member| {
        let id = text(member).filter(|id| !id.is_empty() && id.len() <= 200)?;
        Some((id.to_owned(), Some(member.to_owned())))
    })
}

/// The root fields an answer shows: what a persisted document must have selected.
fn answered_fields(exchange: &Exchange<'_>) -> BTreeSet<String> {
    let Body::Json(answer) = &exchange.response.body else { return BTreeSet::new() };
    let Some(Json::Object(members)) = answer.get("data") else { return BTreeSet::new() };
    members
        .iter()
        .filter(|(name, _)| is_name(name))
        .take(100)
        .map(|(name, _)| name.clone().into_owned())
        .collect()
}

fn is_name(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty()
        && name.len() <= 100
        && name.bytes().all(word)
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

struct Document {
    kind: String,
    name: String,
    text: String,
    fields: Vec<String>,
    declared: Vec<(String, String)>,
    literals: bool,
}

/// Reads a document and picks the operation that runs: the named one, or the only one.
fn document(text: &str, wanted: Option<&str>) -> Option<Document> {
    if text.len() > MAX_DOCUMENT {
        return None;
    }
    let tree = Parser::new(text).token_limit(MAX_TOKENS).recursion_limit(MAX_DEPTH).parse();
    if tree.errors().len() > 0 {
        return None;
    }
    let mut operations = Vec::new();
    let mut fragments = BTreeMap::new();
    for definition in tree.document().definitions() {
        match definition {
            Definition::OperationDefinition(operation) => operations.push(operation),
            Definition::FragmentDefinition(fragment) => {
                let name = fragment.fragment_name()?.name()?.text().to_string();
                fragments.insert(name, fragment.selection_set()?);
            }
            // A schema is no call.
            _ => return None,
        }
    }
    let name =
        |operation: &apollo_parser::cst::OperationDefinition| operation.name().map(|n| n.text().to_string());
    let wanted = wanted.filter(|wanted| !wanted.is_empty());
    let operation = match (operations.as_slice(), wanted) {
        ([one], None) => one,
        // Some clients put a label there that the document does not have; servers with one operation mind, but
        // what was answered was this one.
        ([one], Some(_)) => one,
        (several, Some(wanted)) => several.iter().find(|one| name(one).as_deref() == Some(wanted))?,
        _ => return None,
    };
    let kind = match operation.operation_type() {
        Some(kind) if kind.mutation_token().is_some() => "mutation",
        Some(kind) if kind.subscription_token().is_some() => "subscription",
        _ => "query",
    };
    let mut fields = BTreeSet::new();
    root_fields(&operation.selection_set()?, &fragments, &mut BTreeSet::new(), &mut fields);
    let declared = operation.variable_definitions().map_or_else(Vec::new, |definitions| {
        definitions
            .variable_definitions()
            .filter_map(|definition| {
                let name = definition.variable()?.name()?.text().to_string();
                Some((name, print(&definition.ty()?.syntax().text().to_string()).0))
            })
            .collect()
    });
    let name = name(operation).or_else(|| name_of(&fields))?;
    let (text, literals) = print(text);
    Some(Document {
        kind: kind.to_owned(),
        name,
        text,
        fields: fields.into_iter().collect(),
        declared,
        literals,
    })
}

/// The fields of the root, looked for behind fragments too; each fragment is entered once.
fn root_fields(
    set: &SelectionSet,
    fragments: &BTreeMap<String, SelectionSet>,
    entered: &mut BTreeSet<String>,
    fields: &mut BTreeSet<String>,
) {
    for selection in set.selections() {
        match selection {
            Selection::Field(field) => fields.extend(field.name().map(|name| name.text().to_string())),
            Selection::InlineFragment(inline) => {
                if let Some(set) = inline.selection_set() {
                    root_fields(&set, fragments, entered, fields);
                }
            }
            Selection::FragmentSpread(spread) => {
                let name =
                    spread.fragment_name().and_then(|name| name.name()).map(|name| name.text().to_string());
                if let Some(name) = name
                    && let Some(set) = fragments.get(&name)
                    && entered.insert(name)
                {
                    root_fields(set, fragments, entered, fields);
                }
            }
        }
    }
}

/// A name for an operation that has none: its root fields, at most three of them.
fn name_of(fields: &BTreeSet<String>) -> Option<String> {
    let names: Vec<&str> =
        fields.iter().filter(|name| !name.starts_with("__")).take(3).map(String::as_str).collect();
    let name = names.join("_");
    (!name.is_empty()).then(|| name.chars().take(100).collect())
}

/// The document with one way of spacing and without comments, and whether it has string literals.
///
/// Tokens stay as they were sent, so it means the same; commas are white space in GraphQL.
fn print(text: &str) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut literals = false;
    // Whether the text so far wants nothing between it and the next token.
    let mut tight = true;
    for token in Lexer::new(text).with_limit(MAX_TOKENS).flatten() {
        let kind = token.kind();
        let closes = matches!(
            kind,
            TokenKind::RParen | TokenKind::RBracket | TokenKind::Colon | TokenKind::Bang | TokenKind::LParen
        );
        if matches!(kind, TokenKind::Whitespace | TokenKind::Comment | TokenKind::Comma | TokenKind::Eof) {
            continue;
        }
        literals |= kind == TokenKind::StringValue;
        if !tight && !closes {
            out.push(' ');
        }
        out.push_str(token.data());
        tight = matches!(
            kind,
            TokenKind::LParen | TokenKind::LBracket | TokenKind::Dollar | TokenKind::At | TokenKind::Spread
        );
    }
    (out, literals)
}

#[cfg(test)]
mod tests;
