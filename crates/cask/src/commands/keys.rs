//! `cask keys`: the keys that sign.

use std::path::{Path, PathBuf};

use cask_core::lock::key::Key;
use cask_core::lock::trust::{Content, Revoked, Trust};
use cask_core::report::escape::terminal;
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use serde_json::json;

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::keys::{self, Who, agent, file};
use crate::store::{self, Store};
use crate::{output, trust, ui};

/// Make, list, import, rotate and revoke the keys that sign approvals.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a signing key under state/keys/
    New {
        /// Whose it is [default: git's user.email]
        #[arg(long = "by", visible_alias = "as", value_name = "SIGNER")]
        by: Option<String>,
        /// Protect it with a passphrase, which is asked for (or given in CASK_PASSPHRASE)
        #[arg(long)]
        passphrase: bool,
    },
    /// List the keys under state/keys/ and those that ssh-agent holds
    List {
        /// As canonical JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the public half of a key, to give to whoever edits the trust
    ///
    /// Example: cask keys show ~/.ssh/id_ed25519
    Show {
        /// A file, or `agent:SHA256:…` [default: your own]
        key: Option<String>,
        /// As PEM, for openssl; only for keys that cask made
        #[arg(long)]
        pem: bool,
    },
    /// Keep a private key that another tool made, as your own
    Import {
        /// The file: OpenSSH Ed25519, or PKCS#8 PEM
        file: PathBuf,
        /// Whose it is [default: git's user.email]
        #[arg(long = "by", visible_alias = "as", value_name = "SIGNER")]
        by: Option<String>,
    },
    /// Put a new key in the place of your own: the trust learns the new one, and the old one is revoked
    Rotate {
        #[command(flatten)]
        who: Who,
        /// Protect the new one with a passphrase
        #[arg(long)]
        passphrase: bool,
        /// Why
        #[arg(long, default_value = "rotated")]
        reason: String,
    },
    /// Revoke a key: what it signs from now on does not count
    Revoke {
        /// As `cask trust show` names it: `ed25519:…` or `SHA256:…`
        key: String,
        /// Somebody else may have it: nothing that it ever signed counts
        #[arg(long)]
        compromised: bool,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
        #[command(flatten)]
        who: Who,
    },
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    match args.command {
        Command::New { by, passphrase } => new(by.as_deref(), passphrase, ctx, &store),
        Command::List { json } => list(json, ctx, &store),
        Command::Show { key, pem } => show(key.as_deref(), pem, ctx, &store),
        Command::Import { file, by } => import(&file, by.as_deref(), ctx, &store),
        Command::Rotate { who, passphrase, reason } => rotate(&who, passphrase, &reason, ctx, &store),
        Command::Revoke { key, compromised, reason, who } => {
            let _held = store.lock("keys revoke")?;
            let changed = trust::change(&store, ctx, &who, &reason, &|content| {
                revoke(content, &key, &ctx.now(), compromised, &reason)
            })?;
            super::trust::told(&changed, ctx)
        }
    }
}

fn new(by: Option<&str>, passphrase: bool, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let _held = store.lock("keys new")?;
    let id = keys::signer_id(ctx, by)?;
    let path = keys::own_file(store, &id)?;
    if path.exists() {
        return Err(Error::new(format_args!("{} is there already", path.display()))
            .hint("put a new one in its place with `cask keys rotate`"));
    }
    let key = make(store, &path, passphrase, ctx)?;
    output::text(&format!("{}\n{}\n", path.display(), key.text()))?;
    Ok(Exit::Pass)
}

fn make(store: &Store, path: &Path, protect: bool, ctx: &Ctx) -> Result<Key, Error> {
    let passphrase = if protect { Some(chosen(ctx)?) } else { None };
    let signer = file::make(store, path, passphrase.as_deref())?;
    Ok(cask_core::lock::sign::Signs::key(&signer).clone())
}

/// A new passphrase, asked for twice.
fn chosen(ctx: &Ctx) -> Result<String, Error> {
    if let Some(given) = ctx.var("CASK_PASSPHRASE") {
        return Ok(given);
    }
    let nobody = || Error::new("nobody can be asked for a passphrase").hint("give it in CASK_PASSPHRASE");
    let first = ui::secret("new passphrase: ").ok_or_else(nobody)?;
    let again = ui::secret("the same again: ").ok_or_else(nobody)?;
    if first.is_empty() {
        return Err(Error::new("an empty passphrase protects nothing"));
    }
    if first == again { Ok(first) } else { Err(Error::new("those were two different passphrases")) }
}

fn list(as_json: bool, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let trust = trust::read(store)?.unwrap_or_default();
    let mut rows: Vec<[String; 5]> = Vec::new();
    let owner = |key: &Key| trust.owner(&key.id()).unwrap_or("nobody").to_owned();
    let dir = keys::folder(store);
    let mut files: Vec<PathBuf> = match std::fs::read_dir(&dir) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(_) => Vec::new(),
    };
    files.retain(|path| path.extension().is_some_and(|end| end == "pem"));
    files.sort();
    for path in files {
        let text = store::read(store.root(), &path, 64 << 10)?;
        let (id, kind, whose) = if file::is_encrypted(&text) {
            // Its public half is inside too.
            ("(encrypted)".to_owned(), "cask".to_owned(), String::new())
        } else {
            let key = file::load(ctx, store.root(), &path)?.key().clone();
            (key.id(), key.kind().to_owned(), owner(&key))
        };
        rows.push([path.display().to_string(), id, kind, whose, String::new()]);
    }
    if ctx.var("SSH_AUTH_SOCK").is_some() {
        match agent::connect(ctx).and_then(|mut agent| agent.keys()) {
            Ok(held) => {
                for ssh in held {
                    let Some(key) = Key::of_ssh(&ssh) else { continue };
                    let place = format!("agent:{}", key.id());
                    rows.push([
                        place,
                        key.id(),
                        key.kind().to_owned(),
                        owner(&key),
                        ssh.comment().to_owned(),
                    ]);
                }
            }
            Err(error) => eprintln!("warning: {}", terminal(&error.message)),
        }
    }
    let header = ["PLACE", "KEY", "KIND", "SPEAKS FOR", "COMMENT"];
    let text = if as_json {
        let keys: Vec<_> = rows
            .iter()
            .map(|[place, key, kind, owner, comment]| {
                json!({ "place": place, "key": key, "kind": kind, "speaks_for": owner, "comment": comment })
            })
            .collect();
        let value = json!({ "schema_version": "1", "keys": keys });
        format!("{}\n", String::from_utf8_lossy(&cask_core::canon::canonical(&value).map_err(Error::new)?))
    } else if rows.is_empty() {
        "no keys here: `cask keys new` makes one\n".to_owned()
    } else {
        ui::table(&header, &rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>())
    };
    output::text(&text)?;
    Ok(Exit::Pass)
}

fn show(given: Option<&str>, pem: bool, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let signer = match given {
        Some(given) => match Key::read(given) {
            Some(_) => return Err(Error::new("that is a public key already")),
            None => keys::load(ctx, given)?,
        },
        None => {
            let path = keys::own_file(store, &keys::signer_id(ctx, None)?)?;
            if !path.exists() {
                return Err(Error::new(format_args!("no key at {}", path.display()))
                    .hint("make one with `cask keys new`"));
            }
            file::load(ctx, store.root(), &path)?
        }
    };
    let key = signer.key();
    let text = match (pem, key) {
        (true, Key::Own(public)) => public.to_public_key_pem(LineEnding::LF).map_err(Error::new)?,
        (true, Key::Ssh(_)) => {
            return Err(Error::new("this is a key of OpenSSH, which has its own form")
                .hint("leave --pem out; `ssh-keygen -Y verify` checks its signatures"));
        }
        (false, key) => format!("{}\n", key.text()),
    };
    output::text(&text)?;
    Ok(Exit::Pass)
}

fn import(from: &Path, by: Option<&str>, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let _held = store.lock("keys import")?;
    let id = keys::signer_id(ctx, by)?;
    let path = keys::own_file(store, &id)?;
    if path.exists() {
        return Err(Error::new(format_args!("{} is there already", path.display()))
            .hint("use the other one with --sign-with, or move yours away"));
    }
    // Reading it proves that it is one, with a passphrase that is known.
    let key = file::load(ctx, store::dir_of(from), from)?.key().clone();
    let bytes = store::read_bytes(store::dir_of(from), from, 64 << 10)?;
    file::keep(store, &path, &bytes)?;
    output::text(&format!("{}\n{}\n", path.display(), key.text()))?;
    Ok(Exit::Pass)
}

/// The old key signs the change of the trust; then the new one takes its place. Killed in between, both files are there.
fn rotate(who: &Who, passphrase: bool, reason: &str, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let _held = store.lock("keys rotate")?;
    let trust: Trust = trust::current(store, ctx)?;
    if who.sign_with.is_none() {
        let path = keys::own_file(store, &keys::signer_id(ctx, who.by.as_deref())?)?;
        if !path.exists() {
            return Err(Error::new(format_args!("no key at {}", path.display()))
                .hint("make one with `cask keys new`"));
        }
    }
    let identity = keys::identity(ctx, store, who, &trust)?;
    let (id, old) = (identity.id.clone(), identity.signer.key().id());
    let path = keys::own_file(store, &id)?;
    let fresh = path.with_extension("new.pem");
    if fresh.exists() {
        return Err(Error::new(format_args!("{} is there: a rotation was left halfway", fresh.display())).hint(
            "if the trust has it already (`cask trust show`), move it to the place of the old one; otherwise remove it",
        ));
    }
    let new = make(store, &fresh, passphrase, ctx)?;
    let now = ctx.now();
    let changed = trust::change(store, ctx, who, reason, &|content| {
        let signer = content.signers.iter_mut().find(|signer| signer.id == id);
        let Some(signer) = signer else {
            return Err(Error::new(format_args!("`{}` is not trusted here", terminal(&id))));
        };
        signer.keys.push(new.text());
        revoke(content, &old, &now, false, reason)
    });
    // A key that the trust names already is never thrown away, whatever went wrong after.
    let named = trust::read(store)?.is_some_and(|trust| trust.owner(&new.id()).is_some());
    let changed = match changed {
        Err(error) if !named => {
            let _ = std::fs::remove_file(&fresh);
            return Err(error);
        }
        other => other?,
    };
    if changed.missing.is_none() {
        let aside = path.with_extension("old.pem");
        if path.exists() {
            std::fs::rename(&path, &aside).map_err(|error| store::io_error("move", &path, &error))?;
        }
        std::fs::rename(&fresh, &path).map_err(|error| store::io_error("move", &fresh, &error))?;
        eprintln!("the new key is {}, the old one {}", path.display(), aside.display());
    } else {
        eprintln!(
            "the new key is {}; it takes the place of the old one when the change counts",
            fresh.display()
        );
    }
    super::trust::told(&changed, ctx)
}

fn revoke(content: &mut Content, key: &str, at: &str, compromised: bool, reason: &str) -> Result<(), Error> {
    let id = Key::read(key).map_or_else(|| key.to_owned(), |key| key.id());
    let known = content.signers.iter().flat_map(|signer| &signer.keys).filter_map(|text| Key::read(text));
    if !known.into_iter().any(|one| one.id() == id) {
        return Err(Error::new(format_args!("no signer has the key `{}`", terminal(key)))
            .hint("`cask trust show` lists them"));
    }
    let revoked = Revoked { key: id.clone(), at: at.to_owned(), compromised, reason: reason.to_owned() };
    match content.revoked.iter_mut().find(|one| one.key == id) {
        // Once revoked it stays so from that time on; it can only turn out to be worse.
        Some(one) => one.compromised |= compromised,
        None => content.revoked.push(revoked),
    }
    Ok(())
}
