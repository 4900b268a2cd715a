//! Where `cask run` connects to and where it does not: addresses inside, names that change their mind, and
//! servers whose certificate nobody vouches for.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;

use crate::run::{Client, World, of, tool};

const ANSWER: &str = r#"{"id":"42"}"#;

/// A shell in which anyone may mount, and of which nothing stays mounted.
#[cfg(target_os = "linux")]
const MOUNTING: [&str; 5] = ["unshare", "--map-root-user", "--mount", "sh", "-c"];

/// Counts what comes in and lets `talk` answer it.
fn listen(at: &str, talk: impl Fn(TcpStream) + Send + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(at).unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counting = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counting.fetch_add(1, Ordering::SeqCst);
            talk(stream);
        }
    });
    (address, count)
}

/// Reads one request and answers it; the connection is not kept. `false` if no request came.
fn answer(mut stream: impl Read + Write) -> bool {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => request.push(byte[0]),
            _ => return false,
        }
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length";
    stream.write_all(format!("{head}: {}\r\n\r\n{ANSWER}", ANSWER.len()).as_bytes()).is_ok()
}

fn plain(at: &str) -> (SocketAddr, Arc<AtomicUsize>) {
    listen(at, |stream| {
        answer(stream);
    })
}

/// What the last record of the audit log says.
fn outcome(world: &World) -> (String, String) {
    let records = world.audit();
    let last = records.last().unwrap();
    let text = |name: &str| last[name].as_str().unwrap().to_owned();
    (text("decision"), text("reason_code"))
}

#[test]
fn addresses_inside_are_not_called_unless_opened() {
    let (address, count) = plain("127.0.0.1:0");
    let port = address.port();
    let hosts = [
        ("by_address", format!("127.0.0.1:{port}")),
        ("by_name", format!("localhost:{port}")),
        ("another", format!("127.8.8.8:{port}")),
        ("any", format!("0.0.0.0:{port}")),
        ("six", format!("[::1]:{port}")),
        ("mapped", format!("[::ffff:7f00:1]:{port}")),
        ("nat64", format!("[64:ff9b::7f00:1]:{port}")),
        ("private", "10.0.0.1".to_owned()),
        ("metadata", "169.254.169.254".to_owned()),
    ];
    let world = of(&hosts.clone().map(|(name, host)| tool(name, "GET", "http", &host)));
    world.approve();
    let call_all = |args: &[&str]| -> Vec<(&str, String)> {
        let mut client = Client::start(world.wrapped(&[], &[&["run"], args].concat()));
        let codes = hosts.iter().map(|(name, _)| {
            let (code, text) = client.call(name);
            let text: Value = serde_json::from_str(&text).unwrap();
            if code == "denied_address_not_allowed" {
                let message = text["message"].as_str().unwrap();
                assert!(message.contains("address, which is not called"), "{name}: {message}");
                assert_eq!(outcome(&world), ("deny".to_owned(), code.clone()), "{name}");
            }
            (*name, code)
        });
        let codes = codes.collect();
        client.end();
        codes
    };
    for (name, code) in call_all(&[]) {
        assert_eq!(code, "denied_address_not_allowed", "{name}");
    }
    for (name, code) in call_all(&["--base-url", &format!("http://127.0.0.1:{port}")]) {
        assert_eq!(code, "denied_address_not_allowed", "{name}, sent elsewhere");
    }
    assert_eq!(count.load(Ordering::SeqCst), 0, "a connection was made");

    // `localhost` may also be ::1, and then both must be opened. What only leads inside stays closed.
    for (name, code) in call_all(&["--allow-private-cidr", "127.0.0.0/8", "--allow-private-cidr", "::1/128"])
    {
        let wanted: &[&str] = match name {
            "by_address" | "by_name" => &["allowed_policy"],
            "another" | "six" => &["upstream_unreachable"],
            _ => &["denied_address_not_allowed"],
        };
        assert!(wanted.contains(&code.as_str()), "{name}: {code}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

/// A script that runs what follows it with the file `hosts` in the place of `/etc/hosts`.
#[cfg(target_os = "linux")]
fn with_hosts(world: &World) -> Option<String> {
    let file = world.dir.path().join("hosts");
    let script = format!("mount --bind {} /etc/hosts && exec \"$0\" \"$@\"", file.display());
    let tried = Command::new(MOUNTING[0]).args(&MOUNTING[1..]).args([&script, "true"]).output();
    let can = tried.is_ok_and(|output| output.status.success());
    if !can {
        eprintln!("not tried here: this system lets nobody mount");
    }
    can.then_some(script)
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_changes_its_address_cannot_slip_through() {
    use std::os::unix::fs::FileExt as _;
    let (inside, called) = plain("127.0.0.1:0");
    let port = inside.port();
    let (_, slipped) = plain(&format!("127.0.0.2:{port}"));
    let world = of(&[
        tool("rebound", "GET", "http", &format!("service.test:{port}")),
        tool("both", "GET", "http", &format!("both.test:{port}")),
        tool("private", "GET", "http", &format!("private.test:{port}")),
    ]);
    let names = "127.0.0.1 service.test\n127.0.0.1 both.test\nfd00::1 both.test\n192.168.7.7 private.test\n";
    std::fs::write(world.dir.path().join("hosts"), names).unwrap();
    let Some(script) = with_hosts(&world) else { return };
    world.approve();
    let by = [&MOUNTING[..], &[&script]].concat();
    let mut client = Client::start(world.wrapped(&by, &["run", "--allow-private-cidr", "127.0.0.1/32"]));

    assert_eq!(client.call("rebound").0, "allowed_policy");
    // Of several addresses all must be allowed.
    for (name, address) in [("both", "fd00::1"), ("private", "192.168.7.7")] {
        let (code, text) = client.call(name);
        assert_eq!(code, "denied_address_not_allowed", "{name}");
        assert!(text.contains(address), "{name}: {text}");
    }
    // Between 127.0.0.1, which is opened, and 127.0.0.2, which is not, as fast as it can be done: whoever
    // checked one answer and connected to the next one would be seen at the other side.
    let hosts = std::fs::File::options().write(true).open(world.dir.path().join("hosts")).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let flips = std::thread::spawn(move || {
        while !stopped.load(Ordering::SeqCst) {
            for last in [b"2", b"1"] {
                hosts.write_all_at(last, "127.0.0.".len() as u64).unwrap();
            }
        }
    });
    let codes: Vec<String> = (0..1000).map(|_| client.call("rebound").0).collect();
    stop.store(true, Ordering::SeqCst);
    flips.join().unwrap();
    client.end();
    let of = |wanted: &str| codes.iter().filter(|code| *code == wanted).count();
    let (allowed, denied) = (of("allowed_policy"), of("denied_address_not_allowed"));
    assert_eq!(allowed + denied, codes.len(), "{codes:?}");
    assert!(allowed > 0 && denied > 0, "the name did not change: {allowed} and {denied}");
    assert_eq!(called.load(Ordering::SeqCst), allowed + 1);
    assert_eq!(slipped.load(Ordering::SeqCst), 0, "an address that was not checked was connected to");
}

/// An authority that no system knows.
fn authority(name: &str) -> (Issuer<'static, KeyPair>, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    (Issuer::new(params, key), pem)
}

/// A TLS server with a certificate for this name; the count is of requests that arrived.
fn encrypted(by: &Issuer<'_, KeyPair>, name: &str, last_year: i32) -> (SocketAddr, Arc<AtomicUsize>) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(last_year, 12, 31);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, by).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config.unwrap().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key);
    let (config, requests) = (Arc::new(config.unwrap()), Arc::new(AtomicUsize::new(0)));
    let counting = Arc::clone(&requests);
    let (address, _) = listen("127.0.0.1:0", move |mut stream| {
        let mut session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let arrived = answer(rustls::Stream::new(&mut session, &mut stream));
        counting.fetch_add(usize::from(arrived), Ordering::SeqCst);
    });
    (address, requests)
}

#[test]
fn a_certificate_must_be_vouched_for() {
    let (ours, pem) = authority("ours");
    let (theirs, _) = authority("theirs");
    let servers = [
        ("good", encrypted(&ours, "127.0.0.1", 4000)),
        ("of_strangers", encrypted(&theirs, "127.0.0.1", 4000)),
        ("of_another", encrypted(&ours, "other.example", 4000)),
        ("expired", encrypted(&ours, "127.0.0.1", 2020)),
    ];
    let host = |address: SocketAddr| format!("127.0.0.1:{}", address.port());
    let tools: Vec<_> =
        servers.iter().map(|(name, (address, _))| tool(name, "GET", "https", &host(*address))).collect();
    let world = of(&tools);
    world.approve();
    std::fs::write(world.dir.path().join("authority.pem"), pem).unwrap();
    let args = ["run", "--allow-private-cidr", "127.0.0.0/8"];
    let refused = |client: &mut Client, name: &str, why: &str| {
        let (code, text) = client.call(name);
        assert_eq!(code, "upstream_unreachable", "{name}: {text}");
        assert!(text.contains(why), "{name}: {text}");
        assert_eq!(outcome(&world).1, code, "{name}");
    };
    // Nobody vouches for any of them.
    let mut client = Client::start(world.wrapped(&[], &args));
    let unknown = "nobody who is trusted here vouches for its certificate";
    for name in ["good", "of_strangers"] {
        refused(&mut client, name, unknown);
    }
    client.end();
    // An authority that the user names vouches for its own, and for nothing else.
    let mut command = world.wrapped(&[], &args);
    command.env("SSL_CERT_FILE", world.dir.path().join("authority.pem"));
    let mut client = Client::start(command);
    let (code, text) = client.call("good");
    assert_eq!(code, "allowed_policy", "{text}");
    refused(&mut client, "of_strangers", unknown);
    refused(&mut client, "of_another", "its certificate is for another name");
    refused(&mut client, "expired", "its certificate has expired");
    client.end();
    let requests = servers.map(|(_, (_, requests))| requests.load(Ordering::SeqCst));
    assert_eq!(requests, [1, 0, 0, 0], "a request went to a server that is not trusted");
}
