//! Names that make a server read another request than the one that was sent: another method, another URL,
//! another host or another sender. What a person approved is the request as it is written, so nobody but the
//! gateway sets them.

/// Headers that steer the connection or carry credentials: no argument and no binding sets them.
const RESERVED: [&str; 18] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    // a CGI program reads it as its environment's `HTTP_PROXY`
    "proxy",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Further headers that the gateway or the HTTP library sets: a binding may fix them, no argument does.
const OWN: [&str; 7] =
    ["accept", "accept-language", "content-encoding", "content-type", "origin", "referer", "user-agent"];

/// Headers that name the method that counts (Google, OData, Rails and many frameworks after them).
const METHOD: [&str; 6] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-method",
    "http-method-override",
    "x-original-method",
];

/// Headers that name the URL, the host or the sender that count.
const ROUTE: [&str; 26] = [
    "cf-connecting-ip",
    "client-ip",
    "fastly-client-ip",
    "forwarded",
    "forwarded-for",
    "front-end-https",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-custom-ip-authorization",
    "x-envoy-original-path",
    "x-forwarded",
    "x-forwarder-for",
    "x-host",
    "x-http-host-override",
    "x-original-forwarded-for",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-originating-ip",
    "x-override-url",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-rewrite-url",
    "x-url-scheme",
];

/// A header's name as servers compare it: behind CGI and its heirs `X_Host` and `X-Host` are one.
fn compared(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace('_', "-")
}

/// Whether a header steers the connection or carries credentials.
#[must_use]
pub fn is_reserved(header: &str) -> bool {
    RESERVED.contains(&compared(header).as_str())
}

/// Whether the gateway or the HTTP library sets this header.
#[must_use]
pub fn is_own(header: &str) -> bool {
    is_reserved(header) || OWN.contains(&compared(header).as_str())
}

/// Whether a header makes a server read another request: no argument and no binding sets it.
#[must_use]
pub fn steers(header: &str) -> bool {
    let name = compared(header);
    METHOD.contains(&name.as_str()) || ROUTE.contains(&name.as_str()) || name.starts_with("x-forwarded-")
}

/// Whether a header names the method that counts.
#[must_use]
pub fn names_method(header: &str) -> bool {
    METHOD.contains(&compared(header).as_str())
}

/// Whether a query parameter or a field of a body names the method that counts (`_method`).
#[must_use]
pub fn parameter_names_method(name: &str) -> bool {
    let name = compared(name);
    METHOD.contains(&name.as_str())
        || ["-method", "-http-method", "-method-override", "method-override"].contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_however_they_are_written() {
        for name in ["X-HTTP-Method-Override", "x_http_method_override", "X-Original-URL", "X-Forwarded-Port"]
        {
            assert!(steers(name), "{name}");
        }
        for name in ["x-forward", "x-api-key", "x-hostname", "if-match", "x-methodology"] {
            assert!(!steers(name) && !is_own(name), "{name}");
        }
        assert!(is_own("Host") && is_own("PROXY"));
        assert!(parameter_names_method("_method") && parameter_names_method("X-HTTP-Method-Override"));
        assert!(!parameter_names_method("method") && !parameter_names_method("payment_method"));
    }
}
