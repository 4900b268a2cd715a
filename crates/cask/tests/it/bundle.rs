//! `cask bundle`: the same bytes everywhere, nothing in it that should not be, and no way around what was approved.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use cask::bundle::{Record, zip};
use cask_core::canon::Digest;
use serde_json::Value;

use crate::world::{ID, Ran, World, files, tool};

const LOCKFILE: &str = "lockfile/caskmcp.lock.approved.yaml";

/// Members by name, as an attacker has them.
type Loose = BTreeMap<String, Vec<u8>>;

fn ok(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

/// Bundles what is approved there.
fn bundle(world: &World) -> Vec<u8> {
    ok(&world.cask(&["bundle", "--file", "b.zip"]));
    std::fs::read(world.path("b.zip")).unwrap()
}

fn members(bundle: &[u8]) -> Loose {
    let entries = zip::read(bundle).unwrap();
    entries.into_iter().map(|entry| (entry.name, entry.bytes.unwrap().to_vec())).collect()
}

fn write(members: &Loose) -> Vec<u8> {
    let borrowed = members.iter().map(|(name, bytes)| (name.clone(), Cow::Borrowed(bytes.as_slice())));
    zip::write(&borrowed.collect()).unwrap()
}

/// The members with a record that lists them as they are now.
fn recorded(mut members: Loose) -> Loose {
    let mut record: Record = serde_json::from_slice(&members.remove("bundle.json").unwrap()).unwrap();
    record.members = members.iter().map(|(name, bytes)| (name.clone(), Digest::of_bytes(bytes))).collect();
    members.insert("bundle.json".to_owned(), record.write().unwrap());
    members
}

fn in_pack(file: &str) -> String {
    format!("toolpacks/{ID}/{file}")
}

/// An entry that `zip::write` would not write.
struct Raw<'a> {
    name: &'a str,
    bytes: &'a [u8],
    mode: u32,
    method: u16,
    size: u32,
    /// What stands before it that nothing lists.
    junk: &'a [u8],
}

impl<'a> Raw<'a> {
    fn plain(name: &'a str, bytes: &'a [u8]) -> Self {
        Self { name, bytes, mode: 0o100_644, method: 0, size: u32::try_from(bytes.len()).unwrap(), junk: b"" }
    }
}

fn raw(entries: &[Raw<'_>]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    let short = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    for entry in entries {
        out.extend_from_slice(entry.junk);
        let offset = short(out.len());
        let mut sum = flate2::Crc::new();
        sum.update(entry.bytes);
        let packed = if entry.method == 0 { entry.size.to_le_bytes() } else { short(entry.bytes.len()) };
        let name = u16::try_from(entry.name.len()).unwrap().to_le_bytes();
        let common = [
            &[10_u8, 0, 0, 0][..],
            &entry.method.to_le_bytes(),
            &[0, 0, 0x21, 0],
            &sum.sum().to_le_bytes(),
            &packed,
            &entry.size.to_le_bytes(),
            &name,
            &[0, 0],
        ]
        .concat();
        out.extend([&b"PK\x03\x04"[..], &common, entry.name.as_bytes(), entry.bytes].concat());
        let mode = (entry.mode << 16).to_le_bytes();
        let head = [&b"PK\x01\x02\x0a\x03"[..], &common, &[0; 6], &mode, &offset, entry.name.as_bytes()];
        directory.extend(head.concat());
    }
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let (start, length) = (short(out.len()), short(directory.len()));
    out.extend(directory);
    out.extend([&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &length, &start, &[0, 0]].concat());
    out
}

fn git(dir: &Path, words: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(dir).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let output =
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_same_content_is_the_same_bytes_wherever_it_is() {
    let world = World::approved();
    std::fs::create_dir_all(world.root().join("scopes")).unwrap();
    std::fs::write(world.root().join("scopes/scopes.yaml"), "schema_version: \"1\"\ntoolpacks: {}\n")
        .unwrap();
    let first = bundle(&world);
    assert_eq!(bundle(&world), first);
    assert_eq!(bundle(&world.copy()), first);
    // As others get it: from a repository, onto a machine that has accepted nothing.
    let top = world.path("");
    git(&top, &["init", "-q"]);
    git(&top, &["add", ".caskmcp"]);
    git(&top, &["commit", "-qm", "approved"]);
    for _ in 0..2 {
        let clone = World::empty();
        git(&clone.path(""), &["clone", "-q", top.to_str().unwrap(), "."]);
        assert!(!clone.root().join("state").exists(), "what only this machine knows is not in a clone");
        assert_eq!(bundle(&clone), first);
    }
    let names: Vec<String> = members(&first).into_keys().collect();
    let expected = [
        "bundle.json",
        "scopes/scopes.yaml",
        "toolpacks/tp_0123456789ab/artifact/policy.cedar",
        "toolpacks/tp_0123456789ab/artifact/policy.cedarschema",
        "toolpacks/tp_0123456789ab/artifact/tools.json",
        "toolpacks/tp_0123456789ab/artifact/toolsets.yaml",
        "toolpacks/tp_0123456789ab/lockfile/approved.contents.json",
        "toolpacks/tp_0123456789ab/lockfile/caskmcp.lock.approved.yaml",
        "toolpacks/tp_0123456789ab/toolpack.yaml",
        "trust.yaml",
    ];
    assert_eq!(names, expected);
    // Its name says what it is, unless one is given.
    ok(&world.cask(&["bundle"]));
    assert_eq!(std::fs::read(world.path(&format!("{ID}-r1.zip"))).unwrap(), first);
}

#[test]
fn it_holds_no_key_and_nothing_that_is_not_on_its_list() {
    let world = World::approved();
    ok(&world.cask(&["trust", "threshold", "low", "1"]));
    for file in [
        "captures/cap_0123456789ab/exchanges.jsonl",
        "evidence/run_1/a.json",
        "state/audit/tp_0123456789ab.jsonl",
        "trust/notes.txt",
        "trust.pending.yaml.bak",
        "baselines/tp_0123456789ab/old.json",
        "toolpacks/tp_0123456789ab/artifact/notes.txt",
    ] {
        let path = world.root().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "not-for-others").unwrap();
    }
    let bytes = bundle(&world);
    let key = std::fs::read_to_string(world.root().join("state/keys/alice@example.com.pem")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("not-for-others") && !text.contains(key.lines().nth(1).unwrap()));
    let names = members(&bytes);
    assert!(names.contains_key("trust/1.yaml"), "the trust comes with its history: {:?}", names.keys());
    assert!(names.keys().all(|name| !name.contains("pending") && !name.starts_with("state")));
}

#[test]
fn a_good_one_is_verified_and_pinned() {
    let world = World::approved();
    let root = trust_root(&world);
    bundle(&world);
    let elsewhere = World::empty();
    std::fs::copy(world.path("b.zip"), elsewhere.path("b.zip")).unwrap();
    let ran = elsewhere.cask(&["bundle", "verify", "b.zip"]);
    ok(&ran);
    assert!(ran.out.contains("`--trust-root` pins that from outside"), "{}", ran.out);
    let ran = elsewhere.cask(&["bundle", "verify", "b.zip", "--trust-root", &root, "--format", "json"]);
    ok(&ran);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["kind"], "bundle");
    assert_eq!(report["subject"]["trust"], root.as_str());
    assert_eq!(report["counts"]["tools served"], 2);
    assert!(!elsewhere.root().exists(), "verifying unpacks nothing");
    // A whole bundle of somebody else's: good in itself, and not ours.
    std::fs::write(elsewhere.path("b.zip"), bundle(&World::approved())).unwrap();
    ok(&elsewhere.cask(&["bundle", "verify", "b.zip"]));
    let ran = elsewhere.cask(&["bundle", "verify", "b.zip", "--trust-root", &root]);
    assert!(ran.code == 2 && ran.out.contains("bundle-trust-refused"), "{}{}", ran.out, ran.err);
}

/// The digest that pins the trust of a world.
fn trust_root(world: &World) -> String {
    let shown = world.cask(&["trust", "show", "--json"]).out;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    shown["digest"].as_str().unwrap().to_owned()
}

#[test]
fn what_was_tampered_with_is_refused_and_says_why() {
    let world = World::approved();
    let good = bundle(&world);
    let whole = members(&good);
    let with = |name: &str, bytes: &[u8]| {
        let mut members = whole.clone();
        members.insert(name.to_owned(), bytes.to_vec());
        members
    };
    let changed = |name: &str, from: &str, to: &str| {
        let text = String::from_utf8(whole[name].clone()).unwrap();
        assert!(text.contains(from), "{name}: {text}");
        recorded(with(name, text.replacen(from, to, 1).as_bytes()))
    };
    let mut flipped = good.clone();
    let at = good.windows(8).position(|window| window == b"get_user").unwrap();
    flipped[at] ^= 1;
    let mut less = whole.clone();
    less.remove(&in_pack("artifact/tools.json")).unwrap();
    let plain = || whole.iter().map(|(name, bytes)| Raw::plain(name, bytes)).collect::<Vec<_>>();
    let and = |more: Raw<'_>| {
        let mut entries = plain();
        entries.push(more);
        raw(&entries)
    };
    let mut gap = plain();
    gap[3].junk = b"PK\x03\x04 hidden";
    let trust = whole["trust.yaml"].as_slice();
    let tools = in_pack("artifact/tools.json");
    assert_eq!(raw(&plain()), good, "the builder of this test writes what cask writes");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a byte", flipped, "bundle-member-changed"),
        ("a member more", write(&with(&in_pack("artifact/more.json"), b"{}")), "is not listed"),
        (
            "a key, listed",
            write(&recorded(with("state/keys/a.pem", b"x"))),
            "is not something that bundles carry",
        ),
        (
            "a second lockfile",
            write(&recorded(with(
                &in_pack("lockfile/caskmcp.lock.yaml"),
                whole[&in_pack(LOCKFILE)].as_slice(),
            ))),
            "is not the lockfile that the manifest names",
        ),
        ("a member less", write(&less), "bundle-member-missing"),
        ("less, and not listed", write(&recorded(less.clone())), "artifact-unreadable"),
        ("twice", and(Raw::plain("trust.yaml", trust)), "is there twice"),
        ("a case", and(Raw::plain("Trust.yaml", trust)), "only in upper and lower case"),
        ("out of it", write(&with("../x", b"x")), "leads out of the folder"),
        ("inside and out", write(&with("trust/../../x", b"x")), "leads out of the folder"),
        ("absolute", write(&with("/etc/x", b"x")), "an absolute path"),
        ("a drive", write(&with("C:/x", b"x")), "a drive"),
        ("a backslash", write(&with("..\\x", b"x")), "a backslash"),
        ("a folder", and(Raw { mode: 0o040_755, ..Raw::plain("trust/", b"") }), "is a folder"),
        (
            "a link",
            and(Raw { mode: 0o120_777, ..Raw::plain("trust/1.yaml", b"/etc/passwd") }),
            "is a symbolic link",
        ),
        (
            "a bomb",
            and(Raw { method: 8, size: 1 << 30, ..Raw::plain("trust/1.yaml", b"\x03\0") }),
            "is packed",
        ),
        ("a large claim", and(Raw { size: 80 << 20, ..Raw::plain("trust/1.yaml", b"x") }), "claims to be"),
        (
            "a false length",
            and(Raw { size: 60 << 20, ..Raw::plain("trust/1.yaml", b"x") }),
            "not where the directory",
        ),
        ("something between", raw(&gap), "bundle-layout"),
        (
            "another tool",
            write(&changed(&tools, "Does one thing.", "Does any thing.")),
            "changed-after-approval",
        ),
        (
            "another policy",
            write(&changed(&in_pack("artifact/policy.cedar"), "permit", "// x\npermit")),
            "changed-after-approval",
        ),
        (
            "another lockfile",
            write(&changed(&in_pack(LOCKFILE), "risk: low", "risk: safe")),
            "denied_lockfile_changed",
        ),
        (
            "another record",
            write(&with(
                "bundle.json",
                &String::from_utf8(whole["bundle.json"].clone())
                    .unwrap()
                    .replace("\"revision\":1", "\"revision\":2")
                    .into_bytes(),
            )),
            "bundle-mismatch",
        ),
        (
            "no trust",
            write(&recorded(
                whole
                    .iter()
                    .filter(|(name, _)| *name != "trust.yaml")
                    .map(|(n, b)| (n.clone(), b.clone()))
                    .collect(),
            )),
            "nobody is trusted",
        ),
    ];
    for (name, bytes, why) in cases {
        std::fs::write(world.path("bad.zip"), bytes).unwrap();
        let ran = world.cask(&["bundle", "verify", "bad.zip"]);
        assert_eq!(ran.code, 2, "{name}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains(why), "{name}: {}", ran.out);
        let ran = world.cask(&["bundle", "unpack", "bad.zip", "--into", "unpacked"]);
        assert_eq!(ran.code, 2, "{name}: {}{}", ran.out, ran.err);
        assert!(!world.path("unpacked").exists() && !world.path("x").exists(), "{name}");
    }
    let longer = [good.as_slice(), b"more"].concat();
    let newer = String::from_utf8(whole["bundle.json"].clone())
        .unwrap()
        .replace("\"schema_version\":\"1\"", "\"schema_version\":\"2\"");
    for (bytes, why) in [
        (good[..good.len() - 9].to_vec(), "not a bundle"),
        (longer, "not a bundle"),
        (b"not a zip".to_vec(), "not a bundle"),
        (write(&with("bundle.json", newer.as_bytes())), "a later version of cask"),
    ] {
        std::fs::write(world.path("bad.zip"), bytes).unwrap();
        let ran = world.cask(&["bundle", "verify", "bad.zip"]);
        assert!(ran.code == 3 && ran.err.contains(why), "{}{}", ran.out, ran.err);
    }
    assert_eq!(world.cask(&["bundle", "verify", "gone.zip"]).code, 3);
}

#[test]
fn a_trust_that_nobody_agreed_to_is_refused_by_its_own_history() {
    let world = World::approved();
    ok(&world.cask(&["trust", "threshold", "safe", "1"]));
    let mut members = members(&bundle(&world));
    let trust = String::from_utf8(members["trust.yaml"].clone()).unwrap();
    members.insert("trust.yaml".to_owned(), trust.replace("medium: 1", "medium: 3").into_bytes());
    std::fs::write(world.path("bad.zip"), write(&recorded(members))).unwrap();
    let ran = world.cask(&["bundle", "verify", "bad.zip"]);
    assert!(ran.code == 2 && ran.out.contains("bundle-trust-refused"), "{}{}", ran.out, ran.err);
    // Whatever a later trust says, the pinned one before it leads to it.
    let first = std::fs::read_to_string(world.root().join("trust/1.yaml")).unwrap();
    let first = cask_core::artifact::trust::read(&first).unwrap().digest().unwrap().to_string();
    ok(&world.cask(&["bundle", "verify", "b.zip", "--trust-root", &first]));
}

#[test]
fn only_what_is_approved_is_bundled() {
    let refused = |world: &World, code: i32, why: &str| {
        let ran = world.cask(&["bundle", "--file", "b.zip"]);
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains(why), "{why}: {}{}", ran.out, ran.err);
        assert!(!world.path("b.zip").exists());
    };
    let world = World::new();
    ok(&world.cask(&["gate", "sync"]));
    refused(&world, 1, "nothing is approved");
    let world = World::approved();
    world.edit("artifact/tools.json", "Does one thing.", "Does another thing.");
    refused(&world, 2, "changed-after-approval");
    let world = World::approved();
    world.edit(LOCKFILE, "risk: low", "risk: safe");
    refused(&world, 2, "denied_lockfile_changed");
    let world = World::approved();
    ok(&world.cask(&["trust", "threshold", "critical", "2"]));
    refused(&world, 2, "quorum-not-met");
    let world = World::approved();
    ok(&world.cask(&["trust", "threshold", "critical", "1"]));
    let trust = std::fs::read_to_string(world.root().join("trust.yaml")).unwrap();
    std::fs::write(world.root().join("trust.yaml"), trust.replace("critical: 1", "critical: 2")).unwrap();
    let ran = world.cask(&["bundle", "--file", "b.zip"]);
    assert!(ran.code == 3 && ran.err.contains("trust.yaml"), "{}{}", ran.out, ran.err);
    // What nobody has decided on yet does not keep the rest from being passed on; nor is it served there.
    let world = World::approved();
    let tools = [
        ("get_user", "read", "low", "GET"),
        ("list_users", "read", "low", "GET"),
        ("pay", "payment", "critical", "POST"),
    ];
    world.write_tools(&tools.map(|(name, effect, risk, method)| tool(name, effect, risk, method)));
    let ran = world.cask(&["bundle", "--file", "b.zip"]);
    ok(&ran);
    assert!(ran.err.contains("1 subject in it would not be served"), "{}", ran.err);
    let ran = world.cask(&["bundle", "verify", "b.zip"]);
    assert!(ran.code == 1 && ran.out.contains("subject-pending"), "{}{}", ran.out, ran.err);
}

#[test]
fn a_credential_is_not_passed_on() {
    let world = World::approved();
    // Put together here, so that no scanner takes this file for a leak.
    let secret = format!("ghp_{}", "aB3dE5fG7hJ9".repeat(3));
    let policy = world.read("artifact/policy.cedar");
    world.write(
        "artifact/policy.cedar",
        &format!("// until the service has one of its own: {secret}\n{policy}"),
    );
    ok(&world.cask(&["gate", "sync"]));
    ok(&world.cask(&["gate", "allow", "policy"]));
    let ran = world.cask(&["bundle", "--file", "b.zip"]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    for said in ["bundle-credential", "artifact/policy.cedar", "token", "line 1"] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    assert!(!ran.out.contains(&secret) && !ran.err.contains(&secret));
    assert!(!world.path("b.zip").exists());
}

#[test]
fn unpacked_it_serves_what_was_approved_and_overwrites_nothing() {
    let world = World::approved();
    bundle(&world);
    let unpack = ["bundle", "unpack", "b.zip", "--into", "there"];
    let ran = world.cask(&unpack);
    ok(&ran);
    assert!(ran.out.contains("cask --root there gate check"), "{}", ran.out);
    ok(&world.cask(&["--root", "there", "gate", "check"]));
    assert_eq!(world.cask(&["--root", "there", "diff"]).code, 0, "what was approved is known there too");
    let there = world.path("there");
    for name in ["trust.yaml", "toolpacks/tp_0123456789ab/artifact/tools.json"] {
        let read = |root: &Path| std::fs::read(root.join(name)).unwrap();
        assert_eq!(read(&there), read(&world.root()), "{name}");
    }
    let again = world.cask(&unpack);
    ok(&again);
    assert!(again.out.contains("unpacked 0 files"), "{}", again.out);
    // One file is somebody's own: nothing at all is written.
    std::fs::write(there.join("trust.yaml"), "mine").unwrap();
    std::fs::remove_file(there.join("toolpacks/tp_0123456789ab/toolpack.yaml")).unwrap();
    let before = files(&there);
    let ran = world.cask(&unpack);
    assert!(ran.code == 3 && ran.err.contains("trust.yaml is there and different"), "{}{}", ran.out, ran.err);
    assert!(
        files(&there)
            .into_iter()
            .filter(|(path, _)| !path.ends_with("state/lock"))
            .eq(before.into_iter().filter(|(path, _)| !path.ends_with("state/lock")))
    );
}

#[cfg(unix)]
#[test]
fn links_lead_neither_in_nor_out() {
    use std::os::unix::fs::symlink;
    let world = World::approved();
    bundle(&world);
    let outside = world.path("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::create_dir(world.path("there")).unwrap();
    symlink(&outside, world.path("there/toolpacks")).unwrap();
    let ran = world.cask(&["bundle", "unpack", "b.zip", "--into", "there"]);
    assert!(ran.code == 3 && ran.err.contains("is a symbolic link"), "{}{}", ran.out, ran.err);
    assert!(files(&outside).is_empty() && !world.path("there/trust.yaml").exists());
    // Nor is a link bundled, wherever it leads.
    let tools = world.pack("artifact/tools.json");
    std::fs::rename(&tools, world.pack("artifact/real.json")).unwrap();
    symlink("real.json", &tools).unwrap();
    let ran = world.cask(&["bundle", "--file", "b2.zip"]);
    assert!(ran.code == 3 && ran.err.contains("is a symbolic link"), "{}{}", ran.out, ran.err);
}
