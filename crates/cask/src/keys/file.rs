//! Keys in files: PKCS#8 as cask makes them, with a passphrase or without, and OpenSSH's own.

use std::io::Write as _;
use std::path::Path;

use cask_core::lock::key::{Key, NAMESPACE, sshsig_text};
use cask_core::lock::sign::{Own, Signs};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use ssh_key::{HashAlg, PrivateKey};

use crate::ctx::Ctx;
use crate::error::Error;
use crate::store::{self, Store, io_error};
use crate::ui;

/// The longest key file that is read, in bytes.
const MAX_BYTES: u64 = 64 << 10;

/// An OpenSSH key from a file.
struct Ssh {
    secret: PrivateKey,
    public: Key,
}

impl Signs for Ssh {
    fn key(&self) -> &Key {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<String, String> {
        let sig = self.secret.sign(NAMESPACE, HashAlg::Sha512, message).map_err(|error| error.to_string())?;
        sshsig_text(&sig).ok_or_else(|| "the signature cannot be written".to_owned())
    }
}

/// Reads a private key, and asks for its passphrase if it has one.
///
/// # Errors
/// [`Error`] if others can read it, it is none, or the passphrase is wrong. Never quotes the file.
pub fn load(ctx: &Ctx, base: &Path, path: &Path) -> Result<Box<dyn Signs>, Error> {
    private(path)?;
    let text = store::read(base, path, MAX_BYTES)?;
    // The parsers' own words could quote the file: say only that it is not one.
    let wrong = |what: &str| Error::new(format_args!("{} {what}", path.display()));
    if text.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
        let mut secret =
            PrivateKey::from_openssh(&text).map_err(|_| wrong("is not an OpenSSH private key"))?;
        if secret.is_encrypted() {
            let passphrase = passphrase(ctx, path)?;
            secret = secret.decrypt(passphrase.as_bytes()).map_err(|_| wrong("has another passphrase"))?;
        }
        let public = Key::of_ssh(secret.public_key()).ok_or_else(|| {
            wrong("is not an Ed25519 key")
                .hint("make one with `ssh-keygen -t ed25519`, or use `agent:SHA256:…`")
        })?;
        if public.kind() != "ssh" {
            return Err(wrong("is held by hardware, which only ssh-agent can ask")
                .hint(format_args!("`ssh-add` it, then sign with `--sign-with agent:{}`", public.id())));
        }
        return Ok(Box::new(Ssh { secret, public }));
    }
    let key = if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        let passphrase = passphrase(ctx, path)?;
        SigningKey::from_pkcs8_encrypted_pem(&text, passphrase.as_bytes())
            .map_err(|_| wrong("has another passphrase, or is not an Ed25519 key"))?
    } else {
        SigningKey::from_pkcs8_pem(&text)
            .map_err(|_| wrong("is not an Ed25519 key in PKCS#8 PEM or of OpenSSH"))?
    };
    Ok(Box::new(Own::from(key)))
}

/// Whether the key in this file asks for a passphrase.
#[must_use]
pub fn is_encrypted(text: &str) -> bool {
    text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || PrivateKey::from_openssh(text).is_ok_and(|key| key.is_encrypted())
}

/// A key that others can read is no secret.
fn private(path: &Path) -> Result<(), Error> {
    let meta = std::fs::metadata(path).map_err(|error| io_error("read", path, &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = meta.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Error::new(format_args!("{} is open to others (mode {mode:o})", path.display()))
                .hint(format_args!(
                    "chmod 600 {}; if others could read it, make a new key",
                    path.display()
                )));
        }
    }
    let _ = meta;
    Ok(())
}

fn passphrase(ctx: &Ctx, path: &Path) -> Result<String, Error> {
    if let Some(given) = ctx.var("CASK_PASSPHRASE") {
        return Ok(given);
    }
    ui::secret(&format!("passphrase of {}: ", path.display())).ok_or_else(|| {
        Error::new(format_args!("{} has a passphrase, and nobody can be asked", path.display()))
            .hint("give it in CASK_PASSPHRASE, or let ssh-agent hold the key")
    })
}

/// Makes a key in a new file, encrypted (PBES2, scrypt and AES-256) if a passphrase is given. An existing file is never
/// replaced.
///
/// # Errors
/// [`Error`] if it cannot be written.
pub fn make(store: &Store, path: &Path, passphrase: Option<&str>) -> Result<Own, Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)
        .map_err(|error| Error::new(format_args!("the system gave no randomness: {error}")))?;
    let key = SigningKey::from_bytes(&secret);
    secret.fill(0);
    let pem = match passphrase {
        Some(passphrase) => {
            key.to_pkcs8_encrypted_pem(&mut rand_core::OsRng, passphrase.as_bytes(), LineEnding::LF)
        }
        None => key.to_pkcs8_pem(LineEnding::LF),
    };
    keep(store, path, pem.map_err(Error::new)?.as_bytes())?;
    Ok(Own::from(key))
}

/// Writes a private key where nobody else can read it.
///
/// # Errors
/// [`Error`] if it cannot be written, or there is one.
pub fn keep(store: &Store, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let dir = store::dir_of(path);
    store::make_dir(store.root())?;
    store::make_dir(dir)?;
    if dir.starts_with(store.root()) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
                .map_err(|error| io_error("protect", dir, &error))?;
        }
        // A key that is committed by mistake is everybody's key.
        for (ignore, text) in
            [(store.root().join(".gitignore"), "/state\n"), (store.state().join(".gitignore"), "*\n")]
        {
            if !ignore.exists() {
                store.write(&ignore, text.as_bytes())?;
            }
        }
    }
    // A temporary file has mode 0600 from its first byte, and an existing key is never replaced.
    let failed = |error: &std::io::Error| io_error("write", path, error);
    let mut file =
        tempfile::Builder::new().prefix(store::UNFINISHED).tempfile_in(dir).map_err(|e| failed(&e))?;
    file.write_all(bytes).map_err(|e| failed(&e))?;
    file.as_file().sync_all().map_err(|e| failed(&e))?;
    file.persist_noclobber(path).map_err(|error| failed(&error.error))?;
    store::sync_dir(dir).map_err(|error| failed(&error))
}
