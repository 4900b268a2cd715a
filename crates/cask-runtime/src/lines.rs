//! JSON-RPC over lines. As the library's own transport, but what is no JSON is answered too (JSON-RPC 2.0,
//! section 5.1): a client that waits for an answer must not wait for ever.

use std::borrow::Cow;
use std::io;

use rmcp::model::{ClientJsonRpcMessage, ErrorData, RequestId, ServerJsonRpcMessage};
use rmcp::service::RoleServer;
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, BufReader, Empty};

/// An error, and the request that it answers if that could be read.
type Owed = (ErrorData, Option<RequestId>);

/// A longer line is no message.
const MAX_LINE: usize = 16 << 20;

/// A transport that reads lines from `R` and writes them to `W`.
pub(crate) struct Lines<R: AsyncRead, W: AsyncWrite> {
    read: BufReader<R>,
    line: Vec<u8>,
    /// The line is too long: the rest of it is dropped.
    skipping: bool,
    /// An answer that is owed to a line that was no message.
    owed: Option<Box<Owed>>,
    write: AsyncRwTransport<RoleServer, Empty, W>,
}

impl<R, W> Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    pub(crate) fn new(read: R, write: W) -> Self {
        let write = AsyncRwTransport::new_server(tokio::io::empty(), write);
        Self { read: BufReader::new(read), line: Vec::new(), skipping: false, owed: None, write }
    }

    /// Puts the next whole line into `line`; false at the end. May be dropped while it waits: what was
    /// read so far stays.
    async fn next(&mut self) -> bool {
        loop {
            let Ok(available) = self.read.fill_buf().await else { return false };
            if available.is_empty() {
                return false;
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
            if self.line.len() + part.len() > MAX_LINE {
                self.skipping = true;
                self.line = Vec::new();
            }
            if !self.skipping {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.read.consume(used);
            if end.is_some() {
                return true;
            }
        }
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn name() -> Cow<'static, str> {
        "lines".into()
    }

    fn send(
        &mut self,
        item: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        self.write.send(item)
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if let Some(owed) = &self.owed {
                let (error, id) = owed.as_ref();
                let answer = ServerJsonRpcMessage::error(error.clone(), id.clone());
                if self.write.send(answer).await.is_err() {
                    return None;
                }
                self.owed = None;
            }
            if !self.next().await {
                return None;
            }
            let message = if std::mem::take(&mut self.skipping) {
                Err(Some(Box::new((ErrorData::invalid_request("the line is too long", None), None))))
            } else {
                read(&self.line)
            };
            self.line.clear();
            match message {
                Ok(message) => return Some(message),
                Err(error) => self.owed = error,
            }
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.write.close().await
    }
}

/// The message on a line, or what is to be answered instead, if anything.
fn read(line: &[u8]) -> Result<ClientJsonRpcMessage, Option<Box<Owed>>> {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Err(None);
    }
    if let Ok(message) = serde_json::from_slice(line) {
        return Ok(message);
    }
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        let error = ErrorData::parse_error("this is no JSON that can be read", None);
        return Err(Some(Box::new((error, None))));
    };
    // What asks for nothing is never answered: a notification that is not known, an answer to nothing.
    let asks = value.get("method").is_none() || value.get("id").is_some();
    if !asks || value.get("result").is_some() || value.get("error").is_some() {
        return Err(None);
    }
    let id = value.get("id").and_then(|id| serde_json::from_value::<RequestId>(id.clone()).ok());
    Err(Some(Box::new((ErrorData::invalid_request("this is no request of MCP", None), id))))
}
