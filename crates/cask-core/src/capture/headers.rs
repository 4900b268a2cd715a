//! Headers that say nothing about an API: every browser, server and proxy adds them to everything.
//!
//! They are dropped when a capture is read. That keeps what is stored small, and keeps out material
//! that identifies people (user agents, addresses of visited pages) which no later stage needs.

/// Whether a header (lower case) tells something about the API or the call.
#[must_use]
pub fn telling(name: &str) -> bool {
    if name.starts_with(':')
        || name.starts_with("sec-")
        || name.starts_with("cf-")
        || name.starts_with("x-amz-cf-")
    {
        return false;
    }
    !matches!(
        name,
        "accept-encoding"
            | "accept-language"
            | "accept-ranges"
            | "age"
            | "alt-svc"
            | "cache-control"
            | "connection"
            | "content-encoding"
            | "content-length"
            | "content-security-policy"
            | "content-security-policy-report-only"
            | "cross-origin-embedder-policy"
            | "cross-origin-opener-policy"
            | "cross-origin-resource-policy"
            | "date"
            | "dnt"
            | "etag"
            | "expect-ct"
            | "expires"
            | "forwarded"
            | "host"
            | "if-modified-since"
            | "if-none-match"
            | "keep-alive"
            | "last-modified"
            | "nel"
            | "origin"
            | "p3p"
            | "permissions-policy"
            | "pragma"
            | "priority"
            | "proxy-connection"
            | "referer"
            | "referrer-policy"
            | "report-to"
            | "reporting-endpoints"
            | "server"
            | "server-timing"
            | "strict-transport-security"
            | "te"
            | "timing-allow-origin"
            | "trailer"
            | "transfer-encoding"
            | "upgrade-insecure-requests"
            | "user-agent"
            | "vary"
            | "via"
            | "x-cache"
            | "x-cache-hits"
            | "x-content-type-options"
            | "x-dns-prefetch-control"
            | "x-download-options"
            | "x-firefox-spdy"
            | "x-forwarded-for"
            | "x-forwarded-proto"
            | "x-frame-options"
            | "x-permitted-cross-domain-policies"
            | "x-powered-by"
            | "x-served-by"
            | "x-timer"
            | "x-xss-protection"
    )
}
