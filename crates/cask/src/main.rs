//! `cask`: lockfiles for agent tools.

fn main() -> std::process::ExitCode {
    cask::main()
}
