//! The accepted baseline: the endpoints as they were when their tools were approved. Drift compares with it,
//! so that minting alone accepts nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cask_core::artifact::{self, manifest};
use cask_core::lock::change::same;
use cask_core::lock::{Entry, Lockfile, State};

use crate::error::Error;
use crate::store::pack::Pack;
use crate::store::{self, Store};

/// `baselines/<toolpack>/baseline.json`
///
/// # Errors
/// [`Error`] if the id is not a plain name.
pub fn path(store: &Store, toolpack: &str) -> Result<PathBuf, Error> {
    Ok(store.root().join("baselines").join(store::plain(toolpack)?).join("baseline.json"))
}

/// Keeps the endpoints of all tools that are approved as they are now. A tool that is not stays as it was
/// when it was last approved.
pub(super) fn keep(
    store: &Store,
    pack: &Pack,
    now: &BTreeMap<String, Entry>,
    lockfile: &Lockfile,
    agreed: &BTreeSet<String>,
) -> Result<(), Error> {
    let read = |base: &std::path::Path, path: &std::path::Path| {
        let text = store::read(base, path, artifact::MAX_BYTES)?;
        artifact::baseline::read(&text)
            .map_err(|error| Error::new(format_args!("{}: {error}", path.display())))
    };
    let minted = pack.dir.join(manifest::BASELINE);
    // Nothing that drift could watch over is no reason not to decide; `verify` says that it is missing.
    if !minted.is_file() {
        return Ok(());
    }
    let minted = read(&pack.dir, &minted)?;
    let path = path(store, &lockfile.toolpack)?;
    let before = if path.is_file() { read(store.root(), &path)?.endpoints } else { Vec::new() };
    let approved: BTreeSet<&str> = (pack.surface.tools.iter())
        .filter(|tool| {
            let id = format!("tool/{}", tool.name);
            let decided = now.get(&id).zip(lockfile.subjects.get(&id));
            agreed.contains(&id)
                && decided.is_some_and(|(now, entry)| entry.state == State::Approved && same(now, entry))
        })
        .map(|tool| tool.evidence.endpoint.as_str())
        .collect();
    let mut endpoints: Vec<_> =
        before.into_iter().filter(|endpoint| !approved.contains(endpoint.id.as_str())).collect();
    let there: BTreeSet<String> = minted.endpoints.iter().map(|endpoint| endpoint.id.clone()).collect();
    endpoints.retain(|endpoint| there.contains(&endpoint.id));
    endpoints.extend(minted.endpoints.into_iter().filter(|endpoint| approved.contains(endpoint.id.as_str())));
    cask_core::toolpack::baseline::sort(&mut endpoints);
    let text = artifact::baseline::write(&lockfile.toolpack, &endpoints).map_err(Error::new)?;
    store.write(&path, text.to_string().as_bytes())
}
