//! `caskmcp`: the same command under its long name. It starts the `cask` that was installed beside it, so that
//! there is one program to build, to sign and to trust.

use std::process::{Command, ExitCode};

/// As where `cask` itself cannot do what it was asked to.
const FAILED: u8 = 3;

fn main() -> ExitCode {
    // As it is installed, not as it is linked to: a link may stand anywhere.
    let real = std::env::current_exe().and_then(std::fs::canonicalize);
    let beside = match real {
        Ok(me) => me.with_file_name("cask").with_extension(std::env::consts::EXE_EXTENSION),
        Err(error) => {
            eprintln!("error: caskmcp cannot tell where it is: {error}\n  hint: call cask itself");
            return FAILED.into();
        }
    };
    let error = run(Command::new(&beside).args(std::env::args_os().skip(1)));
    match error {
        Ok(code) => code,
        Err(error) => {
            eprintln!(
                "error: caskmcp starts the cask beside it, and cannot: {}: {error}\n  hint: install both into one folder, or call cask itself",
                beside.display()
            );
            FAILED.into()
        }
    }
}

/// Becomes the command: its signals, its terminal and its exit code are this process's.
#[cfg(unix)]
fn run(command: &mut Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

#[cfg(not(unix))]
fn run(command: &mut Command) -> std::io::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.unwrap_or(FAILED).into())
}
