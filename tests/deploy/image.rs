//! The image's last stage without an engine: its paths, its user, and a root that cannot be written.

use std::fs;

use tempfile::TempDir;

use crate::server::free_port;
use crate::tools::{repository, run, with};

/// Builds the root of the last stage from the Dockerfile's own lines, and runs the server and its health check there.
#[test]
fn the_server_runs_as_the_images_user_on_a_root_that_cannot_be_written() {
    let dockerfile = fs::read_to_string(repository().join("deploy/Dockerfile")).unwrap();
    let stage = dockerfile.split("AS server").nth(1).unwrap();
    let word = |name: &str| stage.split(name).nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let root = TempDir::new().unwrap();

    let mut script = with(&[], "bash");
    script.arg("tests/deploy/image.sh").arg(root.path()).arg(env!("CARGO_BIN_EXE_mindflow"));
    script.arg(word("DATA_DIR=")).arg(word("POLICIES_DIR=")).arg(word("USER ")).arg(free_port().to_string());
    let said = run(&mut script);

    assert!(said.contains("ready") && said.contains("Read-only file system"), "{said}");
}
