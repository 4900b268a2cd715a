//! The fictional service on a loopback port: answers what the demo asks and remembers every request.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The name of the customer it knows.
pub const CUSTOMER: &str = "Rowan Books";

#[derive(Default)]
struct Log {
    requests: Vec<String>,
    authorised: bool,
}

pub struct Service {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

impl Service {
    /// Listens on a free loopback port until the process ends.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let log = Arc::new(Mutex::new(Log::default()));
        let shared = Arc::clone(&log);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, &shared);
            }
        });
        Ok(Self { address, log })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far, as `METHOD path`.
    pub fn seen(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }

    /// Whether every request carried the credential.
    pub fn authorised(&self) -> bool {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).authorised
    }
}

fn answer(stream: TcpStream, log: &Mutex<Log>) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new((&stream).take(64 << 10));
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut authorised = false;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        authorised |= name.eq_ignore_ascii_case("authorization")
            && value.trim() == format!("Bearer {}", super::CREDENTIAL);
    }
    let request = first.rsplit_once(' ').map_or(first.as_str(), |(request, _)| request).to_owned();
    let id = request.rsplit('/').next().unwrap_or_default().to_owned();
    {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.authorised = authorised && (log.requests.is_empty() || log.authorised);
        log.requests.push(request);
    }
    let body = serde_json::json!({
        "id": id,
        "name": CUSTOMER,
        "email": "hello@rowan.example",
        "city": "Leeds",
        "vat_number": null,
        "created_at": "2025-01-14T08:30:00Z",
        "open_invoices": 2,
    })
    .to_string();
    write!(
        &stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
