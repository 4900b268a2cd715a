//! `cask gate export` and `cask gate import`: approvals on their way between signers, as DSSE envelopes of in-toto statements.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cask_core::lock::key::{self, Key};
use cask_core::lock::sign::{self, PAYLOAD_TYPE};
use cask_core::lock::status::Against;
use cask_core::lock::trust::Miss;
use cask_core::lock::{Approval, Entry, State, change, is_time, quorum};
use cask_core::report::escape::terminal;
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use serde::{Deserialize, Serialize};

use super::decide::{By, Desk, pen};
use super::{Which, scopes};
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::store::{self, Store};
use crate::{keys, output, ui};

/// The longest file of approvals that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// Tools by name; also `policy`, `toolset/<name>`, `host/<name>` and `scope/<name>` [default: all that are approved]
    tools: Vec<String>,
    /// Sign them now, as they are in the toolpack, instead of taking the approvals that the lockfile has
    #[arg(long, requires = "tools")]
    sign: bool,
    /// Where to write the envelopes [default: standard output]
    #[arg(long, value_name = "FILE", conflicts_with = "raw")]
    file: Option<PathBuf>,
    /// Write what is signed, the signature and the public key of each to files here, for openssl and ssh-keygen
    #[arg(long, value_name = "DIR")]
    raw: Option<PathBuf>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// What `cask gate export` wrote
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    which: Which,
}

/// A file of approvals.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Passed {
    schema_version: String,
    toolpack: String,
    approvals: Vec<Envelope>,
}

/// A DSSE envelope (protocol version 1).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: [Signature; 1],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

/// What of a statement is not in the toolpack: read only to be written again and compared with.
#[derive(Deserialize)]
struct Statement {
    subject: [Subject; 1],
    predicate: Predicate,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
}

#[derive(Deserialize)]
struct Predicate {
    approver: String,
    at: String,
    #[serde(default)]
    author: Option<String>,
    key: String,
    reason: String,
    revision: u64,
    until: Option<String>,
}

/// `cask gate export`
pub(super) fn export(args: &Export, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let desk = Desk::open(&args.which, ctx, store)?;
    let mut wanted = desk.subjects(&args.tools)?;
    if wanted.is_empty() {
        wanted = desk.lockfile.subjects.keys().cloned().collect();
    }
    let mut found: Vec<(String, Entry, Approval)> = Vec::new();
    if args.sign {
        scopes::sound(&desk.pack, &wanted)?;
        let signer = keys::identity(ctx, store, &args.by.who, &desk.trust)?;
        let at = ctx.now();
        let pen = pen(&signer, &at, None, &args.by);
        for id in &wanted {
            let Some(now) = desk.now.get(id) else { continue };
            let entry = change::joined(&desk.lockfile, id, now);
            let (toolpack, revision) = (&desk.lockfile.toolpack, desk.lockfile.revision);
            let approval = sign::approve(toolpack, revision, id, &entry, &pen).map_err(Error::new)?;
            found.push((id.clone(), entry, approval));
        }
    } else {
        for id in &wanted {
            let Some(entry) = desk.lockfile.subjects.get(id).filter(|entry| entry.state == State::Approved)
            else {
                continue;
            };
            found
                .extend(entry.approvals.iter().map(|approval| (id.clone(), entry.clone(), approval.clone())));
        }
    }
    if found.is_empty() {
        return Err(Error::new("there is no approval of these").hint("sign them now with --sign"));
    }
    // Nobody's word is passed on as theirs that is not.
    let now = ctx.now();
    let against = Against { trust: &desk.trust, now: &now, seen: None };
    let counts = |(id, entry, approval): &(String, Entry, Approval)| {
        let mut only = entry.clone();
        only.approvals = vec![approval.clone()];
        quorum::explain(id, &only, &desk.lockfile, &against).iter().all(|(_, miss)| miss.is_none())
    };
    if !args.sign {
        found.retain(counts);
        if found.is_empty() {
            return Err(Error::new("none of these approvals counts").hint("`cask gate check` says why"));
        }
    }
    let statement = |(id, entry, approval): &(String, Entry, Approval)| {
        sign::approval_statement(&desk.lockfile.toolpack, id, entry, approval).map_err(Error::new)
    };
    if let Some(dir) = &args.raw {
        store::make_dir(dir)?;
        for one in &found {
            raw(dir, &one.0, &one.2, &sign::pae(&statement(one)?), &desk)?;
        }
        eprintln!("wrote {} to {}", ui::count(found.len() as u64, "approval"), dir.display());
        return Ok(Exit::Pass);
    }
    let envelope = |one: &(String, Entry, Approval)| {
        let (keyid, sig) = (one.2.key.clone(), one.2.signature.clone());
        Ok(Envelope {
            payload: BASE64.encode(statement(one)?),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: [Signature { keyid, sig }],
        })
    };
    let passed = Passed {
        schema_version: "1".to_owned(),
        toolpack: desk.lockfile.toolpack.clone(),
        approvals: found.iter().map(envelope).collect::<Result<_, Error>>()?,
    };
    let mut text = serde_json::to_string_pretty(&passed).map_err(Error::new)?;
    text.push('\n');
    match &args.file {
        Some(path) => {
            store::write(store::dir_of(path), path, text.as_bytes())?;
            eprintln!("wrote {} to {}", ui::count(found.len() as u64, "approval"), path.display());
        }
        None => output::text(&text)?,
    }
    Ok(Exit::Pass)
}

/// One approval as the tools of others take it.
fn raw(dir: &Path, id: &str, approval: &Approval, message: &[u8], desk: &Desk) -> Result<(), Error> {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-.@_".contains(c) { c } else { '_' };
    let name: String = format!("{id}.{}", approval.by).chars().map(plain).collect();
    let name = name.trim_start_matches('.').chars().take(200).collect::<String>();
    let write = |end: &str, bytes: &[u8]| store::write(dir, &dir.join(format!("{name}.{end}")), bytes);
    write("message", message)?;
    let mut keys = desk.trust.signers().iter().flat_map(|signer| &signer.keys);
    let key = keys.find_map(|text| Key::read(text).filter(|key| key.id() == approval.key));
    match (key, key::armoured(&approval.signature)) {
        (Some(Key::Own(public)), _) => {
            write("pem", public.to_public_key_pem(LineEnding::LF).map_err(Error::new)?.as_bytes())?;
            write("sig", &BASE64.decode(&approval.signature).unwrap_or_default())
        }
        (Some(public @ Key::Ssh(_)), Some(armoured)) => {
            let namespace = key::NAMESPACE;
            if approval.by.contains(|c: char| c.is_whitespace() || "*?!".contains(c)) {
                return Err(Error::new(format_args!(
                    "`{}` cannot stand in a list of allowed signers",
                    terminal(&approval.by)
                )));
            }
            let line = format!("{} namespaces=\"{namespace}\" {}\n", approval.by, public.text());
            write("allowed_signers", line.as_bytes())?;
            write("sig", armoured.as_bytes())
        }
        _ => Err(Error::new(format_args!(
            "the key of `{}` is not in trust.yaml, so it is not known whole",
            terminal(&approval.by)
        ))),
    }
}

/// `cask gate import`
pub(super) fn import(args: &Import, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let _held = store.lock("gate import")?;
    let mut desk = Desk::open(&args.which, ctx, store)?;
    let now = ctx.now();
    let mut told = String::new();
    let mut taken = 0_u64;
    for path in &args.files {
        let text = store::read(store::dir_of(path), path, MAX_BYTES)?;
        let wrong = |why: &str| Error::new(format_args!("{}: {why}", path.display()));
        let passed: Passed = serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
        if passed.schema_version != "1" {
            return Err(wrong("written by a later version of cask"));
        }
        if passed.toolpack != desk.lockfile.toolpack {
            let (theirs, ours) = (terminal(&passed.toolpack), &desk.lockfile.toolpack);
            return Err(wrong(&format!("the approvals are for toolpack {theirs}, not for {ours}"))
                .hint("an approval is good for one toolpack only"));
        }
        for (index, envelope) in passed.approvals.iter().enumerate() {
            let at = |why: String| wrong(&format!("/approvals/{index}: {why}"));
            let (id, entry, approval) = open(envelope, &desk).map_err(at)?;
            // Only what counts gets in: whoever hands over a file can write anything into it.
            let mut with = entry.clone();
            with.approvals = vec![approval.clone()];
            let against = Against { trust: &desk.trust, now: &now, seen: None };
            let found = quorum::explain(&id, &with, &desk.lockfile, &against);
            let line = |what: &str| format!("  {} by {}: {what}\n", terminal(&id), terminal(&approval.by));
            // What a key signed that is revoked now, and nobody has seen before, could have been signed at any time.
            let revoked = desk.trust.content().revoked.iter().any(|revoked| revoked.key == approval.key);
            match found.first().and_then(|(_, miss)| miss.or(revoked.then_some(Miss::Revoked))) {
                Some(miss) => told += &line(&format!("does not count: {}", miss.words())),
                None if change::import(&mut desk.lockfile, &id, &entry, approval.clone()) => {
                    taken += 1;
                    told += &line("counts");
                }
                None => told += &line("nothing new"),
            }
        }
    }
    if taken == 0 {
        output::text(&format!("nothing new was taken\n{told}"))?;
        return Ok(Exit::Pass);
    }
    let signer = desk.signer(ctx, store, &args.by)?;
    let path = desk.commit(store, ctx, &args.by, &signer, true)?;
    let mut text = format!("took {}: {}\n{told}", ui::count(taken, "approval"), path.display());
    let short = desk.short(ctx)?;
    text += &desk.list("not served before more signers agree: ", &short.iter().collect::<Vec<_>>());
    output::text(&text)?;
    Ok(Exit::Pass)
}

/// The approval in an envelope, if what it says is about a subject as it is now: written again, it must be the same bytes.
fn open(envelope: &Envelope, desk: &Desk) -> Result<(String, Entry, Approval), String> {
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err("not an in-toto statement".to_owned());
    }
    let payload = BASE64.decode(&envelope.payload).map_err(|_| "the payload is not base64".to_owned())?;
    let Statement { subject: [Subject { name }], predicate } =
        serde_json::from_slice(&payload).map_err(|error| format!("not a statement of cask: {error}"))?;
    let [Signature { sig, .. }] = &envelope.signatures;
    if !is_time(&predicate.at) || !predicate.until.as_deref().is_none_or(is_time) {
        return Err("a time in it is not one like 2026-01-31T12:00:00Z".to_owned());
    }
    let shown = terminal(&name);
    let Some(now) = desk.now.get(&name) else { return Err(format!("`{shown}` is not in this toolpack")) };
    let approval = Approval {
        by: predicate.approver,
        key: predicate.key,
        at: predicate.at,
        until: predicate.until,
        reason: predicate.reason,
        revision: predicate.revision,
        signature: sig.clone(),
    };
    let entry = Entry { author: predicate.author, ..change::joined(&desk.lockfile, &name, now) };
    let again = sign::approval_statement(&desk.lockfile.toolpack, &name, &entry, &approval);
    if !again.is_ok_and(|again| again == payload) {
        return Err(format!("`{shown}` is not what was approved: it has changed since, or was blocked"));
    }
    if entry.author != now.author {
        return Err(format!("`{shown}` was approved as made by somebody else"));
    }
    Ok((name, entry, approval))
}
