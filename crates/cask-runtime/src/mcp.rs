//! The MCP door: lists what is approved and hands calls to the gateway.
//!
//! A refusal is a tool error that a model can read: one text block holding a JSON object with
//! `reason_code` and `message` (and `guard`, `policies`, `faults`, `challenge`, `status`, `body` where
//! they apply), and the same `reason_code` under `_meta.cask`. It never has structured content, for that
//! must fit the tool's output schema.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use cask_core::lock::ApprovedTool;
use cask_core::toolpack;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CustomRequest, CustomResult,
    ErrorCode, ErrorData, Implementation, InitializeRequestParams, InitializeResult, JsonObject,
    ListToolsResult, MetaObject, PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig,
    Tool, ToolAnnotations,
};
use rmcp::service::{RequestContext, RoleServer, ServerInitializeError, ServiceExt as _};
use rmcp::transport::IntoTransport;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::answer::Outcome;
use crate::gateway::Gateway;
use crate::lines::Lines;

/// Tools on one page of `tools/list`.
const PAGE: usize = 1000;

/// The revisions that are spoken: the current one and the two before it.
const VERSIONS: [ProtocolVersion; 3] =
    [ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28];

/// Serves a gateway over one MCP connection until the client closes it.
#[derive(Clone)]
struct Door {
    gateway: Arc<Gateway>,
    tools: Arc<[Tool]>,
    /// Who the client said it is, when it first said so.
    principal: Arc<OnceLock<String>>,
}

/// The connection could not be set up or broke.
#[derive(Debug, thiserror::Error)]
#[error("the MCP connection failed: {0}")]
pub struct ServeError(String);

/// Serves MCP on a transport until the client goes away.
///
/// # Errors
/// [`ServeError`] if the client does not speak MCP or the connection breaks.
pub async fn serve<T, E, A>(gateway: Arc<Gateway>, transport: T) -> Result<(), ServeError>
where
    T: IntoTransport<RoleServer, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    let tools = listed(&gateway).into();
    let door = Door { gateway, tools, principal: Arc::default() };
    let running = match door.serve(transport).await {
        Ok(running) => running,
        // A client that went away before it said anything wanted nothing.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(ServeError(error.to_string())),
    };
    running.waiting().await.map_err(|error| ServeError(error.to_string()))?;
    Ok(())
}

/// Serves MCP on standard input and output until the client closes them.
///
/// # Errors
/// As [`serve`].
pub async fn serve_stdio(gateway: Arc<Gateway>) -> Result<(), ServeError> {
    let (read, write) = rmcp::transport::stdio_pipes();
    serve_lines(gateway, read, write).await
}

/// Serves MCP on a pair of streams, one message a line, until the client goes away.
///
/// # Errors
/// As [`serve`].
pub async fn serve_lines<R, W>(gateway: Arc<Gateway>, read: R, write: W) -> Result<(), ServeError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    serve(gateway, Lines::new(read, write)).await
}

/// The approved tools of the served toolset, as clients get them.
fn listed(gateway: &Gateway) -> Vec<Tool> {
    let approved = gateway.rules().approved();
    if !approved.toolsets().contains(gateway.toolset()) {
        return Vec::new();
    }
    let served = approved.tools().values().filter(|tool| tool.toolsets.contains(gateway.toolset()));
    served.map(entry).collect()
}

fn entry(approved: &ApprovedTool) -> Tool {
    let tool = &approved.tool;
    let hints = &tool.annotations;
    let annotations = ToolAnnotations::new()
        .read_only(hints.read_only_hint)
        .destructive(hints.destructive_hint)
        .idempotent(hints.idempotent_hint)
        .open_world(hints.open_world_hint);
    let mut entry = Tool::new(tool.name.clone(), tool.description.clone(), Arc::clone(&tool.input_schema))
        .with_annotations(annotations)
        .with_meta(MetaObject(toolpack::meta(tool, Some(&approved.digest))));
    if let Some(title) = tool.own_title() {
        entry = entry.with_title(title);
    }
    if let Some(schema) = &tool.output_schema {
        entry = entry.with_raw_output_schema(Arc::clone(schema));
    }
    entry
}

fn cask_meta(value: Value) -> MetaObject {
    MetaObject(JsonObject::from_iter([("cask".to_owned(), value)]))
}

fn result(outcome: Outcome) -> CallToolResult {
    let mut meta = json!({ "reason_code": outcome.reason_code });
    if outcome.cut
        && let Some(meta) = meta.as_object_mut()
    {
        meta.insert("cut".to_owned(), Value::Bool(true));
    }
    let mut content = vec![ContentBlock::text(outcome.text)];
    if outcome.cut && !outcome.is_error {
        content.push(ContentBlock::text(
            "cask: the answer was too long; lists lost their ends and long texts their tails",
        ));
    }
    let mut result =
        if outcome.is_error { CallToolResult::error(content) } else { CallToolResult::success(content) };
    result.structured_content = outcome.structured;
    result.with_meta(Some(cask_meta(meta)))
}

impl rmcp::ServerHandler for Door {
    fn get_info(&self) -> ServerConfig {
        let approved = self.gateway.rules().approved();
        let instructions = format!(
            "Approved tools of the toolset `{}`. A refused call is an error whose text is JSON with a \
             `reason_code`; do not retry it unchanged.",
            self.gateway.toolset()
        );
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(
                Implementation::new("cask", env!("CARGO_PKG_VERSION"))
                    .with_title(format!("cask {}", approved.toolpack())),
            )
            .with_instructions(instructions)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&VERSIONS)
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        self.principal(Some(&request.client_info.name))?;
        context.peer.set_peer_info(request.clone());
        self.negotiate_initialize(&request)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        let start = match &cursor {
            None => Some(0),
            Some(cursor) => cursor.parse::<usize>().ok().filter(|start| start % PAGE == 0),
        };
        let page = start.filter(|start| *start < self.tools.len().max(1));
        let Some(start) = page else {
            return Err(ErrorData::invalid_params("the cursor is not one that was given out", None));
        };
        let tools: Vec<Tool> = self.tools.iter().skip(start).take(PAGE).cloned().collect();
        let end = start + tools.len();
        let mut list = ListToolsResult::with_all_items(tools);
        list.next_cursor = (end < self.tools.len()).then(|| end.to_string());
        self.warm();
        Ok(list)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let client = context.client_info();
        let principal = self.principal(client.as_ref().map(|client| client.name.as_str()))?;
        let arguments = request.arguments.unwrap_or_default();
        let outcome = self.gateway.call(principal, &request.name, &arguments, context.ct.cancelled()).await;
        Ok(result(outcome).into())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        Err(misfit(&request.method))
    }
}

/// What was asked under a name that we do not have or, known, with what does not fit it.
fn misfit(method: &str) -> ErrorData {
    if matches!(method, "initialize" | "ping" | "tools/list" | "tools/call") {
        return ErrorData::invalid_params(
            format!("the params of `{method}` are not what MCP says they are"),
            None,
        );
    }
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method.to_owned(), None)
}

impl Door {
    /// Who calls. The first name stays: with another one, a client could leave behind what a policy says
    /// about it.
    fn principal(&self, name: Option<&str>) -> Result<&str, ErrorData> {
        let name = name.unwrap_or("unknown");
        let first = self.principal.get_or_init(|| name.to_owned());
        if first == name {
            return Ok(first);
        }
        let message = "the client has another name than before; open a new connection for it";
        Err(ErrorData::invalid_request(message, None))
    }

    /// Once the list is out, the client is busy for a moment: time to prepare for its first call.
    fn warm(&self) {
        let gateway = Arc::clone(&self.gateway);
        tokio::spawn(async move {
            // Not before the list is written: reading the trusted certificates would compete with it.
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
            let warmed = tokio::task::spawn_blocking(move || gateway.warm()).await;
            if let Ok(Err(error)) = warmed {
                eprintln!("cask: every call will be refused: {error}");
            }
        });
    }
}
