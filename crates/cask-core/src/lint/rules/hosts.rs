//! Where calls go.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::{Check, row};
use crate::finding::Severity::{Breaking, Warning};
use crate::lint::view::{Hit, View, few};
use crate::toolpack::Binding;

const AREA: &str = "Where calls go";

/// More tools than this are not named.
const NAMED: usize = 8;

pub(super) static RULES: &[Check] = &[
    row(
        AREA,
        "host-plain-http",
        Warning,
        "calls go over plain http",
        "Arguments, credentials and answers travel in the clear: whoever is on the way reads and changes them. Mint from traffic that uses https. Calls to the machine itself are not reported.",
        plain,
    ),
    row(
        AREA,
        "host-wildcard",
        Breaking,
        "a host that is a pattern",
        "A tool or the manifest names a pattern where a host belongs, or traffic was taken of every host below a domain that anybody can register names in (`*.com`, `*.github.io`). What is signed must be hosts that belong to the service. Name them with `-a` and mint again.",
        wildcard,
    ),
    row(
        AREA,
        "host-address",
        Warning,
        "a host that is an address",
        "Calls go to an address in numbers. Nothing says whose it is, a certificate for it is rare, and it can belong to somebody else tomorrow. Use the name of the service.",
        address,
    ),
    row(
        AREA,
        "host-private",
        Warning,
        "a host that is only known inside",
        "The host is a name or an address of a private network, or of the machine itself. An agent with this tool reaches behind the firewall, and elsewhere the same name is another machine. The gateway refuses private addresses unless it is started with `--allow-private-cidr`.",
        private,
    ),
];

/// Every host that tools call, with the tools that do.
fn hosts<'v>(view: &'v View<'_>) -> BTreeMap<&'v str, Vec<String>> {
    let mut out: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for tool in &view.tools {
        let Binding::Http(http) = &tool.binding;
        out.entry(&http.host).or_default().push(format!("`{}`", tool.name));
    }
    out
}

/// The host without its port, as a URL parser reads it: addresses in any spelling are addresses.
fn parsed(host: &str) -> Option<Host<String>> {
    Some(Url::parse(&format!("http://{host}/")).ok()?.host()?.to_owned())
}

fn hit(host: &str, message: String, tools: Vec<String>) -> Hit {
    let hit = Hit::new(format!("host/{host}"), message);
    hit.details(vec![format!("called by {}", few(tools, NAMED).join(", "))])
}

fn plain(view: &View<'_>) -> Vec<Hit> {
    let surface = view.input.surface.hosts();
    let mut out = Vec::new();
    for (host, tools) in hosts(view) {
        let clear = surface.get(host).is_some_and(|schemes| schemes.contains("http"));
        if clear && parsed(host).is_none_or(|host| !is_own(&host)) {
            out.push(hit(host, format!("calls of `{host}` go over plain http"), tools));
        }
    }
    out
}

fn wildcard(view: &View<'_>) -> Vec<Hit> {
    let mut out = Vec::new();
    for (host, tools) in hosts(view).into_iter().filter(|(host, _)| host.contains('*')) {
        out.push(hit(host, format!("`{host}` is a pattern, and tools call it"), tools));
    }
    let manifest = view.input.manifest;
    let listed = manifest.hosts.iter().filter(|host| host.contains('*'));
    out.extend(listed.map(|host| {
        Hit::new(
            format!("host/{host}"),
            format!("`{host}` is a pattern, and the manifest lists it as a host"),
        )
    }));
    out.extend(manifest.asked.iter().filter(|asked| is_wide(asked)).map(|asked| {
        let message = format!("`{asked}` takes the traffic of hosts that belong to different people");
        Hit::new(format!("host/{asked}"), message)
    }));
    out
}

/// A pattern below which names are sold.
fn is_wide(asked: &str) -> bool {
    let name = asked.split(':').next().unwrap_or_default();
    name == "*" || name.strip_prefix("*.").is_some_and(|rest| psl::domain_str(rest).is_none())
}

fn address(view: &View<'_>) -> Vec<Hit> {
    let mut out = Vec::new();
    for (host, tools) in hosts(view) {
        let numbers = matches!(parsed(host), Some(Host::Ipv4(_) | Host::Ipv6(_)));
        if numbers && !is_inside(host) {
            out.push(hit(host, format!("`{host}` is an address, not a name"), tools));
        }
    }
    out
}

fn private(view: &View<'_>) -> Vec<Hit> {
    let hosts = hosts(view).into_iter().filter(|(host, _)| is_inside(host));
    hosts.map(|(host, tools)| hit(host, format!("`{host}` is only known inside a network"), tools)).collect()
}

fn is_inside(host: &str) -> bool {
    match parsed(host) {
        Some(Host::Domain(name)) => is_inner_name(&name),
        Some(Host::Ipv4(address)) => is_inner_v4(address),
        Some(Host::Ipv6(address)) => is_inner_v6(address),
        None => false,
    }
}

/// The machine itself.
fn is_own(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).to_canonical().is_loopback(),
    }
}

/// Names without a dot, and below the domains that are kept for inside (RFC 6761, 6762, 8375, 9476).
fn is_inner_name(name: &str) -> bool {
    const INNER: [&str; 8] =
        [".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa", ".corp", ".private"];
    let name = name.trim_end_matches('.');
    !name.contains('.') || INNER.iter().any(|end| name.ends_with(end))
}

fn is_inner_v4(address: Ipv4Addr) -> bool {
    // 100.64.0.0/10 is shared by the customers of a carrier (RFC 6598)
    let shared = matches!(address.octets(), [100, second, _, _] if second & 0xc0 == 64);
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || shared
}

fn is_inner_v6(address: Ipv6Addr) -> bool {
    match IpAddr::V6(address).to_canonical() {
        IpAddr::V4(mapped) => is_inner_v4(mapped),
        IpAddr::V6(address) => {
            let first = address.segments().first().copied().unwrap_or_default();
            // fc00::/7 is local, fe80::/10 is the link
            address.is_loopback()
                || address.is_unspecified()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
        }
    }
}
