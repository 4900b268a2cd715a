//! `cask gate snapshot`: what is approved now, kept under `baselines/` and named by its digest.

use std::collections::BTreeMap;

use cask_core::canon::Digest;
use serde_json::json;

use super::{Which, base};
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::store::{self, MAX_BYTES, Store};
use crate::{output, trust};

/// The files of a toolpack that a snapshot names by digest.
const FILES: [&str; 9] = [
    "artifact/tools.json",
    "artifact/toolsets.yaml",
    "artifact/policy.cedar",
    "artifact/policy.cedarschema",
    "artifact/contracts.yaml",
    "artifact/openapi.yaml",
    "artifact/baseline.json",
    "artifact/scopes.suggested.yaml",
    "artifact/coverage.json",
];

pub(super) fn run(args: &Which, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let _held = store.lock("gate snapshot")?;
    let pack = args.open(store)?;
    let (base, _) = base(&pack, store, &trust::current(store, ctx)?, &ctx.now())?;
    let Some(lockfile) = base else {
        return Err(Error::new("nothing is approved yet").hint("approve with `cask gate allow` first"));
    };
    let digest = lockfile.digest().map_err(Error::new)?;
    let dir = store.root().join("baselines").join(store::plain(&lockfile.toolpack)?);
    let mut files = BTreeMap::new();
    for name in FILES {
        let path = pack.dir.join(name);
        if path.is_file() {
            files.insert(name, Digest::of_bytes(&store::read_bytes(&pack.dir, &path, MAX_BYTES)?));
        }
    }
    let stamp: String = digest.hex().chars().take(12).collect();
    let stamp = format!("r{}-{stamp}", lockfile.revision);
    let text = cask_core::artifact::lockfile::write(&lockfile);
    store.write(&dir.join(format!("{stamp}.lock.yaml")), text.as_bytes())?;
    let manifest = json!({
        "schema_version": "1",
        "toolpack": lockfile.toolpack,
        "revision": lockfile.revision,
        "lockfile": digest,
        "files": files,
    });
    let bytes = cask_core::canon::canonical(&manifest).map_err(Error::new)?;
    let path = dir.join(format!("{stamp}.json"));
    store.write(&path, &bytes)?;
    output::text(&format!("wrote {}\n", path.display()))?;
    Ok(Exit::Pass)
}
