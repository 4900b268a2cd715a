//! The demo's capture, compiled: every artifact is compared with `cases/toolpack/demo/expected/`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{assert_policy_holds, assert_portable};
use crate::artifact::{self, coverage, manifest};
use crate::capture::har;
use crate::endpoint::summary::Summary;
use crate::redact::{Profile, Redactor};
use crate::toolpack::*;

fn case() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("cases/toolpack/demo")
}

fn compiled(parts: usize, backwards: bool) -> (Toolpack, BTreeMap<String, String>) {
    let bytes = std::fs::read(case().join("in.har")).unwrap();
    let (entries, _) = har::read_all(&bytes).unwrap();
    let mut exchanges: Vec<_> = entries.into_iter().filter_map(Result::ok).collect();
    exchanges.retain(|exchange| exchange.host == "api.acorn.example" && exchange.method != "OPTIONS");
    if backwards {
        exchanges.reverse();
    }
    let count = exchanges.len() as u64;
    let redactor = Redactor::new(Profile::DefaultSafe);
    let mut summaries: Vec<Summary> = (0..parts).map(|_| Summary::new()).collect();
    for (index, exchange) in exchanges.into_iter().enumerate() {
        summaries[index % parts].observe(&redactor.exchange(exchange));
    }
    let mut summary = Summary::new();
    for part in summaries {
        summary.merge(part);
    }
    let host = "api.acorn.example".to_owned();
    let options = Options { name: host.clone(), hosts: vec![host.clone()], ..Options::default() };
    let toolpack = compile(summary.endpoints(&[]), &options).unwrap();
    let mut files =
        artifact::files(&toolpack, &coverage::of(&toolpack.baseline, count, BTreeMap::new())).unwrap();
    let origin = manifest::Origin { allowed_hosts: vec![host], descriptions: Vec::new() };
    let manifest = artifact::Manifest::of(&toolpack, origin, artifact::digests(&files), None);
    files.insert(manifest::MANIFEST.to_owned(), manifest::write(&manifest).into());
    (toolpack, files.into_iter().map(|(path, text)| (path, text.to_string())).collect())
}

#[test]
fn the_demo_capture_compiles_to_what_was_accepted() {
    let (toolpack, files) = compiled(1, false);
    assert_portable(&toolpack);
    assert_policy_holds(&toolpack);
    let expected = case().join("expected");
    for (name, text) in &files {
        let path = expected.join(name);
        if std::env::var("UPDATE").is_ok() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        }
        let accepted = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(*text == accepted, "{name} is not what was accepted; UPDATE=1 accepts it:\n{text}");
    }
}

#[test]
fn neither_order_nor_parts_change_a_byte() {
    let (_, once) = compiled(1, false);
    for (parts, backwards) in [(1, true), (3, false), (7, true)] {
        let (_, again) = compiled(parts, backwards);
        for (name, text) in &once {
            assert!(again[name] == *text, "{name} differs with {parts} parts, backwards: {backwards}");
        }
    }
}

#[test]
fn what_is_written_reads_back() {
    let (toolpack, files) = compiled(1, false);
    let manifest = manifest::read(&files[manifest::MANIFEST]).unwrap();
    let back: Toolpack =
        artifact::load::<artifact::BadArtifact>(&manifest, |name| Ok(files[name].clone())).unwrap();
    // What callers sent is not kept on disk: all else of an endpoint is.
    let kept = |toolpack: &Toolpack| serde_json::to_value(&toolpack.baseline).unwrap();
    assert_eq!(kept(&back), kept(&toolpack));
    assert_eq!(back, Toolpack { baseline: back.baseline.clone(), ..toolpack });
    artifact::contracts::read(&files[manifest::CONTRACTS]).unwrap();
    artifact::suggested::read(&files[manifest::SCOPES]).unwrap();
    artifact::coverage::read(&files[manifest::COVERAGE]).unwrap();
}

#[test]
fn unknown_fields_and_newer_versions_are_refused() {
    let (_, files) = compiled(1, false);
    let tools = &files[manifest::TOOLS];
    assert!(
        artifact::tools::read(&tools.replacen("\"schema_version\"", "\"extra\": 1, \"schema_version\"", 1))
            .is_err()
    );
    let newer = tools.replacen("\"schema_version\": \"1\"", "\"schema_version\": \"2\"", 1);
    let error = artifact::tools::read(&newer).unwrap_err();
    assert!(matches!(error, artifact::BadArtifact::Newer { .. }), "{error}");
    let text = &files[manifest::MANIFEST];
    for (from, to) in [
        ("tools: artifact/tools.json", "tools: ../../etc/passwd"),
        ("id: tp_", "id: up_"),
        ("name:", "surprise: 1\nname:"),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(manifest::read(&text.replacen(from, to, 1)).is_err(), "{to}");
    }
}
