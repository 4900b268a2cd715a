//! Guard 7, addresses: which may be connected to. One table; what is not global unicast is refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, len: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), len)
}

const fn v6(a: u16, b: u16, c: u16, len: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), len)
}

/// IPv4 ranges that are not called (IANA special-purpose registry, RFC 6890, and cloud metadata).
const REFUSED_V4: [(Ipv4Net, &str); 17] = [
    (v4(0, 0, 0, 0, 8), "this network"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "carrier-grade NAT"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(168, 63, 129, 16, 32), "cloud metadata"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "protocol assignments"),
    (v4(192, 0, 2, 0, 24), "documentation"),
    (v4(192, 88, 99, 0, 24), "6to4 relay"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "benchmarking"),
    (v4(198, 51, 100, 0, 24), "documentation"),
    (v4(203, 0, 113, 0, 24), "documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(255, 255, 255, 255, 32), "broadcast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// IPv6 ranges inside global unicast (2000::/3) that are not called; everything outside it is refused.
const REFUSED_V6: [(Ipv6Net, &str); 5] = [
    (v6(0x2001, 0, 0, 32), "Teredo tunnel"),
    (v6(0x2001, 0, 0, 23), "protocol assignments"),
    (v6(0x2001, 0xdb8, 0, 32), "documentation"),
    (v6(0x2002, 0, 0, 16), "6to4 tunnel"),
    (v6(0x3fff, 0, 0, 20), "documentation"),
];

const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// Names for the ranges outside global unicast, for the message.
const OUTSIDE_V6: [(Ipv6Net, &str); 8] = [
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "loopback"),
    (Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), "IPv4-mapped"),
    (v6(0, 0, 0, 96), "IPv4-compatible"),
    (v6(0x64, 0xff9b, 0, 32), "NAT64"),
    (v6(0xfc00, 0, 0, 7), "private"),
    (v6(0xfe80, 0, 0, 10), "link-local"),
    (v6(0xfec0, 0, 0, 10), "site-local"),
    (v6(0xff00, 0, 0, 8), "multicast"),
];

/// Addresses that hand out credentials: opened only when they themselves are named.
const METADATA: [IpAddr; 6] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Why an address is refused, or nothing. `opened` are the ranges of `--allow-private-cidr`.
///
/// # Errors
/// The kind of address it is.
pub fn check(address: IpAddr, opened: &[IpNet]) -> Result<(), &'static str> {
    if METADATA.contains(&address) {
        let named = opened.iter().any(|net| *net == IpNet::from(address));
        return if named { Ok(()) } else { Err("cloud metadata") };
    }
    // An address that carries an IPv4 address leads there: that one must be allowed as well.
    if let Some(inner) = embedded(address) {
        check(IpAddr::V4(inner), opened)?;
    }
    if opened.iter().any(|net| net.contains(&address)) {
        return Ok(());
    }
    match address {
        IpAddr::V4(address) => {
            let refused = REFUSED_V4.iter().find(|(net, _)| net.contains(&address));
            refused.map_or(Ok(()), |(_, kind)| Err(*kind))
        }
        IpAddr::V6(address) if GLOBAL_V6.contains(&address) => {
            let refused = REFUSED_V6.iter().find(|(net, _)| net.contains(&address));
            refused.map_or(Ok(()), |(_, kind)| Err(*kind))
        }
        IpAddr::V6(address) => {
            let known = OUTSIDE_V6.iter().find(|(net, _)| net.contains(&address));
            Err(known.map_or("reserved", |(_, kind)| kind))
        }
    }
}

/// The IPv4 address inside a mapped, compatible, NAT64 or 6to4 address.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let [a, b, c, d, e, f, g, h] = address.segments();
    let join = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b) {
        (0x2002, _) => join(b, c),
        (0x64, 0xff9b) => join(g, h),
        (0, 0) if (c, d, e) == (0, 0, 0) && (f == 0xffff || (f == 0 && g != 0)) => join(g, h),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let refused = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.1.1",
            "169.254.169.254",
            "168.63.129.16",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "::8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ];
        for text in refused {
            assert!(check(text.parse().unwrap(), &[]).is_err(), "{text}");
        }
        for text in
            ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::1"]
        {
            assert_eq!(check(text.parse().unwrap(), &[]), Ok(()), "{text}");
        }
    }

    #[test]
    fn ranges_are_opened_exactly_and_metadata_only_by_name() {
        let opened = |list: &[&str]| list.iter().map(|net| net.parse().unwrap()).collect::<Vec<IpNet>>();
        let ok = |address: &str, list: &[&str]| check(address.parse().unwrap(), &opened(list)).is_ok();
        assert!(ok("10.1.2.3", &["10.1.2.0/24"]) && !ok("10.1.3.3", &["10.1.2.0/24"]));
        assert!(ok("::1", &["::1/128"]) && !ok("127.0.0.1", &["::1/128"]));
        assert!(!ok("169.254.169.254", &["169.254.0.0/16"]) && !ok("169.254.169.254", &["0.0.0.0/0"]));
        assert!(ok("169.254.169.254", &["169.254.169.254/32"]));
        assert!(!ok("fd00:ec2::254", &["fd00::/8"]) && ok("fd00:ec2::254", &["fd00:ec2::254/128"]));
        assert!(!ok("::ffff:169.254.169.254", &["::/0", "0.0.0.0/0"]), "nor through a mapped address");
        assert!(!ok("64:ff9b::a9fe:a9fe", &["64:ff9b::/96"]));
        assert!(ok("64:ff9b::808:808", &["64:ff9b::/96"]) && !ok("64:ff9b::a00:1", &["64:ff9b::/96"]));
        assert!(ok("::ffff:127.0.0.1", &["127.0.0.0/8", "::ffff:0:0/96"]));
    }
}
