//! The doors through which bytes from outside come in, each with the laws that hold whatever the bytes are.
//!
//! The fuzz targets and the seed test of the core both go through here.

use cask_core::artifact::{lockfile, manifest, scopes, tools, toolsets, trust};
use cask_core::capture::har::{self, Item, Splitter};
use cask_core::capture::{Body, Exchange, Message, Scheme, is_too_deep, openapi as descriptions};
use cask_core::endpoint::summary::Summary;
use cask_core::endpoint::template::Template;
use cask_core::redact::{Profile, Redacted, Redactor};

/// Larger inputs only find what smaller ones find, later.
const MOST_PATHS: usize = 200;

/// A recorded capture: entries do not depend on where the reads were cut, redaction changes nothing twice, and what is
/// summarised can be learned from.
pub fn har(data: &[u8]) {
    let cut = usize::from(data.first().copied().unwrap_or(1)).max(1);
    assert_eq!(split(data, data.len().max(1)), split(data, cut), "cut every {cut} bytes");
    let _ = har::creator(data);
    let _ = har::is_description(data);
    let Ok(read) = har::read_all(data) else { return };
    let redactor = Redactor::new(Profile::HighRiskPii);
    let mut summary = Summary::new();
    for exchange in read.0.into_iter().flatten() {
        let once = redactor.exchange(exchange);
        let twice = redactor.exchange(once.clone().into_inner());
        assert_eq!(once.get(), twice.get(), "redaction is idempotent");
        summary.observe(&once);
    }
    let _ = summary.endpoints(&[]);
}

fn split(data: &[u8], cut: usize) -> Result<Vec<Vec<u8>>, String> {
    let mut entries = Vec::new();
    let mut splitter = Splitter::new();
    for chunk in data.chunks(cut) {
        let kept = &mut |item: Item<'_>| match item {
            Item::Entry(bytes) => entries.push(bytes.to_vec()),
            Item::Lost(why) => entries.push(why.as_bytes().to_vec()),
        };
        splitter.push(chunk, kept).map_err(|error| error.to_string())?;
    }
    splitter.finish().map(|_| entries).map_err(|error| error.to_string())
}

/// A published description: read twice it says the same, and no endpoint stands there twice.
pub fn openapi(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let first = descriptions::read(text, "in.yaml", None);
    assert_eq!(first, descriptions::read(text, "in.yaml", None));
    let Ok(description) = first else { return };
    let places: Vec<_> = description.endpoints.iter().map(|e| (&e.host, &e.template, &e.method)).collect();
    assert!(places.is_sorted(), "endpoints are sorted");
}

/// A file with authority: what was read survives being written and read again.
pub fn authority(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(read) = lockfile::read(text) {
        assert_eq!(lockfile::read(&lockfile::write(&read)).ok().as_ref(), Some(&read));
    }
    if let Ok(read) = trust::read(text) {
        let written = trust::write(&read);
        let again = trust::read(&written).ok().map(|again| trust::write(&again));
        assert_eq!(again, Some(written));
    }
    if let Ok(read) = manifest::read(text) {
        assert_eq!(manifest::read(&manifest::write(&read)).ok().as_ref(), Some(&read));
    }
    if let Ok(read) = toolsets::read(text) {
        assert_eq!(toolsets::read(&toolsets::write(&read)).ok().as_ref(), Some(&read));
    }
    if let Ok(read) = scopes::read(text) {
        assert_eq!(scopes::read(&scopes::write(&read)).ok().as_ref(), Some(&read));
    }
    if let Ok(read) = tools::read(text) {
        assert_eq!(tools::read(&tools::write(&read).to_string()).ok().as_ref(), Some(&read));
    }
}

/// Paths, one a line: a template that parses prints as it was; templates that are learned do not depend on the order
/// of the traffic, and every path that was seen and is not too deep to be learned fits one of them.
pub fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('/')).take(MOST_PATHS).collect();
    for line in &lines {
        if let Ok(template) = Template::parse(line) {
            assert_eq!(template.to_string(), *line);
            assert!(!line.contains('{') || template.params().count() > 0);
        }
    }
    let redactor = Redactor::new(Profile::DefaultSafe);
    let seen: Vec<_> = lines.iter().zip(0..).filter_map(|(path, seq)| seen(&redactor, path, seq)).collect();
    let (mut forward, mut backward) = (Summary::new(), Summary::new());
    seen.iter().for_each(|exchange| forward.observe(exchange));
    seen.iter().rev().for_each(|exchange| backward.observe(exchange));
    let endpoints = forward.endpoints(&[]);
    assert_eq!(endpoints, backward.endpoints(&[]), "the order of the traffic matters");
    for exchange in &seen {
        let path = &exchange.get().path;
        let fits = endpoints.iter().any(|endpoint| endpoint.template.matches(path));
        assert!(fits || is_too_deep(path), "{path} fits no template");
    }
    let pinned = forward.endpoints(&endpoints);
    assert_eq!(pinned.len(), endpoints.len(), "accepted templates moved");
}

/// A call of a path as it could stand on the wire.
fn seen(redactor: &Redactor, path: &str, seq: u64) -> Option<Redacted<Exchange<'static>>> {
    let wire = path.bytes().all(|b| b.is_ascii_graphic() && !b"?#\\\"<>{}|^`".contains(&b));
    let exchange = Exchange {
        seq,
        method: "GET".to_owned(),
        scheme: Scheme::Https,
        host: "api.example.com".to_owned(),
        path: path.to_owned(),
        query: Vec::new(),
        request: Message::default(),
        status: 200,
        response: Message { body: Body::Text(1), media: "text/plain".to_owned(), headers: Vec::new() },
    };
    wire.then(|| redactor.exchange(exchange))
}
