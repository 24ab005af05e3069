//! The program `mjpegd`: parses the command line, runs, exits. All else is in
//! the library, where tests and lints see it.

use std::process::ExitCode;

fn main() -> ExitCode {
    mjpegd::cli::main()
}
