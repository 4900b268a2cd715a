//! Signing keys: Ed25519, PKCS#8 PEM, mode 0600 in `state/keys/`. Private halves are never printed.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use cask_core::artifact::lockfile::{read_trust, write_trust};
use cask_core::lock::sign::key_text;
use cask_core::lock::trust::{Signer, Trust};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};

use crate::ctx::Ctx;
use crate::error::Error;
use crate::store::{self, Store, io_error};

/// Someone who signs.
pub struct Identity {
    /// Signer id.
    pub id: String,
    /// Their key.
    pub key: SigningKey,
}

/// Who is signing: `--as`, or git's `user.email`, or the user's name.
///
/// # Errors
/// [`Error`] if none of them says.
pub fn signer_id(ctx: &Ctx, given: Option<&str>) -> Result<String, Error> {
    let id = given
        .map(str::to_owned)
        .or_else(|| ctx.var("CASK_AS"))
        .or_else(git_email)
        .or_else(|| ctx.var("USER"))
        .or_else(|| ctx.var("USERNAME"))
        .map(|id| id.trim().to_owned());
    match id {
        Some(id) if !id.is_empty() && id.chars().count() <= 128 && !id.chars().any(char::is_control) => {
            Ok(id)
        }
        Some(_) => Err(Error::new("that is not a usable signer id").hint("use an e-mail address or a name")),
        None => Err(Error::new("who is approving? neither git's user.email nor USER is set")
            .hint("say it with --as you@example.com")),
    }
}

/// The signer's key, made on first use.
///
/// # Errors
/// [`Error`] if the key cannot be read, is readable by others, or cannot be made.
pub fn identity(ctx: &Ctx, store: &Store, given: Option<&str>) -> Result<Identity, Error> {
    let id = signer_id(ctx, given)?;
    if let Some(path) = ctx.var("CASK_KEY").map(PathBuf::from) {
        let base = store::dir_of(&path);
        return Ok(Identity { id, key: load(base, &path)? });
    }
    let dir = store.state().join("keys");
    let name: String =
        id.chars().map(|c| if c.is_ascii_alphanumeric() || "-.@+".contains(c) { c } else { '_' }).collect();
    let path = dir.join(format!("{}.pem", store::plain(name.trim_start_matches('.'))?));
    if path.exists() {
        return Ok(Identity { id, key: load(store.root(), &path)? });
    }
    let key = make(store, &dir, &path)?;
    // A key that is committed by mistake is everybody's key.
    let ignore = store.root().join(".gitignore");
    if !ignore.exists() {
        store.write(&ignore, b"/state/\n")?;
    }
    eprintln!("made a signing key for {id}: {} (keep it private)", path.display());
    Ok(Identity { id, key })
}

/// Who is trusted here. Without a trust file nobody is.
///
/// # Errors
/// [`Error`] if the file is there but not valid, or not the one that was accepted before.
pub fn trust(store: &Store) -> Result<Trust, Error> {
    store.check_trust()?;
    Ok(read_trust_file(store)?.unwrap_or_default())
}

/// Refuses to decide without a trust file where there was one.
///
/// # Errors
/// [`Error`] if it vanished after a lockfile was accepted.
pub fn check_there(store: &Store) -> Result<(), Error> {
    let path = store.trust_file();
    if path.exists() || !store.seen_any()? {
        return Ok(());
    }
    Err(Error::new(format_args!("{} is gone, but lockfiles were accepted here before", path.display()))
        .hint("restore it from version control; nobody is trusted without it"))
}

/// The trust file as it is, whether or not it was accepted; none if there is none.
///
/// # Errors
/// [`Error`] if it is not valid.
pub fn read_trust_file(store: &Store) -> Result<Option<Trust>, Error> {
    let path = store.trust_file();
    if !path.exists() {
        return Ok(None);
    }
    let text = store::read(store.root(), &path, cask_core::artifact::lockfile::MAX_BYTES)?;
    let trust = read_trust(&text).map_err(|error| Error::new(format_args!("{}: {error}", path.display())))?;
    Ok(Some(trust))
}

/// Trust for signing: the first signer of a root is trusted on first use, aloud; any other must be listed.
///
/// # Errors
/// [`Error`] if the signer is not trusted, or the trust file vanished after a lockfile was accepted.
pub fn trust_for(store: &Store, identity: &Identity) -> Result<(), Error> {
    let path = store.trust_file();
    let key = key_text(&identity.key.verifying_key());
    let trust = trust(store)?;
    check_there(store)?;
    if !path.exists() {
        let signer = Signer { id: identity.id.clone(), keys: vec![key.clone()] };
        let trust = Trust::new(vec![signer]).map_err(Error::new)?;
        store.write(&path, write_trust(&trust).as_bytes())?;
        eprintln!(
            "trust on first use: {} with key {key} may approve for {}",
            identity.id,
            store.root().display()
        );
        eprintln!("  written to {}; commit it, so that others check against the same key", path.display());
        return Ok(());
    }
    match trust.owner(&key) {
        Some(owner) if owner == identity.id => Ok(()),
        Some(owner) => {
            Err(Error::new(format_args!("this key belongs to `{owner}`, not to `{}`", identity.id))
                .hint(format_args!("sign with --as {owner}")))
        }
        None => Err(Error::new(format_args!("the key of `{}` is not trusted here", identity.id)).hint(
            format_args!(
                "someone who is trusted adds this to the signers in {}, and everyone accepts it with \
                 `cask state accept`:\n          - id: {}\n            keys: [{key}]",
                path.display(),
                identity.id
            ),
        )),
    }
}

fn load(base: &Path, path: &Path) -> Result<SigningKey, Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let meta = std::fs::metadata(path).map_err(|error| io_error("read", path, &error))?;
        let mode = meta.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Error::new(format_args!("{} is open to others (mode {mode:o})", path.display()))
                .hint(format_args!(
                    "chmod 600 {}; if others could read it, make a new key",
                    path.display()
                )));
        }
    }
    let text = store::read(base, path, 64 << 10)?;
    // The parser's own words could quote the file: say only that it is not one.
    SigningKey::from_pkcs8_pem(&text)
        .map_err(|_| Error::new(format_args!("{} is not an Ed25519 key in PKCS#8 PEM", path.display())))
}

fn make(store: &Store, dir: &Path, path: &Path) -> Result<SigningKey, Error> {
    store::make_dir(store.root())?;
    store::make_dir(dir)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
            .map_err(|error| io_error("protect", dir, &error))?;
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)
        .map_err(|error| Error::new(format_args!("the system gave no randomness: {error}")))?;
    let key = SigningKey::from_bytes(&secret);
    secret.fill(0);
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(Error::new)?;
    // A temporary file has mode 0600 from its first byte, and an existing key is never replaced.
    let failed = |error: &std::io::Error| io_error("write", path, error);
    let mut file =
        tempfile::Builder::new().prefix(store::UNFINISHED).tempfile_in(dir).map_err(|e| failed(&e))?;
    file.write_all(pem.as_bytes()).map_err(|e| failed(&e))?;
    file.as_file().sync_all().map_err(|e| failed(&e))?;
    file.persist_noclobber(path).map_err(|error| failed(&error.error))?;
    Ok(key)
}

fn git_email() -> Option<String> {
    let output = std::process::Command::new("git").args(["config", "user.email"]).output().ok()?;
    let email = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !email.is_empty()).then_some(email)
}
