//! Files stay small enough to be read at one go.

use std::path::Path;

use crate::source::files;

/// Above this a file is split; above 500 lines it is worth asking whether it is one idea.
const LINES: usize = 800;

/// Every source file that is too long.
pub fn faults(root: &Path) -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    for folder in ["crates", "xtask"] {
        for source in files(&root.join(folder), "rs")? {
            let lines = source.text.lines().count();
            if lines > LINES {
                let file = source.path.display();
                faults.push(format!("{folder}/{file}: {lines} lines: split it (the limit is {LINES})"));
            }
        }
    }
    Ok(faults)
}
