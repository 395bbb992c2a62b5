//! Arguments in, exit code out.

use std::process::ExitCode;

/// Gives memory back to the system soon, such as what hashing a password needs, and is quicker than most systems' own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mindflow::cli::main()
}
