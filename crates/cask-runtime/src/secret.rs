//! Credentials for the upstream: from a value, an environment variable or a file; never printed.
//! Each is for one host and sent to no other.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use cask_core::endpoint::Auth;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::mask;

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
pub struct Credentials {
    by_host: Vec<(String, Secret)>,
    /// What to look for in answers.
    forms: Vec<Secret>,
}

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
    /// `called` are the hosts that requests go to. `signed` are hosts that an operator's base stands in for:
    /// a credential may be given for them, and is not sent, for it is not meant for the base. Without a host
    /// there must be only one that requests go to.
    ///
    /// # Errors
    /// What is wrong; the message never holds the value.
    pub fn read(arguments: &[String], called: &[&str], signed: &[&str]) -> Result<Self, String> {
        let mut out: Vec<(String, Secret)> = Vec::new();
        for argument in arguments {
            let split = argument.split_once('=');
            let (host, value) = match split {
                Some((host, value)) if called.contains(&host) || signed.contains(&host) => (host, value),
                // A mistyped host must not turn the rest into a credential for another one.
                Some((host, value)) if value.starts_with("env:") || value.starts_with("file:") => {
                    let called = called.join(", ");
                    return Err(format!(
                        "--auth names the host `{host}`, which no tool calls; there are: {called}"
                    ));
                }
                Some((host, value)) if looks_like_host(host) && !value.trim_matches('=').is_empty() => {
                    return Err(format!(
                        "--auth: what stands before `=` looks like a host, but is none that tools call ({}); \
                         if it belongs to the credential, put HOST= in front of it",
                        called.join(", ")
                    ));
                }
                _ => match called {
                    [only] => (*only, argument.as_str()),
                    _ => {
                        return Err(format!(
                            "--auth needs a host (HOST=VALUE), for tools call {}: {}",
                            called.len(),
                            called.join(", ")
                        ));
                    }
                },
            };
            if out.iter().any(|(other, _)| other == host) {
                return Err(format!("--auth is given twice for `{host}`"));
            }
            out.push((host.to_owned(), Secret::read(value)?));
        }
        let mut forms: Vec<Secret> =
            out.iter().flat_map(|(_, secret)| mask::forms(&secret.0)).map(Secret).collect();
        forms.sort_by_key(|form| std::cmp::Reverse(form.0.len()));
        Ok(Self { by_host: out, forms })
    }

    /// Whether there is a credential for this host.
    #[must_use]
    pub fn has(&self, host: &str) -> bool {
        self.by_host.iter().any(|(other, _)| other == host)
    }

    /// Where the credential for this host goes, if there is one.
    #[must_use]
    pub fn place(&self, host: &str, auth: &[Auth]) -> Option<Place> {
        let secret = self.by_host.iter().find(|(other, _)| other == host).map(|(_, secret)| secret)?;
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

    /// Replaces every credential in a text, should the upstream echo it. Where the text was `cut`, also
    /// what is left of one at its end.
    #[must_use]
    pub fn mask(&self, text: String, cut: bool) -> String {
        self.forms.iter().fold(text, |text, form| mask::mask(text, &form.0, cut))
    }

    /// Replaces every credential in the strings, numbers and keys of a value.
    pub fn mask_value(&self, value: &mut Value) {
        if self.forms.is_empty() {
            return;
        }
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                if self.forms.iter().any(|form| mask::is_number(number, &form.0)) {
                    *number = 0.into();
                }
            }
            Value::String(text) => *text = self.mask(std::mem::take(text), false),
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_value(item)),
            Value::Object(members) => {
                for (key, mut value) in std::mem::take(members) {
                    self.mask_value(&mut value);
                    members.insert(self.mask(key, false), value);
                }
            }
        }
    }
}

/// A name with a dot or a port. Better a credential asked for again than one sent to the wrong host.
fn looks_like_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    let port_fits = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    !name.is_empty()
        && name.chars().all(plain)
        && port_fits
        && (name.contains('.') || port.is_some() || name == "localhost")
}

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
        let credentials = Credentials::read(&[credential.to_owned()], &["h"], &[]).unwrap();
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
            Credentials::read(
                &args.iter().map(|&text| text.to_owned()).collect::<Vec<_>>(),
                hosts,
                &["signed.example"],
            )
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
        assert_eq!(two.mask("you sent hunter2!".to_owned(), false), format!("you sent {}!", mask::MASK));
    }

    #[test]
    fn a_host_that_is_not_called_is_no_part_of_a_credential() {
        let read = |arg: &str| Credentials::read(&[arg.to_owned()], &["a.example"], &["signed.example"]);
        for wrong in ["wrong.example=S3CRET", "localhost:8080=S3CRET", "localhost=S3CRET", "A.example=S3CRET"]
        {
            let error = read(wrong).unwrap_err();
            assert!(error.contains("a.example") && !error.contains("S3CRET"), "{error}");
        }
        for right in ["c2Vj.cmV0==", "sid=abc; csrf=d", "a.example=wrong.example=x", "user.name:pass", "k=v"]
        {
            assert!(read(right).unwrap().has("a.example"), "{right}");
        }
        let signed = read("signed.example=hunter2").unwrap();
        assert!(signed.place("a.example", &[]).is_none() && !signed.has("a.example"));
    }
}
