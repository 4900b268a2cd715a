//! How a call authenticates, told by the names of what it carries; never by, and never with, a value.

use std::collections::BTreeSet;

use crate::capture::Exchange;
use crate::endpoint::effect::words;
use crate::endpoint::{Auth, steer};

/// How one (redacted) exchange authenticated; empty where nothing was seen.
///
/// An `Authorization` header counts by its scheme, other headers, query parameters and cookies by
/// their names. Analytics and load-balancer cookies, CSRF tokens and page tokens are no credentials.
#[must_use]
pub fn of(exchange: &Exchange<'_>) -> BTreeSet<Auth> {
    let mut found = BTreeSet::new();
    for (name, value) in &exchange.request.headers {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "authorization" => found.insert(scheme(value)),
            "cookie" => {
                let names = value.split(';').filter_map(|pair| pair.split('=').next()).map(str::trim);
                found.extend(names.filter(|name| is_session(name)).map(|name| Auth::Cookie(bounded(name))));
                true
            }
            // a key is put where it was seen: never where it would steer the call
            _ => {
                is_key_header(&name)
                    && !steer::is_own(&name)
                    && !steer::steers(&name)
                    && found.insert(Auth::HeaderKey(bounded(&name)))
            }
        };
    }
    for (name, value) in &exchange.query {
        let replaced = value.starts_with("[redacted:") && !is_page_token(name);
        if is_key_parameter(name) || (is_weak_key_parameter(name) && replaced) {
            found.insert(Auth::QueryKey(bounded(name)));
        }
    }
    found
}

/// Whether a cookie of that name carries a session, as far as a name can tell.
#[must_use]
pub fn is_session(name: &str) -> bool {
    const KNOWN: [&str; 6] = [
        "phpsessid",
        "jsessionid",
        "connect.sid",
        "asp.net_sessionid",
        "laravel_session",
        "cf_authorization",
    ];
    // Analytics, support chats, load balancers and bot walls: they keep "sessions" that open no door.
    const OTHERS: [&str; 16] = [
        "_ga",
        "_gid",
        "_gat",
        "_fb",
        "_hj",
        "_pk_",
        "_sp_",
        "_cl",
        "ajs_",
        "amp_",
        "amplitude",
        "intercom",
        "mp_",
        "optimizely",
        "_dd_s",
        "hubspot",
    ];
    let lower = name.to_ascii_lowercase();
    let bare =
        ["__secure-", "__host-"].iter().find_map(|prefix| lower.strip_prefix(prefix)).unwrap_or(&lower);
    if KNOWN.contains(&bare) {
        return true;
    }
    if OTHERS.iter().any(|prefix| bare.starts_with(prefix)) {
        return false;
    }
    let words = words(name);
    if words.iter().any(|word| ["csrf", "xsrf", "consent", "affinity"].contains(&word.as_str())) {
        return false;
    }
    let is_word = |word: &String| {
        ["session", "sess", "sid", "sessid", "sessionid", "auth", "token", "jwt", "sso", "login", "idtoken"]
            .contains(&word.as_str())
    };
    words.iter().any(is_word) || bare.ends_with("session") || bare.ends_with("sessid")
}

/// The scheme of an `Authorization` value, which is its first word if something follows it.
fn scheme(value: &str) -> Auth {
    let value = value.trim();
    let Some((scheme, _)) = value.split_once(' ') else {
        return Auth::HeaderKey("authorization".to_owned());
    };
    let token = scheme.len() <= 40 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match scheme.to_ascii_lowercase().as_str() {
        _ if !token => Auth::HeaderKey("authorization".to_owned()),
        "bearer" => Auth::Bearer,
        "basic" => Auth::Basic,
        other => Auth::Scheme(other.to_owned()),
    }
}

/// Of a name in lower case.
fn is_key_header(name: &str) -> bool {
    // most are told by their last word, without taking them apart
    const LAST: [&str; 9] =
        ["key", "token", "apikey", "authorization", "jwt", "secret", "session", "sessionid", "auth"];
    let name = name.trim_end_matches(|c: char| !c.is_alphanumeric());
    if !LAST.iter().any(|word| name.ends_with(word)) {
        return false;
    }
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if has(&["csrf", "xsrf", "idempotency", "page", "continuation", "sync", "device"])
        || name.starts_with("sec-")
    {
        return false;
    }
    match words.last().map(String::as_str) {
        Some("key") => has(&[
            "api",
            "auth",
            "access",
            "app",
            "application",
            "subscription",
            "functions",
            "consumer",
            "service",
            "secret",
        ]),
        Some("token" | "apikey" | "authorization" | "jwt") => true,
        Some("secret") => has(&["client", "api", "app", "auth"]),
        Some("session" | "sessionid") => has(&["x"]),
        Some("auth") => true,
        _ => false,
    }
}

fn is_key_parameter(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "apikey",
        "accesstoken",
        "authtoken",
        "accesskey",
        "appkey",
        "appid",
        "clientsecret",
        "apitoken",
        "oauthtoken",
        "xamzsignature",
        "xgoogsignature",
        "subscriptionkey",
        "sessiontoken",
        "jwt",
    ];
    let flat: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    NAMES.contains(&flat.as_str())
}

/// Names that are a credential in some services and a lookup in others: they count where redaction saw one.
fn is_weak_key_parameter(name: &str) -> bool {
    ["key", "token", "auth", "sig", "signature", "secret", "session", "sid", "password", "credential"]
        .contains(&name.to_ascii_lowercase().as_str())
}

fn is_page_token(name: &str) -> bool {
    words(name).iter().any(|word| ["page", "next", "continue", "cursor", "sync"].contains(&word.as_str()))
}

fn bounded(name: &str) -> String {
    name.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Message, Scheme};

    fn auth(headers: &[(&str, &str)], query: &[(&str, &str)]) -> Vec<Auth> {
        let own =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let exchange = Exchange {
            seq: 0,
            method: "GET".into(),
            scheme: Scheme::Https,
            host: "api.example.com".into(),
            path: "/".into(),
            query: own(query),
            request: Message { headers: own(headers), ..Message::default() },
            status: 200,
            response: Message::default(),
        };
        of(&exchange).into_iter().collect()
    }

    #[test]
    fn authorization_counts_by_its_scheme() {
        assert_eq!(auth(&[("authorization", "Bearer [redacted:credential]")], &[]), [Auth::Bearer]);
        assert_eq!(auth(&[("authorization", "basic [redacted:credential]")], &[]), [Auth::Basic]);
        let hmac = auth(&[("authorization", "AWS4-HMAC-SHA256 [redacted:credential]")], &[]);
        assert_eq!(hmac, [Auth::Scheme("aws4-hmac-sha256".into())]);
        // Without a scheme the whole value is the secret: it must not become a name.
        assert_eq!(auth(&[("authorization", "s3cr3t")], &[]), [Auth::HeaderKey("authorization".into())]);
    }

    #[test]
    fn keys_and_sessions_count_by_name() {
        for name in
            ["x-api-key", "apikey", "private-token", "x-goog-api-key", "x-auth-token", "dd-application-key"]
        {
            assert_eq!(auth(&[(name, "x")], &[]), [Auth::HeaderKey(name.into())], "{name}");
        }
        for name in
            ["x-csrf-token", "idempotency-key", "x-request-id", "accept", "sec-websocket-key", "x-page-token"]
        {
            assert_eq!(auth(&[(name, "x")], &[]), [], "{name}");
        }
        let cookies =
            "_ga=1; _hjSessionUser_1=2; csrftoken=3; JSESSIONID=4; theme=dark; __Host-user_session=5";
        let found = [Auth::Cookie("JSESSIONID".into()), Auth::Cookie("__Host-user_session".into())];
        assert_eq!(auth(&[("cookie", cookies)], &[]), found);
        assert_eq!(
            auth(&[], &[("api_key", "x"), ("page_token", "[redacted:token]")]),
            [Auth::QueryKey("api_key".into())]
        );
        assert_eq!(auth(&[], &[("key", "PROJ")]), []);
        assert_eq!(auth(&[], &[("key", "[redacted:credential]")]), [Auth::QueryKey("key".into())]);
    }
}
