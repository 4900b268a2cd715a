//! Every file that cask reads, spoiled in every way: the message names it, nothing crashes, and no other file
//! is touched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::world::{World, entry, files, har};

/// A file, and the commands that read it. `PACK`, `CAP` and `DESC` stand for what was minted.
const READERS: &[(&str, &str)] = &[
    ("traffic.har", "mint traffic.har -a HOST; capture import traffic.har -a HOST; drift traffic.har"),
    ("spec.json", "mint spec.json"),
    ("spec.yaml", "mint spec.yaml"),
    (
        "PACK/toolpack.yaml",
        "gate check; gate sync; mint spec.json; run; diff; verify; config; drift traffic.har",
    ),
    ("PACK/artifact/tools.json", "gate check; gate allow --all; mint spec.json; run; verify"),
    ("PACK/artifact/toolsets.yaml", "gate check; gate allow --all; run; verify"),
    ("PACK/artifact/contracts.yaml", "verify"),
    ("PACK/artifact/openapi.yaml", "verify"),
    ("PACK/artifact/scopes.suggested.yaml", "verify"),
    ("PACK/artifact/coverage.json", "verify"),
    ("PACK/artifact/baseline.json", "mint spec.json; explain get_user; verify"),
    ("KEPT", "drift traffic.har"),
    ("PACK/APPROVED", "gate check; gate block get_user; mint spec.json; run; diff; verify"),
    ("PACK/lockfile/caskmcp.lock.pending.yaml", "gate allow --all"),
    ("PACK/lockfile/approved.contents.json", "diff; gate block get_user"),
    ("trust.yaml", "gate check; gate block get_user; run; diff"),
    ("state/revisions.json", "gate check; gate block get_user; mint spec.json; run"),
    ("state/keys/alice@example.com.pem", "gate block get_user"),
    ("captures/CAP/capture.json", "verify --mode replay; compile --capture CAP; drift --capture-id CAP"),
    ("captures/CAP/exchanges.jsonl", "verify --mode replay; compile --capture CAP; drift --capture-id CAP"),
    ("descriptions/DESC", "verify --mode replay; mint spec.json"),
];

const DEEP: usize = 100_000;

/// Where a value of any shape may stand.
const ANYTHING: &[&str] =
    &["\"input_schema\": ", "\"contents\": ", "\"responses\": ", "\"cache\":", "\"body\":"];

/// Ways to spoil the bytes of a file; nothing where one makes no sense for it.
type Spoil = fn(&str, &[u8]) -> Option<Vec<u8>>;
const SPOILS: &[(&str, Spoil)] = &[
    ("empty", |_, _| Some(Vec::new())),
    // What is whole in a cut recording is taken, see `mint`.
    ("cut", |name, good| (name != "traffic.har").then(|| good[..good.len() / 2].to_vec())),
    ("a web page", |_, _| Some(b"<!doctype html><title>Sign in</title>\n".to_vec())),
    ("a picture", |_, _| Some(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec())),
    ("another document", |_, _| Some(b"{\"hello\": [1, 2, 3]}\n".to_vec())),
    ("deep lists", |_, _| Some(vec![b'['; DEEP])),
    ("deep members", |_, _| Some(b"{\"a\":".repeat(DEEP))),
    ("deep lists inside", |name, good| inside(name, good, "[")),
    ("deep members inside", |name, good| inside(name, good, "{\"a\":")),
    ("not UTF-8", |name, good| {
        let at = good.iter().rposition(u8::is_ascii_alphabetic)?;
        // A recording is read entry by entry, and an answer may be of any encoding.
        (name != "traffic.har").then(|| [&good[..at], b"\xff\xfe", &good[at..]].concat())
    }),
    ("a key twice", |name, good| {
        let text = std::str::from_utf8(good).unwrap();
        let first = match name.rsplit('.').next()? {
            "yaml" if name != "spec.yaml" => {
                return Some([text.lines().next()?, "\n", text].concat().into_bytes());
            }
            "jsonl" => "\"seq\":0,",
            "har" | "pem" => return None,
            _ if name.starts_with("spec") => "\"openapi\": \"3.0.3\",",
            _ => "\"schema_version\": \"1\",",
        };
        Some(text.replacen('{', &format!("{{{first}"), 1).into_bytes())
    }),
    ("an anchor bomb", |name, _| {
        let list = |item: &str| format!("[{}]", [item; 9].join(", "));
        let bomb =
            (1..40).map(|i| format!("a{i}: &a{i} {}\n", list(&format!("*a{}", i - 1)))).collect::<String>();
        let known = if name == "spec.yaml" { "openapi: 3.0.3\n" } else { "" };
        name.ends_with(".yaml").then(|| format!("{known}a0: &a0 {}\n{bomb}", list("x")).into_bytes())
    }),
    ("an alias of itself", |name, _| {
        name.ends_with(".yaml").then(|| b"openapi: 3.0.3\na: &a [*a]\n".to_vec())
    }),
];

/// The file up to where anything may stand, and then more levels than anyone needs.
fn inside(name: &str, good: &[u8], level: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(good).unwrap();
    let at = ANYTHING.iter().find_map(|before| Some(text.find(before)? + before.len()))?;
    (name != "traffic.har").then(|| [&text[..at], &level.repeat(DEEP)].concat().into_bytes())
}

const SPEC: &str = r#"{"openapi": "3.0.3", "info": {"title": "Example", "version": "1"},
    "servers": [{"url": "https://api.example.com/v1"}],
    "paths": {"/reports": {"get": {"responses": {"200": {"description": "ok"}}}}}}"#;

/// A world in which there is one of each file, all of them good.
fn world() -> (World, impl Fn(&str) -> String) {
    let world = World::empty();
    let calls =
        (0..20).map(|i| entry(&format!("/v1/users/{}", 90_000 + i * 7), &json!({ "id": i, "name": "n" })));
    std::fs::write(world.path("traffic.har"), har(&calls.collect::<Vec<_>>())).unwrap();
    std::fs::write(world.path("spec.json"), SPEC).unwrap();
    std::fs::write(world.path("spec.yaml"), SPEC).unwrap();
    for args in [
        &["mint", "traffic.har", "spec.json", "-a", "api.example.com"][..],
        &["gate", "allow", "--all", "--yes"],
    ] {
        let ran = world.cask(args);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let only = |dir: &str| {
        let mut all = std::fs::read_dir(world.root().join(dir)).unwrap();
        all.next().unwrap().unwrap().file_name().into_string().unwrap()
    };
    let names = [
        ("PACK", format!("toolpacks/{}", only("toolpacks"))),
        ("KEPT", format!("baselines/{}/baseline.json", only("toolpacks"))),
        ("APPROVED", "lockfile/caskmcp.lock.approved.yaml".to_owned()),
        ("CAP", only("captures")),
        ("DESC", only("descriptions")),
        ("HOST", "api.example.com".to_owned()),
    ];
    (world, move |text| names.iter().fold(text.to_owned(), |text, (name, is)| text.replace(name, is)))
}

fn place(world: &World, file: &str) -> PathBuf {
    let given = ["traffic.har", "spec.json", "spec.yaml"].contains(&file);
    if given { world.path(file) } else { world.root().join(file) }
}

/// Every file but the note of who holds the lock.
fn all(world: &World) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = files(&world.root());
    all.remove(&world.root().join("state/lock"));
    all
}

/// Runs the commands that read a spoiled file; says what is wrong with what they say and do.
fn faults(world: &World, file: &str, commands: &str, what: &str) -> Vec<String> {
    let name = Path::new(file).file_name().unwrap().to_str().unwrap();
    let before = all(world);
    let check = |command: &str| {
        let ran = world.cask(&command.split(' ').collect::<Vec<_>>());
        let said = format!("{}{}", ran.out, ran.err);
        let verifies = command.starts_with("verify");
        let wrong = [
            (ran.code != 3 && !(ran.code == 2 && verifies), "it exits otherwise"),
            (!said.contains(name), "the file is not named"),
            (said.contains("panicked"), "it crashes"),
            (ran.code == 3 && !ran.err.starts_with("error: "), "it does not say that it is an error"),
            (said.chars().any(|c| c.is_control() && c != '\n'), "it shows control characters"),
            (said.len() > 4000, "it says too much"),
            (all(world) != before, "another file was touched"),
        ];
        let wrong = wrong.into_iter().filter(|(is, _)| *is).map(move |(_, why)| why);
        let say = |why| format!("{file}, {what}: `{command}`: {why}: {} {said}", ran.code);
        wrong.map(say).collect::<Vec<_>>()
    };
    commands.split("; ").flat_map(check).collect()
}

fn spoiled(start: &World, file: &str, commands: &str) -> Vec<String> {
    let world = start.copy();
    let path = place(&world, file);
    let good = std::fs::read(&path).unwrap();
    let mut out = Vec::new();
    for (what, spoil) in SPOILS {
        let Some(bad) = spoil(file, &good) else { continue };
        assert_ne!(bad, good, "{file}, {what}");
        std::fs::write(&path, &bad).unwrap();
        out.extend(faults(&world, file, commands, what));
    }
    // What is given by hand may be a link; in the state root none leads out.
    #[cfg(unix)]
    if path.starts_with(world.root()) {
        let elsewhere = world.path("elsewhere");
        std::fs::write(&elsewhere, &good).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        out.extend(faults(&world, file, commands, "a link to elsewhere"));
        assert_eq!(std::fs::read(&elsewhere).unwrap(), good, "{file}: written through a link");
    }
    out
}

#[test]
fn every_file_spoiled_in_every_way_is_named_and_no_other_is_touched() {
    let (start, real) = world();
    let faults: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = READERS
            .iter()
            .map(|(file, commands)| (real(file), real(commands)))
            .map(|(file, commands)| scope.spawn(|| spoiled(&start, &{ file }, &{ commands })))
            .collect();
        running.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_files_are_good_before_they_are_spoiled() {
    let (start, real) = world();
    for (_, commands) in READERS {
        for command in real(commands).split("; ") {
            let ran = start.copy().cask(&command.split(' ').collect::<Vec<_>>());
            // Nobody speaks to `run` here: that it waits for somebody is as far as it comes.
            let good = ran.code < 2 || (command == "run" && ran.err.contains("MCP connection"));
            assert!(good, "`{command}`: {} {}{}", ran.code, ran.out, ran.err);
        }
    }
}
