//! `cask openapi`: the toolpack's contract as an OpenAPI document.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cask_core::artifact::{self, manifest, yaml};
use cask_core::canon::Digest;
use cask_core::lock::status::{self, Against};
use cask_core::report::escape::terminal;
use serde_json::Value;

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::store::pack::{self, Pack};
use crate::store::{self, Store, read};
use crate::{output, trust, ui};

/// What a path of the document has an operation for.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Print the toolpack's contract as an OpenAPI 3.1 document.
///
/// Every endpoint that traffic or a description has shown is in it; `operationId` is the name of its tool. With --approved
/// it has only what `cask run` would serve, in whatever toolset.
///
/// Example: cask openapi --approved --format json
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The toolpack.yaml [default: the only one under the root]
    #[arg(long, value_name = "FILE")]
    toolpack: Option<PathBuf>,
    /// Only operations whose tool is approved
    #[arg(long)]
    approved: bool,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Yaml,
    Json,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    let pack = pack::open(&store, args.toolpack.as_deref(), None)?;
    let text = contract(&pack, ctx)?;
    let text = if args.format == Format::Yaml && !args.approved {
        text
    } else {
        let mut document: Value = yaml::read(manifest::OPENAPI, &text)
            .map_err(|error| Error::new(format_args!("{}/{error}", pack.dir.display())))?;
        if args.approved {
            match approved(&pack, ctx, &store)? {
                Ok(tools) => keep(&mut document, &tools),
                Err(exit) => return Ok(exit),
            }
        }
        written(document, args.format)?
    };
    match &args.file {
        Some(path) => {
            store::write(store::dir_of(path), path, text.as_bytes())?;
            eprintln!("wrote {}", path.display());
        }
        None => output::text(&text)?,
    }
    Ok(Exit::Pass)
}

/// The document as it was minted.
fn contract(pack: &Pack, ctx: &Ctx) -> Result<String, Error> {
    let path = pack.dir.join(manifest::OPENAPI);
    if !path.is_file() {
        return Err(Error::new(format_args!("{} is not there", path.display()))
            .hint("restore it from version control, or mint again"));
    }
    let text = read(&pack.dir, &path, artifact::MAX_BYTES)?;
    let listed = pack.manifest.digests.get(manifest::OPENAPI);
    if listed.is_some_and(|digest| *digest != Digest::of_bytes(text.as_bytes())) {
        let file = ui::path_word(&pack.file);
        return Err(Error::new(format_args!("{} is not the file that was written", path.display()))
            .hint(format_args!("{} verify --toolpack {file}", ctx.command())));
    }
    Ok(text)
}

/// The tools that would be served, or the exit code after saying why none is.
fn approved(pack: &Pack, ctx: &Ctx, store: &Store) -> Result<Result<BTreeSet<String>, Exit>, Error> {
    let Some((_, lockfile)) = pack.approved()? else {
        eprintln!("error: nothing is approved yet\n  hint: {} gate allow", ctx.command());
        return Ok(Err(Exit::Review));
    };
    let (trust, now) = (trust::current(store, ctx)?, ctx.now());
    let seen = store.seen(&pack.manifest.id)?;
    let against = Against { trust: &trust, now: &now, seen: seen.as_ref() };
    match status::verify(pack.surface.clone(), &lockfile, &against) {
        Ok(approved) => Ok(Ok(approved.tools().keys().cloned().collect())),
        Err(refused) => {
            let (message, hint) = (terminal(&refused.message), terminal(refused.hint));
            eprintln!("error: {message} ({})\n  hint: {hint}", refused.code);
            Ok(Err(Exit::Breaking))
        }
    }
}

/// Takes out every operation of another tool, and what only those needed.
fn keep(document: &mut Value, tools: &BTreeSet<String>) {
    let (mut schemes, mut servers) = (BTreeSet::new(), BTreeSet::new());
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for operations in paths.values_mut().filter_map(Value::as_object_mut) {
            operations.retain(|method, operation| {
                let tool = operation.get("operationId").and_then(Value::as_str);
                let kept = tool.is_some_and(|tool| tools.contains(tool));
                if kept {
                    schemes.extend(all(operation, "security").filter_map(Value::as_object).flat_map(names));
                    servers.extend(all(operation, "servers").filter_map(url));
                }
                kept || !METHODS.contains(&method.as_str())
            });
        }
        let empty = |item: &Value| !METHODS.iter().any(|method| item.get(method).is_some());
        paths.retain(|_, item| !empty(item));
    }
    let known = document.pointer_mut("/components/securitySchemes").and_then(Value::as_object_mut);
    if let Some(known) = known {
        known.retain(|name, _| schemes.contains(name));
    }
    // An operation names its server only where there are several.
    let known = document.get_mut("servers").and_then(Value::as_array_mut);
    if let Some(known) = known.filter(|known| known.len() > 1) {
        known.retain(|server| url(server).is_some_and(|url| servers.contains(&url)));
    }
}

/// The items of a list in an operation.
fn all<'o>(operation: &'o Value, list: &str) -> impl Iterator<Item = &'o Value> + use<'o> {
    operation.get(list).and_then(Value::as_array).into_iter().flatten()
}

fn names(requirement: &serde_json::Map<String, Value>) -> impl Iterator<Item = String> {
    requirement.keys().cloned()
}

fn url(server: &Value) -> Option<String> {
    server.get("url").and_then(Value::as_str).map(str::to_owned)
}

fn written(mut document: Value, format: Format) -> Result<String, Error> {
    Ok(match format {
        Format::Yaml => yaml::write(&document),
        Format::Json => {
            // Not the canonical form: the bounds of a schema may be beyond what that holds.
            document.sort_all_objects();
            serde_json::to_string_pretty(&document).map_err(Error::new)? + "\n"
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_approved_is_left_and_what_that_needs() {
        let operation = |tool: &str, host: &str, scheme: &str| json!({"operationId": tool, "servers": [{"url": host}], "security": [{scheme: []}], "responses": {}});
        let mut document = json!({
            "openapi": "3.1.0",
            "paths": {
                "/users": {"get": operation("list_users", "https://a.example", "bearer"),
                    "post": operation("create_user", "https://a.example", "basic")},
                "/pay": {"post": operation("pay", "https://b.example", "header_x")},
                "/unnamed": {"get": {"responses": {}}},
            },
            "components": {"securitySchemes": {"bearer": {}, "basic": {}, "header_x": {}}},
            "servers": [{"url": "https://a.example"}, {"url": "https://b.example"}],
        });
        keep(&mut document, &["list_users".to_owned()].into());
        assert_eq!(
            document,
            json!({
                "openapi": "3.1.0",
                "paths": {"/users": {"get": operation("list_users", "https://a.example", "bearer")}},
                "components": {"securitySchemes": {"bearer": {}}},
                "servers": [{"url": "https://a.example"}],
            })
        );
    }
}
