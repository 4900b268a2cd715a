//! The source files of a crate, without what only tests see.

use std::path::{Path, PathBuf};

/// A source file.
pub struct Source {
    /// Path below the folder that was read.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// Every file below `folder` with this extension, in path order.
pub fn files(folder: &Path, extension: &str) -> Result<Vec<Source>, String> {
    let mut found = Vec::new();
    walk(folder, folder, extension, &mut found)?;
    found.sort_by(|a: &Source, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(top: &Path, folder: &Path, extension: &str, found: &mut Vec<Source>) -> Result<(), String> {
    let fail = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    for entry in std::fs::read_dir(folder).map_err(|error| fail(folder, error))? {
        let path = entry.map_err(|error| fail(folder, error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "out" && name != "corpus" {
                walk(top, &path, extension, found)?;
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            let text = std::fs::read_to_string(&path).map_err(|error| fail(&path, error))?;
            let path = path.strip_prefix(top).unwrap_or(&path).to_owned();
            found.push(Source { path, text });
        }
    }
    Ok(())
}

impl Source {
    /// Whether the file belongs to tests only.
    pub fn is_test(&self) -> bool {
        self.path.iter().any(|part| part == "tests.rs" || part == "tests")
    }

    /// Its lines with their numbers, without comments and without test modules.
    pub fn code(&self) -> Vec<(usize, &str)> {
        let mut lines = Vec::new();
        let mut test = false;
        for (number, line) in self.text.lines().enumerate() {
            let line = line.split_once("//").map_or(line, |(code, _)| code);
            if std::mem::take(&mut test) && line.trim_start().starts_with("mod ") {
                if line.trim_end().ends_with('{') {
                    break;
                }
                continue;
            }
            test = line.trim() == "#[cfg(test)]";
            lines.push((number + 1, line));
        }
        lines
    }
}
