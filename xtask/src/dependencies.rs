//! What the crates may depend on, and why.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A dependency that a crate may have.
type Allowed = (&'static str, &'static str);

/// The core does no IO: whatever is here must not either.
const CORE: &[Allowed] = &[
    ("aho-corasick", "finds the keywords of all redaction rules in one pass"),
    ("apollo-parser", "parses GraphQL documents, with limits"),
    (
        "aws-lc-rs",
        "digests: twice as quick as Rust alone where the processor has no instructions for SHA-256",
    ),
    ("base64", "bodies in captures, keys and signatures in lockfiles"),
    ("blake3", "names captures; nothing that is signed"),
    ("brotli-decompressor", "compressed bodies in captures"),
    ("cedar-policy", "evaluates the policy"),
    ("ed25519-dalek", "checks signatures"),
    ("flate2", "compressed bodies in captures"),
    ("ipnet", "address ranges in the egress guard"),
    ("jiff", "parses and compares times; it is never asked for the time"),
    ("jsonschema", "checks arguments and answers against a tool's schemas"),
    ("memchr", "finds the ends of strings in captures"),
    ("psl", "tells first-party hosts from third-party ones"),
    ("rayon", "the same work for many items on all cores; results keep the order of the items"),
    ("regex", "shapes of tokens, in linear time"),
    ("ruzstd", "compressed bodies in captures"),
    ("serde", "reads and writes the file formats"),
    ("serde-saphyr", "YAML with budgets, which refuses duplicate keys"),
    ("serde_json", "JSON"),
    ("serde_json_canonicalizer", "RFC 8785: the bytes that digests are made of"),
    ("ssh-encoding", "how OpenSSH writes its signatures"),
    ("ssh-key", "OpenSSH public keys and SSHSIG"),
    ("thiserror", "error types"),
    ("url", "the WHATWG URL parser, the one that HTTP clients use"),
];

/// Which of our own crates a crate may use.
const OURS: &[(&str, &[&str])] = &[
    ("cask-core", &[]),
    ("cask-runtime", &["cask-core"]),
    ("cask", &["cask-core", "cask-runtime"]),
    ("xtask", &["cask", "cask-core"]),
];

/// Every direct dependency that is not allowed, and every allowance that nothing uses.
pub fn faults(root: &Path) -> Result<Vec<String>, String> {
    let metadata = metadata(root)?;
    let mut faults = Vec::new();
    let packages = metadata.get("packages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for package in packages {
        let name = text(package, "name");
        let all =
            package.get("dependencies").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // Normal dependencies have no kind; dev and build dependencies are not shipped.
        let (ours, theirs): (Vec<&Value>, Vec<&Value>) = (all.iter())
            .filter(|dependency| dependency.get("kind").is_none_or(Value::is_null))
            .partition(|dependency| dependency.get("path").is_some_and(Value::is_string));
        let Some((_, allowed)) = OURS.iter().find(|(of, _)| *of == name) else {
            faults.push(format!("xtask/src/dependencies.rs: crate `{name}` has no line in OURS"));
            continue;
        };
        for found in ours.iter().map(|dependency| text(dependency, "name")) {
            if !allowed.contains(&found) {
                faults.push(format!("crates/{name}/Cargo.toml: `{name}` must not use `{found}`"));
            }
        }
        if name == "cask-core" {
            let theirs: Vec<&str> = theirs.iter().map(|dependency| text(dependency, "name")).collect();
            let new = theirs.iter().filter(|found| CORE.iter().all(|(name, _)| name != *found));
            faults.extend(new.map(|found| {
                format!(
                    "crates/cask-core/Cargo.toml: `{found}` is not on the list in xtask/src/dependencies.rs: \
                         add it with its reason, if it does no IO"
                )
            }));
            let unused = CORE.iter().filter(|(name, _)| !theirs.contains(name));
            faults.extend(unused.map(|(name, _)| {
                format!("xtask/src/dependencies.rs: the core does not use `{name}` any more: remove it")
            }));
        }
    }
    Ok(faults)
}

fn metadata(root: &Path) -> Result<Value, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of.get(key).and_then(Value::as_str).unwrap_or_default()
}
