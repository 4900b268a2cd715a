//! Repository checks and generated documents: `cargo xtask` says what there is.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod dependencies;
mod docs;
mod links;
mod order;
mod rate;
mod size;
mod source;

const USAGE: &str = "\
cargo xtask check             every rule of the house that the compiler does not check
cargo xtask docs              write docs/reference/ anew
cargo xtask split-parse FILE  split a HAR into entries and parse each, and nothing else; prints MB/s
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["check"] => report(&faults(&root())),
        ["docs"] => docs::write(&root()),
        ["split-parse", file] => rate::split_parse(Path::new(file)),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{}", message.trim_end());
            ExitCode::FAILURE
        }
    }
}

/// The top of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Everything that breaks a rule of the house, as `place: what: what to do`.
fn faults(root: &Path) -> Vec<String> {
    let checks = [order::faults, dependencies::faults, size::faults, links::faults, docs::faults];
    checks.iter().flat_map(|check| check(root).unwrap_or_else(|error| vec![error])).collect()
}

fn report(faults: &[String]) -> Result<(), String> {
    match faults {
        [] => {
            println!("the house is in order");
            Ok(())
        }
        faults => Err(format!("{}\n{} faults", faults.join("\n"), faults.len())),
    }
}

#[cfg(test)]
mod tests {
    /// So that a plain `cargo test --workspace` finds what `cargo xtask check` finds.
    #[test]
    fn the_house_is_in_order() {
        let faults = super::faults(&super::root());
        assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    }
}
