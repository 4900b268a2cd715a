//! Keys that ssh-agent holds (draft-ietf-sshm-ssh-agent): two questions, asked on its socket.
//!
//! Our own client, because the one there is would bring RSA and two more curves with it, which nothing here uses.

use std::io::{Read as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cask_core::lock::key::{Key, NAMESPACE, sshsig_text};
use cask_core::lock::sign::Signs;
use ssh_encoding::{Decode as _, Encode as _};
use ssh_key::{HashAlg, PublicKey, Signature, SshSig};

use crate::ctx::Ctx;
use crate::error::Error;

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 1 << 20;
/// A person may have to touch the key.
const PATIENCE: Duration = Duration::from_secs(120);

#[cfg(unix)]
type Socket = std::os::unix::net::UnixStream;

/// A connection to an agent.
pub struct Agent {
    #[cfg(unix)]
    socket: Socket,
}

/// Connects to the agent that `SSH_AUTH_SOCK` names.
///
/// # Errors
/// [`Error`] if there is none.
#[cfg(unix)]
pub fn connect(ctx: &Ctx) -> Result<Agent, Error> {
    let path = ctx.var("SSH_AUTH_SOCK").ok_or_else(|| {
        Error::new("no ssh-agent: SSH_AUTH_SOCK is not set")
            .hint("start one: eval \"$(ssh-agent)\" && ssh-add")
    })?;
    let failed = |error: std::io::Error| Error::new(format_args!("ssh-agent at {path}: {error}"));
    let socket = Socket::connect(&path).map_err(failed)?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    Ok(Agent { socket })
}

/// Connects to the agent that `SSH_AUTH_SOCK` names.
///
/// # Errors
/// Always, here.
#[cfg(not(unix))]
pub fn connect(_: &Ctx) -> Result<Agent, Error> {
    let _ = PATIENCE;
    Err(Error::new("cask speaks to ssh-agent over a Unix socket only").hint("use a key file"))
}

impl Agent {
    /// The Ed25519 keys it holds, those in hardware too.
    ///
    /// # Errors
    /// [`Error`] if it does not answer, or not as the protocol says.
    pub fn keys(&mut self) -> Result<Vec<PublicKey>, Error> {
        let answer = self.ask(&[REQUEST_IDENTITIES])?;
        let Some((&IDENTITIES_ANSWER, mut rest)) = answer.split_first() else { return Err(garbled()) };
        let count = u32::decode(&mut rest).map_err(|_| garbled())?;
        let mut out = Vec::new();
        for _ in 0..count.min(1_000) {
            let blob = Vec::<u8>::decode(&mut rest).map_err(|_| garbled())?;
            let comment = Vec::<u8>::decode(&mut rest).map_err(|_| garbled())?;
            // Keys of other kinds are no fault.
            if let Ok(mut key) = PublicKey::from_bytes(&blob)
                && Key::of_ssh(&key).is_some()
            {
                key.set_comment(String::from_utf8_lossy(&comment));
                out.push(key);
            }
        }
        Ok(out)
    }

    fn sign(&mut self, key: &PublicKey, data: &[u8]) -> Result<Signature, String> {
        let mut question = vec![SIGN_REQUEST];
        let blob = key.to_bytes().map_err(|error| error.to_string())?;
        (|| {
            blob.encode(&mut question)?;
            data.encode(&mut question)?;
            0_u32.encode(&mut question)
        })()
        .map_err(|error: ssh_encoding::Error| error.to_string())?;
        let answer = self.ask(&question).map_err(|error| error.message)?;
        let Some((&SIGN_RESPONSE, mut rest)) = answer.split_first() else {
            return Err("ssh-agent refused to sign (was the key touched, or is it locked?)".to_owned());
        };
        let blob = Vec::<u8>::decode(&mut rest).map_err(|_| garbled().message)?;
        Signature::decode(&mut blob.as_slice()).map_err(|_| garbled().message)
    }

    #[cfg(unix)]
    fn ask(&mut self, question: &[u8]) -> Result<Vec<u8>, Error> {
        let failed = |error: std::io::Error| Error::new(format_args!("ssh-agent: {error}"));
        let length = u32::try_from(question.len()).map_err(Error::new)?;
        self.socket.write_all(&length.to_be_bytes()).map_err(failed)?;
        self.socket.write_all(question).map_err(failed)?;
        let mut length = [0; 4];
        self.socket.read_exact(&mut length).map_err(failed)?;
        let length = u32::from_be_bytes(length) as usize;
        if length == 0 || length > MAX_ANSWER {
            return Err(garbled());
        }
        let mut answer = vec![0; length];
        self.socket.read_exact(&mut answer).map_err(failed)?;
        Ok(answer)
    }

    #[cfg(not(unix))]
    fn ask(&mut self, _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(garbled())
    }
}

fn garbled() -> Error {
    Error::new("ssh-agent answered with something that is not of its protocol")
}

/// A key that an agent holds.
pub struct Held {
    agent: Mutex<Agent>,
    ssh: PublicKey,
    public: Key,
}

impl Held {
    /// This key of this agent.
    ///
    /// # Errors
    /// [`Error`] if it is not an Ed25519 key.
    pub fn new(agent: Agent, key: &PublicKey) -> Result<Self, Error> {
        let public = Key::of_ssh(key).ok_or_else(|| Error::new("not an Ed25519 key"))?;
        Ok(Self { agent: Mutex::new(agent), ssh: key.clone(), public })
    }
}

impl Signs for Held {
    fn key(&self) -> &Key {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<String, String> {
        let data =
            SshSig::signed_data(NAMESPACE, HashAlg::Sha512, message).map_err(|error| error.to_string())?;
        let mut agent = self.agent.lock().unwrap_or_else(PoisonError::into_inner);
        if self.public.kind() == "ssh hardware" {
            eprintln!("touch the key {} to sign", self.public.id());
        }
        let signature = agent.sign(&self.ssh, &data)?;
        let sig = SshSig::new(self.ssh.key_data().clone(), NAMESPACE, HashAlg::Sha512, signature)
            .map_err(|error| error.to_string())?;
        let text = sshsig_text(&sig).ok_or_else(|| "the signature cannot be written".to_owned())?;
        // An agent is another program: what it gives is looked at before anything is sealed with it.
        if !self.public.verifies(message, &text) {
            return Err("ssh-agent gave a signature that does not verify".to_owned());
        }
        Ok(text)
    }
}
