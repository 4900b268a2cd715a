//! Signing keys: files under `state/keys/` (mode 0600), files elsewhere, and keys that an agent holds. Private halves are
//! never printed.

use std::path::{Path, PathBuf};

use cask_core::lock::sign::Signs;
use cask_core::lock::trust::{Trust, is_id};
use ssh_key::HashAlg;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::store::{self, Store};

pub mod agent;
pub mod file;

/// Someone who signs.
pub struct Identity {
    /// Signer id.
    pub id: String,
    /// Their key.
    pub signer: Box<dyn Signs>,
}

/// Who signs, and with what, as it is typed.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Who {
    /// Who decides [default: the owner of the key, git's user.email]
    #[arg(long = "by", visible_alias = "as", value_name = "SIGNER")]
    pub by: Option<String>,
    /// The key: a file, or `agent:SHA256:…` for one that ssh-agent holds [default: the signer's own under state/keys/]
    #[arg(long, value_name = "KEY", env = "CASK_KEY")]
    pub sign_with: Option<String>,
}

/// Who is signing: `--by`, or git's `user.email`, or the user's name.
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
        Some(id) if is_id(&id) => Ok(id),
        Some(_) => Err(Error::new("that is not a usable signer id").hint("use an e-mail address or a name")),
        None => Err(Error::new("who is approving? neither git's user.email nor USER is set")
            .hint("say it with --by you@example.com")),
    }
}

/// The signer and their key. Their own key under `state/keys/` is made on first use.
///
/// # Errors
/// [`Error`] if the key cannot be read, is readable by others, or cannot be made.
pub fn identity(ctx: &Ctx, store: &Store, who: &Who, trust: &Trust) -> Result<Identity, Error> {
    if let Some(given) = &who.sign_with {
        let signer = load(ctx, given)?;
        let owner = trust.owner(&signer.key().id()).map(str::to_owned);
        let id = match (&who.by, owner) {
            (None, Some(owner)) => owner,
            (by, _) => signer_id(ctx, by.as_deref())?,
        };
        return Ok(Identity { id, signer });
    }
    let id = signer_id(ctx, who.by.as_deref())?;
    let path = own_file(store, &id)?;
    if path.exists() {
        return Ok(Identity { signer: file::load(ctx, store.root(), &path)?, id });
    }
    let signer = file::make(store, &path, None)?;
    eprintln!("made a signing key for {id}: {} (keep it private)", path.display());
    Ok(Identity { id, signer: Box::new(signer) })
}

/// `state/keys/<signer>.pem`
///
/// # Errors
/// [`Error`] if the id makes no file name.
pub fn own_file(store: &Store, id: &str) -> Result<PathBuf, Error> {
    store.check_state()?;
    let name: String =
        id.chars().map(|c| if c.is_ascii_alphanumeric() || "-.@+".contains(c) { c } else { '_' }).collect();
    Ok(folder(store).join(format!("{}.pem", store::plain(name.trim_start_matches('.'))?)))
}

/// `state/keys/`
#[must_use]
pub fn folder(store: &Store) -> PathBuf {
    store.state().join("keys")
}

/// The key that `--sign-with` names.
///
/// # Errors
/// [`Error`] if there is none, or it cannot be used.
pub fn load(ctx: &Ctx, given: &str) -> Result<Box<dyn Signs>, Error> {
    let Some(fingerprint) = given.strip_prefix("agent:") else {
        let path = Path::new(given);
        return file::load(ctx, store::dir_of(path), path);
    };
    let mut agent = agent::connect(ctx)?;
    let keys = agent.keys()?;
    let wanted = |key: &&ssh_key::PublicKey| {
        let whole = key.fingerprint(HashAlg::Sha256).to_string();
        whole == fingerprint || whole.strip_prefix("SHA256:") == Some(fingerprint)
    };
    let Some(found) = keys.iter().find(wanted) else {
        let there: Vec<String> =
            keys.iter().map(|key| key.fingerprint(HashAlg::Sha256).to_string()).collect();
        return Err(Error::new(format_args!("ssh-agent has no key {fingerprint}")).hint(
            if there.is_empty() {
                "it has none: `ssh-add` gives it one".to_owned()
            } else {
                format!("it has {}", there.join(", "))
            },
        ));
    };
    Ok(Box::new(agent::Held::new(agent, found)?))
}

fn git_email() -> Option<String> {
    let output = crate::store::git(Path::new(".")).args(["config", "user.email"]).output().ok()?;
    let email = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !email.is_empty()).then_some(email)
}
