//! Links between the documents lead somewhere.

use std::path::Path;

use crate::source::files;

/// Every relative link in a Markdown file whose target is not there.
pub fn faults(root: &Path) -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    for source in files(root, "md")? {
        let folder = root.join(&source.path).parent().unwrap_or(root).to_owned();
        for (number, line) in source.text.lines().enumerate() {
            for target in targets(line) {
                let path = target.split('#').next().unwrap_or_default();
                if !path.is_empty() && !path.contains("://") && !folder.join(path).exists() {
                    let file = source.path.display();
                    faults.push(format!("{file}:{}: `{path}` is not there", number + 1));
                }
            }
        }
    }
    Ok(faults)
}

/// What stands in the round brackets of `[text](target)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.starts_with("mailto:"))
}
