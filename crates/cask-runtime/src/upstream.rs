//! The only door to the network. A [`Permit`] goes in by value; guards 7 and 8 stand in the door.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use cask_core::endpoint::Auth;
use cask_core::guard::request::host_of;
use cask_core::guard::{Denial, Permit, ReasonCode};
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Method, Response, StatusCode, redirect};
use url::Url;

use crate::address;
use crate::secret::{Credentials, Place};

/// Redirects followed with `--allow-redirects`, at most.
const MAX_HOPS: usize = 3;
/// Of an error answer, at most this much is read.
const MAX_ERROR_BYTES: u64 = 64 * 1024;

/// The upstream as the operator set it up.
#[derive(Debug)]
pub struct Upstream {
    pub(crate) credentials: Credentials,
    pub(crate) opened: Vec<IpNet>,
    pub(crate) redirects: bool,
    /// Hosts signed for TLS: in clear, no credential goes there.
    pub(crate) secure: BTreeSet<String>,
    pub(crate) client: OnceLock<Result<Client, String>>,
}

/// What an upstream answered, within its limits.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Media type without parameters, lower case; empty if there is none.
    pub media: String,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// The body of an error answer was longer.
    pub cut: bool,
}

impl Upstream {
    /// Its credentials, for masking.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Makes the HTTP client now rather than at the first call: reading the trusted certificates takes time.
    ///
    /// # Errors
    /// Why there is no client; every call will be refused.
    pub fn client(&self) -> Result<&Client, &str> {
        let make = || {
            Client::builder()
                .no_proxy()
                .redirect(redirect::Policy::none())
                .referer(false)
                .tcp_nodelay(true)
                .user_agent(concat!("cask/", env!("CARGO_PKG_VERSION")))
                .dns_resolver(CheckedResolver { opened: self.opened.clone() })
                .build()
                .map_err(|error| error.to_string())
        };
        self.client.get_or_init(make).as_ref().map_err(String::as_str)
    }

    /// Makes the call that was permitted, once. `allows_host` is the signed list.
    ///
    /// # Errors
    /// A [`Denial`] if an address, a redirect, the time, the size or the media type is not allowed, or
    /// if no answer came.
    pub async fn send(&self, permit: Permit, allows_host: impl Fn(&str) -> bool) -> Result<Answer, Denial> {
        let limit = Duration::from_millis(permit.limits().timeout_ms);
        match tokio::time::timeout(limit, self.exchange(&permit, allows_host)).await {
            Ok(answer) => answer,
            Err(_) => Err(refused(
                ReasonCode::DeniedTimeout,
                format!("the upstream did not answer within {} ms", limit.as_millis()),
            )),
        }
    }

    async fn exchange(&self, permit: &Permit, allows_host: impl Fn(&str) -> bool) -> Result<Answer, Denial> {
        let request = permit.request();
        let mut url = request.url.clone();
        let mut hops = 0;
        let mut own = true;
        loop {
            let host = self.admit(&url, &allows_host)?;
            if hops > 0 && !request.covers(&url) {
                let message = "the upstream answered with a redirect that leaves the tool's signed path";
                return Err(refused(ReasonCode::DeniedRedirectNotAllowlisted, message));
            }
            let place = if own { self.place(&url, &host, permit.auth())? } else { None };
            let response = self.once(permit, &url, place, own).await?;
            if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
                return read(response, permit).await;
            }
            let next = self.next_hop(permit, &url, &response, hops)?;
            // Credentials and headers are for the host they were given for, not for where that host points.
            own &= next.origin() == url.origin();
            url = next;
            hops += 1;
        }
    }

    /// Where the credential of a host goes in a request to this URL, if there is one.
    fn place(&self, url: &Url, host: &str, auth: &[Auth]) -> Result<Option<Place>, Denial> {
        let place = self.credentials.place(host, auth);
        if place.is_some() && url.scheme() == "http" && self.secure.contains(host) {
            let message =
                format!("`{host}` is signed for https, and a credential does not go there over http");
            return Err(refused(ReasonCode::DeniedSchemeNotAllowed, message));
        }
        Ok(place)
    }

    /// The place that the credential would take, for `--dry-run` to show masked.
    ///
    /// # Errors
    /// A [`Denial`] if it must not be sent.
    pub fn shown_place(&self, permit: &Permit) -> Result<Option<(&'static str, String)>, Denial> {
        let request = permit.request();
        let place = self.place(&request.url, &request.host, permit.auth())?;
        Ok(place.map(|place| match place {
            Place::Header(name, _) => ("header", name),
            Place::Query(name, _) => ("query", name),
        }))
    }

    /// Scheme, host and, where the host is an address, the address.
    fn admit(&self, url: &Url, allows_host: impl Fn(&str) -> bool) -> Result<String, Denial> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused(ReasonCode::DeniedSchemeNotAllowed, "only http and https are called"));
        }
        let host = host_of(url);
        if !allows_host(&host) {
            let message = format!("the host `{host}` is not on the signed list");
            return Err(refused(ReasonCode::DeniedHostNotAllowed, message));
        }
        // The resolver is not asked about hosts that are addresses.
        let literal = match url.host() {
            Some(url::Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(url::Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        if let Some(address) = literal {
            address::check(address, &self.opened).map_err(|kind| not_allowed(&host, address, kind))?;
        }
        Ok(host)
    }

    /// Sends one request. To another origin than the signed one go neither arguments nor fixed headers.
    async fn once(
        &self,
        permit: &Permit,
        url: &Url,
        place: Option<Place>,
        own: bool,
    ) -> Result<Response, Denial> {
        let request = permit.request();
        let internal = |message: String| refused(ReasonCode::ErrorInternal, message);
        let client = self.client().map_err(|error| internal(format!("no HTTP client: {error}")))?;
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| internal("the method is not a token".to_owned()))?;
        let mut url = url.clone();
        if let Some(Place::Query(name, secret)) = &place {
            url.query_pairs_mut().append_pair(name, secret.expose());
        }
        let mut builder = client.request(method, url);
        for (name, value) in request.headers.iter().filter(|(name, _)| own || name == "accept") {
            builder = builder.header(name, value);
        }
        if let Some(Place::Header(name, secret)) = &place {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_str(secret.expose());
            let (Ok(name), Ok(mut value)) = (name, value) else {
                return Err(internal("the credential cannot be sent in that header".to_owned()));
            };
            value.set_sensitive(true);
            builder = builder.header(name, value);
        }
        if let Some(body) = request.body.as_ref().filter(|_| own) {
            builder = builder.body(body.clone());
        }
        builder.send().await.map_err(|error| explain(error, &request.host))
    }

    fn next_hop(&self, permit: &Permit, from: &Url, response: &Response, hops: usize) -> Result<Url, Denial> {
        let refuse = |what: &str| {
            let message =
                format!("the upstream answered with a redirect ({}) {what}", response.status().as_u16());
            Err(refused(ReasonCode::DeniedRedirectNotAllowlisted, message))
        };
        if !self.redirects {
            return refuse("and redirects are not followed");
        }
        if !matches!(permit.request().method.as_str(), "GET" | "HEAD") {
            return refuse("to a request that is not a read");
        }
        if hops >= MAX_HOPS {
            return refuse("after three others");
        }
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(next) = location.and_then(|location| from.join(location).ok()) else {
            return refuse("to a place that is not a URL");
        };
        if from.scheme() == "https" && next.scheme() != "https" {
            return refuse("that leaves TLS");
        }
        if !next.username().is_empty() || next.password().is_some() {
            return refuse("that carries a credential");
        }
        Ok(next)
    }
}

/// Reads an answer within the permit's limits. Bytes are counted after decompression, as they come.
async fn read(mut response: Response, permit: &Permit) -> Result<Answer, Denial> {
    let status = response.status();
    let media =
        response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let good = status.is_success();
    let limit = permit.limits().max_response_bytes;
    let limit = if good { limit } else { limit.min(MAX_ERROR_BYTES) };
    let mut answer = Answer { status, media, body: Vec::new(), cut: false };
    loop {
        let chunk = response.chunk().await.map_err(|error| explain(error, &permit.request().host))?;
        let Some(chunk) = chunk else { break };
        if good && answer.body.is_empty() && !chunk.is_empty() && !accepted(&answer.media, permit.accept()) {
            let shown: String = answer.media.chars().filter(|c| c.is_ascii_graphic()).take(80).collect();
            let message = format!("the upstream answered with `{shown}`, which the tool does not accept");
            return Err(refused(ReasonCode::DeniedContentTypeNotAllowed, message));
        }
        let room = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(answer.body.len());
        if chunk.len() > room {
            if good {
                let message = format!("the upstream's answer is longer than {limit} bytes");
                return Err(refused(ReasonCode::DeniedResponseTooLarge, message));
            }
            answer.body.extend(chunk.iter().take(room));
            answer.cut = true;
            break;
        }
        answer.body.extend_from_slice(&chunk);
    }
    Ok(answer)
}

/// A binding that names no type was never seen with a body: then any text that can be shown may come.
fn accepted(media: &str, accept: &[String]) -> bool {
    if accept.is_empty() {
        return media.is_empty() || is_json(media) || media.starts_with("text/");
    }
    accept.iter().any(|allowed| {
        let allowed = allowed.split(';').next().unwrap_or_default().trim();
        allowed == "*/*" || allowed.eq_ignore_ascii_case(media)
    })
}

/// Whether a media type is JSON or one of its dialects.
#[must_use]
pub fn is_json(media: &str) -> bool {
    media == "application/json" || media.ends_with("+json") || media.ends_with("/json")
}

fn refused(code: ReasonCode, message: impl Into<String>) -> Denial {
    let guard = match code {
        ReasonCode::DeniedTimeout
        | ReasonCode::DeniedResponseTooLarge
        | ReasonCode::DeniedContentTypeNotAllowed
        | ReasonCode::UpstreamUnreachable => "call",
        ReasonCode::ErrorInternal => "",
        _ => "egress",
    };
    Denial { guard, ..Denial::new(code, message) }
}

fn not_allowed(host: &str, address: IpAddr, kind: &str) -> Denial {
    let message = format!("`{host}` is at {address}, a {kind} address, which is not called");
    refused(ReasonCode::DeniedAddressNotAllowed, message)
}

/// What a failed exchange was, without the URL (it may carry a credential).
fn explain(error: reqwest::Error, host: &str) -> Denial {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(current) = cause {
        if let Some(refusal) = current.downcast_ref::<Unresolved>() {
            return match refusal {
                Unresolved::Refused(address, kind) => not_allowed(host, *address, kind),
                Unresolved::Failed => refused(
                    ReasonCode::DeniedHostResolutionFailed,
                    format!("the host `{host}` could not be resolved"),
                ),
            };
        }
        if let Some(error) = tls(current) {
            return refused(ReasonCode::UpstreamUnreachable, format!("`{host}`: {}", words(error)));
        }
        cause = current.source();
    }
    let what = if error.is_connect() {
        "the connection could not be made"
    } else if error.is_decode() {
        "the answer could not be decoded"
    } else {
        "the connection failed"
    };
    refused(ReasonCode::UpstreamUnreachable, format!("`{host}`: {what}"))
}

/// What TLS says of a connection. An error of the system passes on what is inside it, but not as its source.
fn tls<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    match error.downcast_ref::<std::io::Error>() {
        Some(outer) => tls(outer.get_ref()?),
        None => error.downcast_ref(),
    }
}

/// Our own words: those of the error may hold what the server wrote into its certificate.
fn words(error: &rustls::Error) -> &'static str {
    use rustls::CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(Bad::UnknownIssuer) => {
            "nobody who is trusted here vouches for its certificate"
        }
        rustls::Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            "its certificate is for another name"
        }
        rustls::Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            "its certificate has expired"
        }
        rustls::Error::InvalidCertificate(_) => "its certificate is not valid",
        _ => "no TLS connection could be made",
    }
}

/// Resolves with the system's resolver and refuses a name if one of its addresses is not allowed: the
/// addresses that were checked are the ones that are connected to.
struct CheckedResolver {
    opened: Vec<IpNet>,
}

#[derive(Debug, thiserror::Error)]
enum Unresolved {
    #[error("{0} is a {1} address")]
    Refused(IpAddr, &'static str),
    #[error("the name could not be resolved")]
    Failed,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let opened = self.opened.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| Unresolved::Failed)?;
            let found: Vec<SocketAddr> = found.collect();
            if found.is_empty() {
                return Err(Unresolved::Failed.into());
            }
            for address in &found {
                address::check(address.ip(), &opened)
                    .map_err(|kind| Unresolved::Refused(address.ip(), kind))?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
