//! How each client wants a server that speaks over standard input and output, and where it looks for that.

use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::ui;

/// Which client reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// `mcpServers`, as most clients read it
    #[default]
    Json,
    /// Claude Desktop: claude_desktop_config.json
    ClaudeDesktop,
    /// Claude Code: .mcp.json, or `claude mcp add-json`
    ClaudeCode,
    /// Cursor: ~/.cursor/mcp.json
    Cursor,
    /// Visual Studio Code: mcp.json
    Vscode,
    /// Codex: ~/.codex/config.toml
    Codex,
    /// `[mcp_servers.NAME]` in TOML
    Toml,
}

/// A server as a client starts it.
#[derive(Debug)]
pub struct Server {
    /// What the client calls it.
    pub name: String,
    /// The program.
    pub program: String,
    /// Its arguments.
    pub words: Vec<String>,
    /// The environment variables that it reads a credential from. Clients hand on what they are told to.
    pub variables: Vec<String>,
}

impl Format {
    /// The text of the configuration, with one server in it.
    ///
    /// # Errors
    /// [`Error`] if it cannot be written as JSON.
    pub fn write(self, server: &Server) -> Result<String, Error> {
        let Server { name, program, words, variables } = server;
        let plain = json!({ "command": program, "args": words });
        let value = match self {
            Format::Codex | Format::Toml => return Ok(toml(server)),
            Format::Json | Format::ClaudeDesktop => json!({ "mcpServers": { name: plain } }),
            Format::ClaudeCode => json!({ "mcpServers": { name: entry(server, "${", "}") } }),
            Format::Cursor => json!({ "mcpServers": { name: entry(server, "${env:", "}") } }),
            Format::Vscode => {
                let mut value = json!({ "servers": { name: entry(server, "${input:", "}") } });
                if let Some(top) = value.as_object_mut().filter(|_| !variables.is_empty()) {
                    top.insert("inputs".to_owned(), variables.iter().map(|name| asked(name)).collect());
                }
                value
            }
        };
        pretty(value)
    }

    /// Where it goes, in lines for a person.
    #[must_use]
    pub fn place(self, server: &Server) -> Vec<String> {
        let variables = server.variables.join(", ");
        let from_shell = |file: &str| match variables.as_str() {
            "" => format!("put it into {file}"),
            names => format!("put it into {file}; start the client where {names} is set"),
        };
        match self {
            Format::Json | Format::Toml => Vec::new(),
            Format::ClaudeDesktop => {
                let mut lines = vec![
                    "put it into claude_desktop_config.json (Settings, Developer, Edit Config), then start Claude Desktop anew"
                        .to_owned(),
                    "  macOS ~/Library/Application Support/Claude/, Windows %APPDATA%\\Claude\\, Linux ~/.config/Claude/"
                        .to_owned(),
                ];
                if !variables.is_empty() {
                    lines.push(format!(
                        "Claude Desktop does not hand {variables} on: give the credential with --auth file:PATH"
                    ));
                }
                lines
            }
            Format::ClaudeCode => vec![
                from_shell("~/.claude.json or, for all who work on a project, .mcp.json there"),
                format!("or let Claude Code do it: {}", add_json(server)),
            ],
            Format::Cursor => vec![from_shell("~/.cursor/mcp.json (or .cursor/mcp.json of a project)")],
            Format::Vscode => vec![
                "put it into your mcp.json (command: MCP: Open User Configuration), or .vscode/mcp.json of a project"
                    .to_owned(),
            ],
            Format::Codex => vec![from_shell("~/.codex/config.toml")],
        }
    }
}

/// The server of a client that names the transport and fills in variables when it starts it. What stands in the
/// configuration is where the value comes from, never the value.
fn entry(server: &Server, before: &str, after: &str) -> Value {
    let mut value = json!({ "type": "stdio", "command": server.program, "args": server.words });
    let from = |name: &String| (name.clone(), Value::from(format!("{before}{name}{after}")));
    let env: Map<String, Value> = server.variables.iter().map(from).collect();
    if let Some(members) = value.as_object_mut().filter(|_| !env.is_empty()) {
        members.insert("env".to_owned(), env.into());
    }
    value
}

/// What VS Code asks for once and keeps in its own store of secrets.
fn asked(name: &str) -> Value {
    json!({ "type": "promptString", "id": name, "description": format!("The credential in {name}"), "password": true })
}

/// What to type so that Claude Code keeps it in the user's own configuration.
fn add_json(server: &Server) -> String {
    let mut value = entry(server, "${", "}");
    value.sort_all_objects();
    format!("claude mcp add-json --scope user {} {}", server.name, ui::word(&value.to_string()))
}

fn pretty(mut value: Value) -> Result<String, Error> {
    value.sort_all_objects();
    Ok(serde_json::to_string_pretty(&value).map_err(Error::new)? + "\n")
}

fn toml(server: &Server) -> String {
    let list = |words: &[String]| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ");
    let Server { name, program, words, variables } = server;
    let mut out = format!("[mcp_servers.{name}]\ncommand = {}\nargs = [{}]\n", quoted(program), list(words));
    // Codex hands on no other variables than a few of its own choice and these.
    if !variables.is_empty() {
        out += &format!("env_vars = [{}]\n", list(variables));
    }
    out
}

/// A TOML basic string; JSON's escapes are a subset of TOML's.
fn quoted(word: &str) -> String {
    json!(word).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(variables: &[&str]) -> Server {
        Server {
            name: "api".to_owned(),
            program: "/bin/cask".to_owned(),
            words: vec!["run".to_owned(), "it's \"here\"".to_owned()],
            variables: variables.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn a_client_is_told_where_a_credential_comes_from_and_not_what_it_is() {
        let server = server(&["TOKEN"]);
        for (format, path, expected) in [
            (Format::ClaudeCode, "/mcpServers/api/env/TOKEN", "${TOKEN}"),
            (Format::Cursor, "/mcpServers/api/env/TOKEN", "${env:TOKEN}"),
            (Format::Vscode, "/servers/api/env/TOKEN", "${input:TOKEN}"),
            (Format::Vscode, "/inputs/0/id", "TOKEN"),
            (Format::Vscode, "/servers/api/type", "stdio"),
            (Format::ClaudeDesktop, "/mcpServers/api/command", "/bin/cask"),
        ] {
            let value: Value = serde_json::from_str(&format.write(&server).unwrap()).unwrap();
            assert_eq!(value.pointer(path), Some(&json!(expected)), "{format:?}");
        }
        assert!(Format::Codex.write(&server).unwrap().ends_with("env_vars = [\"TOKEN\"]\n"));
        assert!(Format::ClaudeDesktop.place(&server).concat().contains("--auth file:PATH"));
    }

    #[test]
    fn a_shell_takes_what_is_to_be_typed_as_one_word() {
        let typed = add_json(&server(&[]));
        let json = typed.strip_prefix("claude mcp add-json --scope user api '").unwrap();
        let json = json.strip_suffix('\'').unwrap().replace("'\\''", "'");
        let value: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value.pointer("/args/1"), Some(&json!("it's \"here\"")));
        assert!(value.get("env").is_none());
    }
}
