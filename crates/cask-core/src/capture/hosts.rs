//! Which hosts belong to the service: the user's `-a` patterns, and a suggestion where there are none.

use std::collections::BTreeMap;
use std::fmt;

use crate::capture::{Scheme, skip};

/// A host pattern that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a host: {why}")]
pub struct BadHost {
    /// As typed.
    pub pattern: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The hosts a capture is kept to.
///
/// `example.com` means that host on the ports of `http` and `https`, `example.com:8443` that port,
/// `example.com:*` any port; `*.example.com` means exactly one more label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Pattern {
    wildcard: bool,
    name: String,
    port: Port,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Port {
    Default,
    Any,
    Is(u16),
}

impl Hosts {
    /// Reads patterns; each may be a comma-separated list.
    ///
    /// # Errors
    /// [`BadHost`] for the first pattern that is none.
    pub fn parse<S: AsRef<str>>(patterns: &[S]) -> Result<Self, BadHost> {
        let lists = patterns.iter().flat_map(|list| list.as_ref().split(','));
        let mut read = lists
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(pattern)
            .collect::<Result<Vec<_>, _>>()?;
        read.sort();
        read.dedup();
        Ok(Self(read))
    }

    /// Whether no pattern was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an exchange's host (lower case, with its port where that is not the scheme's own) is one of these.
    #[must_use]
    pub fn allow(&self, scheme: Scheme, host: &str) -> bool {
        let (name, port) = split_port(host);
        self.0.iter().any(|pattern| {
            let port_fits = match (pattern.port, port) {
                (Port::Any, _) | (Port::Default, None) => true,
                (Port::Is(want), Some(port)) => port == want,
                (Port::Is(want), None) => want == if scheme == Scheme::Https { 443 } else { 80 },
                (Port::Default, Some(_)) => false,
            };
            let name_fits = if pattern.wildcard {
                name.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == pattern.name)
            } else {
                name == pattern.name
            };
            port_fits && name_fits
        })
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Pattern { wildcard, name, port }) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let star = if *wildcard { "*." } else { "" };
            write!(f, "{comma}{star}{name}")?;
            match port {
                Port::Default => {}
                Port::Any => f.write_str(":*")?,
                Port::Is(port) => write!(f, ":{port}")?,
            }
        }
        Ok(())
    }
}

fn pattern(text: &str) -> Result<Pattern, BadHost> {
    let bad = |why| BadHost { pattern: text.to_owned(), why };
    if text.contains("://") || text.contains('/') {
        return Err(bad("give the host alone, without scheme and path"));
    }
    if text.contains('@') {
        return Err(bad("a host has no user name"));
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            let port = match port {
                "*" => Port::Any,
                digits => Port::Is(digits.parse().map_err(|_| bad("the port is not a number up to 65535"))?),
            };
            (name, port)
        }
        _ => (text, Port::Default),
    };
    let (wildcard, name) = match name.strip_prefix("*.") {
        Some(rest) => (true, rest),
        None => (false, name),
    };
    if name.contains('*') {
        return Err(bad("a wildcard stands for the first label only, as in `*.example.com`"));
    }
    let bare_v6 = name.contains(':') && !name.starts_with('[');
    let name = if bare_v6 { format!("[{name}]") } else { name.trim_end_matches('.').to_owned() };
    let host = url::Host::parse(&name).map_err(|_| bad("not a host name or address"))?;
    if wildcard && !matches!(&host, url::Host::Domain(name) if name.contains('.')) {
        return Err(bad("a wildcard needs a domain of at least two labels"));
    }
    Ok(Pattern { wildcard, name: host.to_string(), port })
}

fn split_port(host: &str) -> (&str, Option<u16>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port.parse().ok()),
        _ => (host, None),
    }
}

/// What was seen of one host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Requests.
    pub requests: u64,
    /// Requests that look like API calls.
    pub api: u64,
    /// How often the host named itself as the page or origin behind a request, or served the page.
    pub page: u64,
}

impl Seen {
    /// Adds what another reader has seen.
    pub fn merge(&mut self, other: &Seen) {
        self.requests += other.requests;
        self.api += other.api;
        self.page += other.page;
    }
}

/// The host most likely meant: the one with the most API calls, preferring the registrable domain
/// of the pages that were visited, unless they were of this machine: a page under development calls others.
/// Never a known analytics service. `None` if no host has API calls.
#[must_use]
pub fn suggest(seen: &BTreeMap<String, Seen>) -> Option<&str> {
    let mut pages: BTreeMap<String, u64> = BTreeMap::new();
    for (host, seen) in seen {
        *pages.entry(registrable(host)).or_default() += seen.page;
    }
    let home = pages
        .iter()
        .filter(|(name, count)| **count > 0 && !is_local(name))
        .max_by_key(|(name, count)| (**count, std::cmp::Reverse(*name)));
    let candidates =
        || seen.iter().filter(|(host, seen)| seen.api > 0 && !skip::is_analytics_host(split_port(host).0));
    let most = |(host, seen): &(&String, &Seen)| (seen.api, std::cmp::Reverse((*host).clone()));
    let first_party = candidates()
        .filter(|(host, _)| home.is_some_and(|(name, _)| registrable(host) == *name))
        .max_by_key(most);
    first_party.or_else(|| candidates().max_by_key(most)).map(|(host, _)| host.as_str())
}

/// Whether a name or an address is this machine's own (RFC 6761, section 6.3).
fn is_local(name: &str) -> bool {
    let address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    name == "localhost" || name.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// `example.co.uk` for `api.example.co.uk`; an address or a lone label stands for itself.
fn registrable(host: &str) -> String {
    let (name, _) = split_port(host);
    if name.parse::<std::net::IpAddr>().is_ok() || name.starts_with('[') {
        return name.to_owned();
    }
    psl::domain_str(name).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, scheme: Scheme, host: &str) -> bool {
        Hosts::parse(&[pattern]).unwrap().allow(scheme, host)
    }

    #[test]
    fn patterns_mean_what_they_say() {
        use Scheme::{Http, Https};
        assert!(allows("API.Example.com", Https, "api.example.com"));
        assert!(allows("api.example.com", Http, "api.example.com"));
        assert!(!allows("api.example.com", Https, "api.example.com:8443"));
        assert!(!allows("example.com", Https, "api.example.com"));
        assert!(!allows("example.com", Https, "evilexample.com"));
        assert!(allows("x.test,example.com:8443", Https, "example.com:8443"));
        assert!(
            allows("example.com:443", Https, "example.com")
                && !allows("example.com:443", Http, "example.com")
        );
        assert!(allows("localhost:*", Http, "localhost:3000"));
        assert!(allows("*.example.com", Https, "api.example.com"));
        assert!(!allows("*.example.com", Https, "example.com"));
        assert!(!allows("*.example.com", Https, "a.b.example.com"));
        assert!(!allows("*.example.com", Https, "api.example.com.evil.test"));
        assert!(allows("bücher.example", Https, "xn--bcher-kva.example"));
        assert!(allows("[::1]:8080", Http, "[::1]:8080") && allows("::1", Http, "[::1]"));
        for bad in
            ["https://x.test", "x.test/v1", "*.*.com", "a*.com", "*.com", "x.test:99999", "u@x.test", "*"]
        {
            assert!(Hosts::parse(&[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_party_is_suggested() {
        let seen = BTreeMap::from([
            ("www.shop.example".to_owned(), Seen { requests: 9, api: 0, page: 7 }),
            ("api.shop.example".to_owned(), Seen { requests: 20, api: 18, page: 0 }),
            ("graph.facebook.com".to_owned(), Seen { requests: 50, api: 50, page: 0 }),
            ("api.segment.io".to_owned(), Seen { requests: 90, api: 90, page: 0 }),
        ]);
        assert_eq!(suggest(&seen), Some("api.shop.example"));
        // a page under development, which calls the service
        let seen = BTreeMap::from([
            ("localhost:8080".to_owned(), Seen { requests: 29, api: 25, page: 29 }),
            ("api.shop.example".to_owned(), Seen { requests: 30, api: 26, page: 0 }),
        ]);
        assert_eq!(suggest(&seen), Some("api.shop.example"));
    }
}
