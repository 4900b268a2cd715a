//! Guard 4: the request is built from the binding, and the finished URL must still be the signed one.

use serde_json::{Map, Value};
use url::Url;

use super::encode::{self, Parts};
use super::tool::shown;
use super::{Denial, Draft, Fault, ReasonCode, body, dots};
use crate::capture::Scheme;
use crate::endpoint::{Auth, Place, Segment, Template, steer};
use crate::toolpack::{Binding, HttpBinding, Placement};

/// A finished HTTP request without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Upper-case method.
    pub method: String,
    /// The whole URL.
    pub url: Url,
    /// The host it goes to, with the port where it is not the scheme's own.
    pub host: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one; its content type is among the headers.
    pub body: Option<Vec<u8>>,
    /// The signed path, as it stands in URLs, and what an operator's base puts before it.
    signed: (String, Template),
}

impl Request {
    /// Whether a redirect stays on the signed path: held to what the request itself was held to.
    #[must_use]
    pub fn covers(&self, url: &Url) -> bool {
        let (prefix, template) = &self.signed;
        let Some(path) = url.path().strip_prefix(prefix.as_str()) else { return false };
        let values = template.segments().iter().zip(path.split('/').skip(1));
        template.matches(path)
            && values
                .filter(|(segment, _)| matches!(segment, Segment::Param { .. }))
                .all(|(_, text)| !dots::is_segment(text) && dots::leaves(&encode::decoded(text)).is_none())
    }
}

/// Where requests go instead of their signed host: an operator's word, for tests and staging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    scheme: Scheme,
    host: String,
    prefix: String,
}

impl Base {
    /// Reads `http(s)://host[:port][/prefix]`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
        let scheme = match url.scheme() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err("only http and https are called; give it as in http://localhost:8080".to_owned()),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it holds a user name or password; give credentials with --auth".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it holds a query or a fragment".to_owned());
        }
        Ok(Self { scheme, host: host_of(&url), prefix: url.path().trim_end_matches('/').to_owned() })
    }

    /// The host, with the port where it is not the scheme's own.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// The host of a URL as bindings write it: lower case, with the port where it is not the scheme's own.
#[must_use]
pub fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

pub(super) fn check(draft: &mut Draft<'_>) -> Result<(), Denial> {
    let tool = &draft.tool()?.tool;
    let Binding::Http(binding) = &tool.binding;
    let arguments = draft.call.arguments;
    if !METHODS.contains(&binding.method.as_str()) {
        let message = format!("the method `{}` is not sent", shown(&binding.method));
        return Err(Denial::new(ReasonCode::DeniedMethodNotAllowed, message));
    }
    let (scheme, host, prefix) = match draft.rules.base() {
        Some(base) => (base.scheme, base.host.as_str(), base.prefix.as_str()),
        None => (binding.scheme, binding.host.as_str(), ""),
    };
    if !draft.rules.allows_host(host) {
        let message = format!("the host `{}` is not on the signed list", shown(host));
        return Err(Denial::new(ReasonCode::DeniedHostNotAllowed, message));
    }
    let path = path(binding, arguments)?;
    let query = query(binding, arguments)?;
    let mut headers = headers(binding, arguments)?;
    let sent = match &binding.body {
        Some(body) => body::build(tool, &binding.method, body, arguments)?,
        None => None,
    };
    let body = sent.map(|(media, bytes)| {
        headers.retain(|(name, _)| name != "content-type");
        headers.push(("content-type".to_owned(), media));
        bytes
    });

    let url = finish(scheme, host, &format!("{prefix}{path}"), &query)?;
    let template = wire(&binding.path);
    // Independent of how it was built: read the finished path again and match it against the template.
    let inside = url.path().strip_prefix(prefix).is_some_and(|path| template.matches(path));
    if !inside {
        return Err(escape("the finished URL does not match the signed path"));
    }
    let (method, host, signed) = (binding.method.clone(), host.to_owned(), (prefix.to_owned(), template));
    draft.request = Some(Request { method, url, host, headers, body, signed });
    Ok(())
}

fn escape(message: &str) -> Denial {
    Denial::new(ReasonCode::DeniedPathEscape, message)
}

pub(super) fn misfit(argument: &str, what: &str) -> Denial {
    let fault = Fault { pointer: format!("/{argument}"), message: what.to_owned() };
    let message = format!("the argument `{}` {what}", shown(argument));
    Denial { faults: vec![fault], ..Denial::new(ReasonCode::DeniedParamValidation, message) }
}

/// Parses what was put together; a parser that reads anything differently than it was written refuses.
fn finish(scheme: Scheme, host: &str, path: &str, query: &str) -> Result<Url, Denial> {
    let mut text = format!("{}://{host}{path}", scheme.as_str());
    if !query.is_empty() {
        text.push('?');
        text.push_str(query);
    }
    let url = Url::parse(&text).map_err(|_| escape("the finished URL is not a URL"))?;
    let same = url.scheme() == scheme.as_str()
        && host_of(&url) == host
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
        && url.path() == path
        && url.query().unwrap_or_default() == query;
    if same { Ok(url) } else { Err(escape("the finished URL is read as another one than was built")) }
}

/// The template as it stands in a finished URL.
fn wire(template: &Template) -> Template {
    let segments = template.segments().iter().map(|segment| match segment {
        Segment::Literal(text) => Segment::Literal(encode::literal(text)),
        Segment::Param { prefix, name, suffix } => Segment::Param {
            prefix: encode::literal(prefix),
            name: name.clone(),
            suffix: encode::literal(suffix),
        },
    });
    Template::new(segments.collect())
}

fn path(binding: &HttpBinding, arguments: &Map<String, Value>) -> Result<String, Denial> {
    let mut out = String::new();
    for segment in wire(&binding.path).segments() {
        let text = match segment {
            Segment::Literal(text) => text.clone(),
            Segment::Param { prefix, name, suffix } => {
                let placed = binding
                    .args
                    .iter()
                    .find(|(_, placement)| placement.place == Place::Path && &placement.name == name);
                let Some((argument, placement)) = placed else {
                    let message = format!("no argument fills `{{{}}}` of the path", shown(name));
                    return Err(Denial::new(ReasonCode::ErrorInternal, message));
                };
                let value = arguments.get(argument).ok_or_else(|| misfit(argument, "is missing"))?;
                let value = path_value(argument, placement, value)?;
                format!("{prefix}{value}{suffix}")
            }
        };
        if dots::is_segment(&encode::decoded(&text)) {
            return Err(escape("a part of the path would be `.` or `..`"));
        }
        out.push('/');
        out.push_str(&text);
    }
    Ok(out)
}

fn path_value(argument: &str, placement: &Placement, value: &Value) -> Result<String, Denial> {
    if value.is_null() {
        return Err(misfit(argument, "is part of the path and cannot be null"));
    }
    let parts = Parts::of(value);
    for text in parts.texts() {
        if let Some(why) = dots::leaves(text) {
            return Err(escape(&format!("the argument `{}` {why}", shown(argument))));
        }
    }
    let text = encode::inline(&placement.name, &parts, &placement.style, placement.explode, encode::percent);
    if text.is_empty() {
        return Err(escape(&format!("the argument `{}` is empty", shown(argument))));
    }
    Ok(text)
}

fn query(binding: &HttpBinding, arguments: &Map<String, Value>) -> Result<String, Denial> {
    let mut pairs: Vec<(String, String)> = binding
        .fixed_query
        .iter()
        .map(|(name, value)| (encode::percent(name), encode::percent(value)))
        .collect();
    let placed = || binding.args.iter().filter(|(_, placement)| placement.place == Place::Query);
    for (argument, placement) in placed() {
        let Some(value) = arguments.get(argument) else { continue };
        let produced = encode::query(&placement.name, value, &placement.style, placement.explode);
        // An object brings its own names: they must not stand in for others, nor name another method.
        let object = value.is_object();
        let foreign = |(name, _): &(String, String)| {
            let name = encode::decoded(name);
            let own = name == placement.name && !object;
            let fixed = |fixed: &str| stands_in(&name, fixed) && !(own && name == fixed);
            let key = |auth: &Auth| matches!(auth, Auth::QueryKey(key) if stands_in(&name, key));
            let taken = |other: &str| if object { stands_in(&name, other) } else { name == other };
            binding.fixed_query.iter().any(|(name, _)| fixed(name))
                || binding.auth.iter().any(key)
                || object && steer::parameter_names_method(&name)
                || placed().any(|(other, placement)| other != argument && taken(&placement.name))
        };
        if produced.iter().any(foreign) {
            return Err(misfit(argument, "has a member that would stand in for another parameter"));
        }
        pairs.extend(produced);
    }
    Ok(pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"))
}

/// Whether a server could take a pair of this name for (a part of) the other one, or the other way round:
/// many read `a[b]` as a member of `a`, and let the last one win.
pub(super) fn stands_in(name: &str, other: &str) -> bool {
    let inside = |name: &str, other: &str| name.strip_prefix(other).is_some_and(|rest| rest.starts_with('['));
    name == other || inside(name, other) || inside(other, name)
}

fn headers(binding: &HttpBinding, arguments: &Map<String, Value>) -> Result<Vec<(String, String)>, Denial> {
    let mut out: Vec<(String, String)> = Vec::new();
    for (name, value) in &binding.fixed_headers {
        out.push(header(name, value)?);
    }
    for (argument, placement) in &binding.args {
        if placement.place != Place::Header {
            continue;
        }
        let Some(value) = arguments.get(argument).filter(|value| !value.is_null()) else { continue };
        let raw = |text: &str| text.to_owned();
        let text = encode::inline(&placement.name, &Parts::of(value), "simple", placement.explode, raw);
        let (name, value) = header(&placement.name, &text)?;
        if out.iter().any(|(other, _)| *other == name) {
            return Err(Denial::new(
                ReasonCode::DeniedHeaderValue,
                format!("the header `{name}` is fixed by the binding"),
            ));
        }
        out.push((name, value));
    }
    if !binding.accept.is_empty() && !out.iter().any(|(name, _)| name == "accept") {
        out.push(("accept".to_owned(), binding.accept.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    Ok(out)
}

fn header(name: &str, value: &str) -> Result<(String, String), Denial> {
    let refuse = |what: &str| {
        Err(Denial::new(ReasonCode::DeniedHeaderValue, format!("the header `{}` {what}", shown(name))))
    };
    let lower = name.to_ascii_lowercase();
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if lower.is_empty() || !lower.bytes().all(token) {
        return refuse("has a name that is not a token");
    }
    if steer::is_reserved(&lower) || steer::steers(&lower) {
        return refuse(
            "steers the connection or the request, or carries credentials, and is not set from here",
        );
    }
    if !value.bytes().all(|byte| byte == b' ' || byte == b'\t' || byte.is_ascii_graphic()) {
        return refuse("would hold a character that is not visible ASCII");
    }
    Ok((lower, value.trim().to_owned()))
}
