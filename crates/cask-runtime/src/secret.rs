//! Credentials for the upstream: from a value, an environment variable or a file; never printed.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use cask_core::endpoint::Auth;
use zeroize::Zeroizing;

/// A credential. It has no printable form, and its memory is wiped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A credential file longer than this is not one.
const MAX_BYTES: u64 = 64 * 1024;

/// The credentials of one gateway, by host.
#[derive(Debug, Clone, Default)]
pub struct Credentials(Vec<(String, Secret)>);

/// Where a credential goes in a request.
#[derive(Debug)]
pub enum Place {
    /// This header has this value.
    Header(String, Secret),
    /// This query parameter has this value.
    Query(String, Secret),
}

impl Credentials {
    /// Reads `--auth` arguments: `[HOST=]VALUE`, where the value may be `env:NAME` or `file:PATH`.
    ///
    /// Without a host there must be only one that calls go to: a credential is sent nowhere else.
    ///
    /// # Errors
    /// What is wrong; the message never holds the value.
    pub fn read(arguments: &[String], hosts: &[&str]) -> Result<Self, String> {
        let mut out: Vec<(String, Secret)> = Vec::new();
        for argument in arguments {
            let split = argument.split_once('=');
            let (host, value) = match split {
                Some((host, value)) if hosts.contains(&host) => (host, value),
                // A mistyped host must not turn the rest into a credential for another one.
                Some((host, value)) if value.starts_with("env:") || value.starts_with("file:") => {
                    return Err(format!("--auth names the host `{host}`, which no tool calls"));
                }
                _ => match hosts {
                    [only] => (*only, argument.as_str()),
                    _ => {
                        return Err(format!(
                            "--auth needs a host (HOST=VALUE), for tools call {}: {}",
                            hosts.len(),
                            hosts.join(", ")
                        ));
                    }
                },
            };
            if out.iter().any(|(other, _)| other == host) {
                return Err(format!("--auth is given twice for `{host}`"));
            }
            out.push((host.to_owned(), Secret::read(value)?));
        }
        Ok(Self(out))
    }

    /// Where the credential for this host goes, if there is one.
    #[must_use]
    pub fn place(&self, host: &str, auth: &[Auth]) -> Option<Place> {
        let secret = self.0.iter().find(|(other, _)| other == host).map(|(_, secret)| secret)?;
        let authorization =
            |scheme: &str| Some(Place::Header("authorization".to_owned(), secret.with_scheme(scheme)));
        let first = auth.iter().min_by_key(|auth| match auth {
            Auth::Bearer | Auth::Basic | Auth::Scheme(_) | Auth::Oauth2 | Auth::OpenId => 0,
            Auth::HeaderKey(_) => 1,
            Auth::Cookie(_) => 2,
            Auth::QueryKey(_) => 3,
        });
        match first {
            None | Some(Auth::Bearer | Auth::Oauth2 | Auth::OpenId) => authorization("Bearer"),
            Some(Auth::Basic) => authorization("Basic"),
            Some(Auth::Scheme(scheme)) => authorization(scheme),
            Some(Auth::HeaderKey(name)) => Some(Place::Header(name.clone(), secret.clone())),
            Some(Auth::QueryKey(name)) => Some(Place::Query(name.clone(), secret.clone())),
            Some(Auth::Cookie(name)) => {
                let pair = if secret.0.contains('=') {
                    secret.clone()
                } else {
                    Secret(Zeroizing::new(format!("{name}={}", secret.0.as_str())))
                };
                Some(Place::Header("cookie".to_owned(), pair))
            }
        }
    }

    /// Replaces every credential in a text, should the upstream echo it.
    #[must_use]
    pub fn mask(&self, text: String) -> String {
        self.0.iter().fold(text, |text, (_, secret)| {
            secret.forms().iter().fold(text, |text, form| {
                if text.contains(form.as_str()) { text.replace(form.as_str(), MASK) } else { text }
            })
        })
    }

    /// Replaces every credential in the strings and keys of a value.
    pub fn mask_value(&self, value: &mut serde_json::Value) {
        use serde_json::Value;
        if self.0.is_empty() {
            return;
        }
        match value {
            Value::String(text) => *text = self.mask(std::mem::take(text)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_value(item)),
            Value::Object(members) => {
                for (key, mut value) in std::mem::take(members) {
                    self.mask_value(&mut value);
                    members.insert(self.mask(key), value);
                }
            }
            _ => {}
        }
    }
}

/// What stands for a credential.
pub const MASK: &str = "[redacted:credential]";

impl Secret {
    /// The credential itself, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    fn read(value: &str) -> Result<Self, String> {
        let text = if let Some(name) = value.strip_prefix("env:") {
            std::env::var(name)
                .map_err(|_| format!("--auth: the environment variable `{name}` is not set"))?
        } else if let Some(path) = value.strip_prefix("file:") {
            read_file(Path::new(path)).map_err(|error| format!("--auth: cannot read {path}: {error}"))?
        } else {
            value.to_owned()
        };
        let text = Zeroizing::new(text);
        let trimmed = Zeroizing::new(text.trim().to_owned());
        if trimmed.is_empty() {
            return Err("--auth: the credential is empty".to_owned());
        }
        if !trimmed.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err("--auth: the credential holds characters that cannot be sent in a header".to_owned());
        }
        Ok(Self(trimmed))
    }

    /// `Bearer x` from `x`; what has a scheme already stays.
    fn with_scheme(&self, scheme: &str) -> Self {
        if self.0.contains(' ') {
            return self.clone();
        }
        if scheme == "Basic" && self.0.contains(':') {
            let encoded = base64::engine::general_purpose::STANDARD.encode(self.0.as_bytes());
            return Self(Zeroizing::new(format!("Basic {encoded}")));
        }
        Self(Zeroizing::new(format!("{scheme} {}", self.0.as_str())))
    }

    /// The forms in which it may come back: itself, without its scheme, and as Basic encodes it.
    fn forms(&self) -> Vec<Zeroizing<String>> {
        let mut forms = vec![self.0.clone()];
        if let Some((_, bare)) = self.0.split_once(' ') {
            forms.push(Zeroizing::new(bare.to_owned()));
        }
        if self.0.contains(':') {
            let encoded = base64::engine::general_purpose::STANDARD.encode(self.0.as_bytes());
            forms.push(Zeroizing::new(encoded));
        }
        forms.retain(|form| form.len() >= 4);
        forms
    }
}

fn read_file(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    let read = std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_BYTES {
        return Err(std::io::Error::other("it is too long for a credential"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(credential: &str, auth: &[Auth]) -> String {
        let credentials = Credentials::read(&[credential.to_owned()], &["h"]).unwrap();
        match credentials.place("h", auth).unwrap() {
            Place::Header(name, secret) => format!("{name}: {}", secret.expose()),
            Place::Query(name, secret) => format!("?{name}={}", secret.expose()),
        }
    }

    #[test]
    fn a_credential_goes_where_the_binding_says() {
        assert_eq!(sent("tok", &[]), "authorization: Bearer tok");
        assert_eq!(sent("Token tok", &[Auth::Bearer]), "authorization: Token tok");
        assert_eq!(sent("u:p", &[Auth::Basic]), "authorization: Basic dTpw");
        assert_eq!(sent("k", &[Auth::HeaderKey("X-Key".into())]), "X-Key: k");
        assert_eq!(sent("k", &[Auth::QueryKey("key".into())]), "?key=k");
        assert_eq!(sent("v", &[Auth::Cookie("sid".into())]), "cookie: sid=v");
        assert_eq!(sent("h=with=signs", &[]), "authorization: Bearer with=signs");
    }

    #[test]
    fn a_credential_is_for_one_host_and_never_shown() {
        let read = |args: &[&str], hosts: &[&str]| {
            Credentials::read(&args.iter().map(|&text| text.to_owned()).collect::<Vec<_>>(), hosts)
        };
        assert!(read(&["hunter2"], &["a.example", "b.example"]).is_err());
        assert!(read(&["a.exmaple=env:HOME"], &["a.example"]).is_err());
        assert!(read(&["a.example=x", "a.example=y"], &["a.example"]).is_err());
        let two = read(&["a.example=hunter2"], &["a.example", "b.example"]).unwrap();
        assert!(two.place("b.example", &[]).is_none());
        assert!(!format!("{two:?}").contains("hunter2"));
        for bad in ["", "  ", "a\nb", "env:CASK_NOT_SET_ANYWHERE", "file:/does/not/exist"] {
            let error = read(&[bad], &["a.example"]).unwrap_err();
            assert!(!error.contains("a\nb"), "{error}");
        }
        assert_eq!(two.mask("you sent hunter2!".to_owned()), format!("you sent {MASK}!"));
    }
}
