//! Files that cask wants in a repository. What is there already is somebody's: it is shown what would be added, and left.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::error::Error;
use crate::store;

/// The longest file of somebody else's that is read, in bytes.
const LONGEST: u64 = 4 << 20;
/// The repository's own settings for cask.
const SETTINGS: &str = "cask.toml";
/// The workflow that checks pull requests.
const WORKFLOW: &str = ".github/workflows/cask.yml";
const IGNORE: &str = ".gitignore";

/// A file, and what becomes of it.
#[derive(Debug)]
pub struct Step {
    /// Where it is.
    pub path: PathBuf,
    /// What is done.
    pub what: What,
}

/// What becomes of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum What {
    /// It is not there: it gets this text.
    New(String),
    /// It is there, and lines can be added at its end without changing what it says: these.
    Add(String),
    /// It is there and stays; this is what would have been written.
    Stays(String),
    /// It is there and has what it takes.
    Fine,
}

/// What to do in a folder. Nothing is written yet.
///
/// # Errors
/// [`Error`] if a file that is there cannot be read.
pub fn plan(top: &Path, root: &Path) -> Result<Vec<Step>, Error> {
    let mut steps = vec![whole(top, SETTINGS, LINT.to_owned())?, whole(top, WORKFLOW, workflow(root))?];
    if let Some(lines) = ignored(root) {
        steps.insert(1, ignore(top, &lines)?);
    }
    Ok(steps)
}

/// Does it.
///
/// # Errors
/// [`Error`] with the first file that cannot be written.
pub fn write(top: &Path, steps: &[Step]) -> Result<(), Error> {
    for step in steps {
        match &step.what {
            What::New(text) => store::write(top, &step.path, text.as_bytes())?,
            What::Add(lines) => {
                let text = there(top, &step.path)?.unwrap_or_default();
                let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
                store::write(top, &step.path, format!("{text}{gap}{lines}").as_bytes())?;
            }
            What::Stays(_) | What::Fine => {}
        }
    }
    Ok(())
}

/// A file that is ours as a whole.
fn whole(top: &Path, name: &str, text: String) -> Result<Step, Error> {
    let path = top.join(name);
    let what = match there(top, &path)? {
        None => What::New(text),
        Some(is) if is == text => What::Fine,
        Some(_) => What::Stays(text),
    };
    Ok(Step { path, what })
}

/// The lines that git's list of ignored files lacks.
fn ignore(top: &Path, lines: &[String]) -> Result<Step, Error> {
    let path = top.join(IGNORE);
    let text = there(top, &path)?;
    let has = |line: &str| {
        let bare = |line: &str| line.trim().trim_matches('/').to_owned();
        text.iter().flat_map(|text| text.lines()).any(|other| bare(other) == bare(line))
    };
    let lacks: String = lines.iter().filter(|line| !has(line)).map(|line| format!("{line}\n")).collect();
    let is_link = path.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
    let what = if lacks.is_empty() {
        What::Fine
    } else if text.is_none() {
        What::New(lacks)
    } else if is_link {
        // Writing would put a file in the place of the link.
        What::Stays(lacks)
    } else {
        What::Add(lacks)
    };
    Ok(Step { path, what })
}

/// The text of a file; none if it is not there.
fn there(top: &Path, path: &Path) -> Result<Option<String>, Error> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(None);
    }
    store::read(top, path, LONGEST).map(Some)
}

/// What must not be committed, as git is told; none for a state root elsewhere.
fn ignored(root: &Path) -> Option<Vec<String>> {
    let root = below(root)?;
    Some(vec![format!("/{root}/state/"), format!("/{root}/evidence/")])
}

/// The state root as a path from here, if it is below.
fn below(root: &Path) -> Option<String> {
    let text = root.to_str()?.trim_start_matches("./").trim_end_matches('/');
    let here = root.is_relative() && !text.is_empty() && !text.split('/').any(|part| part == "..");
    here.then(|| text.to_owned())
}

/// The state root as YAML and TOML both read it.
fn quoted(root: &Path) -> String {
    json!(below(root).unwrap_or_else(|| ".caskmcp".to_owned())).to_string()
}

/// What `cask lint` reads (docs/lint.md), all of it commented out.
const LINT: &str = "\
# Settings of cask for this repository. Every line is what cask does without it.
#
# [lint]
# budget_tokens = 25000          # of the tools/list of one toolset
# level.description-long = \"warning\"
#
# [[lint.waive]]
# code = \"host-plain-http\"
# subject = \"tool/*\"
# reason = \"the service is on this machine\"
# until = \"2027-01-31\"
";

fn workflow(root: &Path) -> String {
    format!(
        r#"# Says on every pull request what an agent could do that it cannot now, and fails if nobody approved it.
name: cask
on:
  pull_request:
  push:
    branches: [main]
permissions:
  contents: read
  pull-requests: write # the comment
  security-events: write # code scanning
jobs:
  cask:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
        with:
          persist-credentials: false
      # A commit id in the place of the tag pins what runs: git ls-remote https://github.com/cask-tools/cask
      - uses: cask-tools/cask@v{version}
        with:
          root: {root}
          # `cask trust show` prints it. A variable of the repository is out of reach of a pull request.
          trust-root: ${{{{ vars.CASK_TRUST_ROOT }}}}
"#,
        version = env!("CARGO_PKG_VERSION"),
        root = quoted(root),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path();
        fs::write(top.join("cask.toml"), "root = \"x\"\n").unwrap();
        fs::write(top.join(".gitignore"), "/out\n.caskmcp/state").unwrap();
        let steps = plan(top, Path::new(".caskmcp")).unwrap();
        assert!(matches!(steps.first().unwrap().what, What::Stays(_)), "{steps:?}");
        assert_eq!(steps.get(1).unwrap().what, What::Add("/.caskmcp/evidence/\n".to_owned()));
        assert!(matches!(steps.get(2).unwrap().what, What::New(_)));
        write(top, &steps).unwrap();
        assert_eq!(fs::read_to_string(top.join("cask.toml")).unwrap(), "root = \"x\"\n");
        let ignored = fs::read_to_string(top.join(".gitignore")).unwrap();
        assert_eq!(ignored, "/out\n.caskmcp/state\n/.caskmcp/evidence/\n");
        let again = plan(top, Path::new(".caskmcp")).unwrap();
        assert_eq!(again.iter().filter(|step| step.what == What::Fine).count(), 2, "{again:?}");
    }

    #[test]
    fn a_state_root_elsewhere_is_not_ignored_here() {
        assert!(ignored(Path::new("/srv/cask")).is_none() && ignored(Path::new("../cask")).is_none());
        assert_eq!(ignored(Path::new("./a/b/")).unwrap(), ["/a/b/state/", "/a/b/evidence/"]);
        assert!(workflow(Path::new("a/b")).contains("root: \"a/b\"\n"));
        assert!(workflow(Path::new("/srv/cask")).contains("${{ vars.CASK_TRUST_ROOT }}"));
    }
}
