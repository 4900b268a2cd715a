//! `cask gate snapshot`: what is approved now, whole, kept under `baselines/` and named by its digest.

use cask_core::artifact::snapshot::{self, Snapshot};
use cask_core::lock::status::{Against, agreed};

use super::{Which, base};
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::store::{Store, against};
use crate::{output, trust};

pub(super) fn run(args: &Which, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let _held = store.lock("gate snapshot")?;
    let pack = args.open(store)?;
    let (trust, now) = (trust::current(store, ctx)?, ctx.now());
    let (base, _) = base(&pack, store, &trust, &now)?;
    let Some(lockfile) = base else {
        return Err(Error::new("nothing is approved yet").hint("approve with `cask gate allow` first"));
    };
    let snapshot = Snapshot {
        revision: lockfile.revision,
        lockfile: lockfile.digest().map_err(Error::new)?,
        surface: pack.approved_surface(
            &lockfile,
            &agreed(&lockfile, &Against { trust: &trust, now: &now, seen: None }),
        )?,
    };
    let (text, digest) = snapshot::write(&snapshot).map_err(Error::new)?;
    let path = against::snapshots(store, &lockfile.toolpack)?.join(format!("{}.json", digest.hex()));
    // The name says what is in it: a file that is there is this one, or is refused when it is read.
    if !path.exists() {
        store.write(&path, text.as_bytes())?;
    }
    let short: String = digest.hex().chars().take(12).collect();
    output::text(&format!(
        "wrote {}\ncompare with it: {} diff --baseline {short}\n",
        path.display(),
        ctx.command()
    ))?;
    Ok(Exit::Pass)
}
