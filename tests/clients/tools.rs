//! Runs programs of others, each in a folder of its own below the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// No program here may take longer than this.
const LIMIT_SECONDS: &str = "1100";

/// The folder that the repository is checked out in.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An empty folder, and the programs that work in it.
pub(crate) struct Workshop {
    folder: PathBuf,
    needs: &'static [&'static str],
}

impl Workshop {
    /// `needs` are words of `tests/services/with`.
    pub(crate) fn new(name: &str, needs: &'static [&'static str]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("the last run's folder can be removed");
        }
        fs::create_dir_all(&folder).expect("the target folder is writable");
        Self { folder, needs }
    }

    /// A file of this folder; the folder itself for an empty name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Copies the files of a folder of the repository into this one.
    pub(crate) fn copy(&self, from: &str) {
        for entry in fs::read_dir(repository().join(from)).expect("the folder is part of the repository") {
            let entry = entry.expect("the folder can be read");
            if entry.file_type().expect("it has a type").is_file() {
                fs::copy(entry.path(), self.folder.join(entry.file_name())).expect("a file can be copied");
            }
        }
    }

    /// Lets programs in this folder import the locked Node.js packages.
    pub(crate) fn link_node_modules(&self) {
        let script = r#"ln -sfn "$MINDFLOW_TEST_CLIENTS/node_modules" node_modules"#;
        run(self.tool("sh").current_dir(&self.folder).args(["-c", script]));
    }

    /// Runs a script of this folder in Node.js, with the locked packages.
    #[track_caller]
    pub(crate) fn run_in_node(&self, script: &str, arguments: &[&str]) {
        self.link_node_modules();
        run(self.tool("node").arg(self.path(&format!("{script}.mjs"))).args(arguments));
    }

    /// Runs a script of this folder in Python, with the locked packages.
    #[track_caller]
    pub(crate) fn run_in_python(&self, script: &str, arguments: &[&str]) {
        run(self.tool("python").arg(self.path(&format!("{script}.py"))).args(arguments));
    }

    /// A program that starts in the repository, not yet run.
    pub(crate) fn tool(&self, program: &str) -> Command {
        let mut command = Command::new(repository().join("tests/services/with"));
        command.args(self.needs).args(["--", "timeout", LIMIT_SECONDS, program]);
        command.current_dir(repository()).stdin(Stdio::null());
        command
    }
}

/// Runs a program to its end; what it said is shown when it fails.
#[track_caller]
pub(crate) fn run(command: &mut Command) {
    let output = command.output().expect("a program can be started");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).join("\n");
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
}
