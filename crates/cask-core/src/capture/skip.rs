//! What is left out of a capture, and why: each reason is one line of [`RULES`], counted and told.
//!
//! A wrong skip costs more than noise on the API's own host, so a request that carries any sign of
//! being an API call is kept.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::capture::Scheme;
use crate::capture::body::is_json;
use crate::capture::hosts::Hosts;
use crate::finding::{Rule, Severity};

macro_rules! rules {
    ($($name:ident = $code:literal, $title:literal, $explain:literal;)+) => {
        $(#[doc = $title]
        pub static $name: Rule = Rule { code: $code, severity: Severity::Info, title: $title, explain: $explain };)+
        /// Every reason to leave an entry out.
        pub static RULES: &[&Rule] = &[$(&$name),+];
    };
}

rules! {
    UNREADABLE = "skip-unreadable", "unreadable entry",
        "The entry is broken JSON, nested deeper than 128 levels, larger than 64 MiB, or not an object. It is counted as lost, and the import ends with exit code 1: record it again if it matters.";
    URL = "skip-url", "no usable URL or method",
        "The URL is missing or cannot be parsed, is relative with no Host header to complete it, the method is not an HTTP token, or the path has more than 200 parts.";
    NOT_HTTP = "skip-not-http", "not HTTP",
        "The request never left the browser or is no API call: about:, data:, blob:, file:, chrome-extension: and the like, or a CONNECT tunnel of a proxy.";
    WEBSOCKET = "skip-websocket", "websocket",
        "A websocket connection. Its messages are not request and response, so they become no tools.";
    ABORTED = "skip-aborted", "no answer",
        "The recorder has no final status for the request: aborted, blocked, failed to connect, or recorded without a response.";
    ANALYTICS = "skip-analytics", "analytics",
        "A host that only receives telemetry or advertising, or a telemetry beacon. Hosts that are allowed by name are never judged by the list of analytics hosts.";
    THIRD_PARTY = "skip-third-party", "host not allowed",
        "The host is not one of the allowed hosts. Add it with `-a` if it belongs to the service.";
    PREFLIGHT = "skip-preflight", "CORS preflight",
        "An OPTIONS request that a browser sends by itself before another (Access-Control-Request-Method), or one whose answer has no body.";
    STATIC_ASSET = "skip-static-asset", "static asset",
        "A script, style sheet, font, picture, video or source map. A JSON answer is never an asset, whatever its path ends in.";
    PAGE = "skip-page", "page",
        "A document for people: HTML answered to a navigation. HTML that answers a script's call, a write, or an API path's error is kept.";
    PAGE_REDIRECT = "skip-page-redirect", "redirect of a page",
        "A redirect of a navigation. A redirect that answers a write, a script or an authorized call is kept.";
}

/// The facts of an exchange that decide whether it is left out.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'s> {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host as in [`crate::capture::Exchange::host`].
    pub host: &'s str,
    /// Upper-case method.
    pub method: &'s str,
    /// Path.
    pub path: &'s str,
    /// Final status, 0 if there is none.
    pub status: u16,
    /// The recorder's kind of resource in lower case (`xhr`, `fetch`, `document`), empty if unknown.
    pub kind: &'s str,
    /// Media type of the request body.
    pub request_media: &'s str,
    /// Media type of the answer.
    pub response_media: &'s str,
    /// Whether the answer's text looks like a JSON object or array.
    pub json: bool,
    /// Whether the answer has a body.
    pub body: bool,
    /// Whether the request has `Authorization`, an API key or `X-Requested-With`.
    pub authorized: bool,
    /// The `Accept` header.
    pub accept: &'s str,
    /// Whether the request names the method it asks leave for (CORS).
    pub preflight: bool,
    /// Whether the client asked for a protocol upgrade to websocket.
    pub upgrade: bool,
}

impl Facts<'_> {
    /// Whether a script (not a navigation, not a tag in a page) sent it, as far as the recorder knows.
    fn scripted(&self) -> bool {
        matches!(self.kind, "xhr" | "fetch" | "eventsource")
    }

    /// Whether it answers or asks in JSON, or otherwise looks like an API call.
    #[must_use]
    pub fn api(&self) -> bool {
        // Certificate checks are made by the browser itself, and look like POSTs to some API.
        let ocsp = |media: &str| media.starts_with("application/ocsp");
        self.status != 0
            && !ocsp(self.request_media)
            && !ocsp(self.response_media)
            && by_content(self).is_none()
            && (self.json
                || is_json(self.response_media)
                || is_json(self.request_media)
                || self.scripted()
                || !matches!(self.method, "GET" | "HEAD" | "OPTIONS"))
    }

    fn api_signs(&self) -> bool {
        self.json
            || self.scripted()
            || self.authorized
            || self.accept.contains("json")
            || is_json(self.request_media)
            || is_json(self.response_media)
    }

    fn asset(&self) -> bool {
        if self.scripted()
            && !extension(self.path).is_some_and(|found| ASSET_EXTENSIONS.contains(&found.as_str()))
        {
            return false;
        }
        let kind = matches!(
            self.kind,
            "image"
                | "font"
                | "stylesheet"
                | "script"
                | "media"
                | "manifest"
                | "texttrack"
                | "imageset"
                | "other-asset"
        );
        let name = extension(self.path).is_some_and(|found| ASSET_EXTENSIONS.contains(&found.as_str()));
        let media = ASSET_MEDIA.iter().any(|asset| self.response_media.starts_with(asset));
        // A picture or script without a file name may be what an authorized API call answers.
        kind || name || (media && !self.authorized)
    }
}

/// Why an exchange is left out, if it is.
#[must_use]
pub fn reason(facts: &Facts<'_>, hosts: &Hosts) -> Option<&'static Rule> {
    if !hosts.allow(facts.scheme, facts.host) {
        let name = facts.host.split(':').next().unwrap_or_default();
        return Some(if is_analytics_host(name) { &ANALYTICS } else { &THIRD_PARTY });
    }
    by_content(facts)
}

/// Why an exchange is left out for what it is, whoever's it is.
#[must_use]
pub fn by_content(facts: &Facts<'_>) -> Option<&'static Rule> {
    if facts.status == 101 || facts.kind == "websocket" || facts.upgrade {
        return Some(&WEBSOCKET);
    }
    if facts.status < 200 {
        return Some(&ABORTED);
    }
    if facts.method == "OPTIONS" && (facts.preflight || facts.kind == "preflight" || !facts.body) {
        return Some(&PREFLIGHT);
    }
    let beacon =
        matches!(facts.kind, "ping" | "beacon" | "csp-violation-report" | "cspviolationreport" | "cspreport");
    if (beacon && !facts.json) || is_beacon_path(facts.path) {
        return Some(&ANALYTICS);
    }
    let read = matches!(facts.method, "GET" | "HEAD");
    if !read || facts.json || is_json(facts.response_media) {
        return None;
    }
    if facts.asset() {
        return Some(&STATIC_ASSET);
    }
    if (300..400).contains(&facts.status) && facts.status != 304 && !facts.api_signs() {
        return Some(&PAGE_REDIRECT);
    }
    let html = matches!(facts.response_media, "text/html" | "application/xhtml+xml");
    let document = matches!(facts.kind, "document" | "main_frame" | "sub_frame" | "iframe");
    if document
        || (html && !facts.scripted() && (facts.status < 400 || !(facts.api_signs() || api_path(facts.path))))
    {
        return Some(&PAGE);
    }
    None
}

/// Whether a host (without port) is known to only receive telemetry or advertising.
#[must_use]
pub fn is_analytics_host(host: &str) -> bool {
    static LIST: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
        include_str!("skip/analytics.txt")
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
            .collect()
    });
    let mut name = host;
    loop {
        if LIST.contains(name) {
            return true;
        }
        match name.split_once('.') {
            Some((_, rest)) => name = rest,
            None => return false,
        }
    }
}

/// Paths that telemetry products use when they are served from the site's own host; none of them is an API's.
fn is_beacon_path(path: &str) -> bool {
    [
        "/cdn-cgi/rum",
        "/cdn-cgi/beacon/",
        "/_vercel/insights/",
        "/_vercel/speed-insights/",
        "/akam/13/pixel",
        "/g/collect",
        "/j/collect",
    ]
    .iter()
    .any(|known| path.starts_with(known))
}

fn api_path(path: &str) -> bool {
    path.split('/').filter(|segment| !segment.is_empty()).take(3).any(|segment| {
        let version = segment
            .strip_prefix('v')
            .is_some_and(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
        version || matches!(segment, "api" | "rest" | "graphql" | "rpc" | "services" | "odata")
    })
}

/// The extension of the last segment, lower case, if it is a plausible one.
fn extension(path: &str) -> Option<String> {
    let (name, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    (!name.is_empty() && (1..=11).contains(&extension.len())).then(|| extension.to_ascii_lowercase())
}

const ASSET_EXTENSIONS: &[&str] = &[
    "js",
    "mjs",
    "css",
    "map",
    "wasm",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "webp",
    "avif",
    "svg",
    "ico",
    "bmp",
    "woff",
    "woff2",
    "ttf",
    "otf",
    "eot",
    "mp3",
    "mp4",
    "webm",
    "ogg",
    "m4a",
    "mov",
    "m3u8",
    "ts",
    "swf",
    "webmanifest",
    "cur",
    "apng",
];

const ASSET_MEDIA: &[&str] = &[
    "image/",
    "font/",
    "audio/",
    "video/",
    "text/css",
    "text/javascript",
    "application/javascript",
    "application/x-javascript",
    "application/ecmascript",
    "application/font",
    "application/x-font",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/manifest",
    "application/x-shockwave-flash",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts<'static> {
        Facts {
            scheme: Scheme::Https,
            host: "api.example.com",
            method: "GET",
            path: "/v1/x",
            status: 200,
            kind: "",
            request_media: "",
            response_media: "application/json",
            json: true,
            body: true,
            authorized: false,
            accept: "*/*",
            preflight: false,
            upgrade: false,
        }
    }

    #[test]
    fn every_reason_fires_and_has_words() {
        let hosts = Hosts::parse(&["api.example.com"]).unwrap();
        let plain = Facts { json: false, response_media: "text/plain", ..facts() };
        let cases: &[(Facts<'_>, Option<&Rule>)] = &[
            (facts(), None),
            (Facts { host: "cdn.example.com", ..facts() }, Some(&THIRD_PARTY)),
            (Facts { host: "api.segment.io", ..facts() }, Some(&ANALYTICS)),
            (Facts { path: "/g/collect", ..plain }, Some(&ANALYTICS)),
            (Facts { kind: "ping", ..plain }, Some(&ANALYTICS)),
            (Facts { status: 101, ..facts() }, Some(&WEBSOCKET)),
            (Facts { status: 0, ..facts() }, Some(&ABORTED)),
            (Facts { method: "OPTIONS", preflight: true, ..facts() }, Some(&PREFLIGHT)),
            (Facts { method: "OPTIONS", body: false, ..plain }, Some(&PREFLIGHT)),
            (Facts { method: "OPTIONS", ..facts() }, None),
            (
                Facts { path: "/a/app.3f2a.js", response_media: "application/javascript", ..plain },
                Some(&STATIC_ASSET),
            ),
            (Facts { path: "/favicon.ico", status: 304, response_media: "", ..plain }, Some(&STATIC_ASSET)),
            // An API may name its resources as files are named, and answer with pictures.
            (Facts { path: "/v1/pages/index.js", ..facts() }, None),
            (Facts { path: "/v1/users/1.json", ..facts() }, None),
            (
                Facts { path: "/v1/users/1/avatar", response_media: "image/png", authorized: true, ..plain },
                None,
            ),
            (Facts { path: "/v1/users/1/avatar", response_media: "image/png", ..plain }, Some(&STATIC_ASSET)),
            (Facts { path: "/app/home", response_media: "text/html", ..plain }, Some(&PAGE)),
            (Facts { path: "/api/home", response_media: "text/html", status: 502, ..plain }, None),
            (Facts { path: "/home", response_media: "text/html", status: 404, ..plain }, Some(&PAGE)),
            (Facts { path: "/fragment", response_media: "text/html", kind: "xhr", ..plain }, None),
            (Facts { method: "POST", response_media: "text/html", ..plain }, None),
            (Facts { status: 302, response_media: "", ..plain }, Some(&PAGE_REDIRECT)),
            (Facts { status: 302, response_media: "", authorized: true, ..plain }, None),
            (Facts { method: "POST", status: 302, ..plain }, None),
            (plain, None),
        ];
        for (facts, want) in cases {
            assert_eq!(reason(facts, &hosts).map(|r| r.code), want.map(|r| r.code), "{facts:?}");
        }
        for rule in RULES {
            assert!(rule.code.starts_with("skip-") && rule.explain.len() > 40 && !rule.title.is_empty());
        }
    }
}
