//! `caskmcp`: the same command under its long name.

fn main() -> std::process::ExitCode {
    cask::main()
}
