//! What programs of others make of the published document and of the server behind it.
//!
//! The programs come from `tests/services/with`, which installs them when they are missing; what they write is left in
//! the target folder, to be looked at.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod events;
mod mcp;
mod oauth;
mod objects;
mod server;
mod tools;
mod widgets;

use self::server::Server;
use self::tools::{Workshop, run};

/// The document as the repository holds it; a test of the API keeps it current.
const DOCUMENT: &str = "openapi/openapi.yaml";

#[test]
fn redocly_finds_no_fault_in_the_document() {
    let shop = Workshop::new("redocly", &["node"]);

    run(shop.tool("redocly").args(["lint", "--config=openapi/redocly.yaml", DOCUMENT]));
}

#[test]
fn spectral_finds_no_fault_in_the_document() {
    let shop = Workshop::new("spectral", &["node"]);

    let rules = "--ruleset=openapi/.spectral.yaml";
    run(shop.tool("spectral").args(["lint", rules, "--fail-severity=warn", DOCUMENT]));
}

#[test]
fn a_typescript_client_made_from_the_document_compiles_and_works() {
    let shop = Workshop::new("typescript", &["node"]);
    let server = Server::start();
    shop.copy("tests/clients/typescript");
    shop.link_node_modules();

    let types = shop.path("api.d.ts");
    run(shop.tool("openapi-typescript").arg(DOCUMENT).arg("--output").arg(types));
    run(shop.tool("tsc").arg("--project").arg(shop.path("")));
    run(shop.tool("node").arg(shop.path("built/scenario.js")).arg(&server.url));
}

#[test]
fn a_python_client_made_from_the_document_type_checks_and_works() {
    let shop = Workshop::new("python", &["python"]);
    let server = Server::start();
    shop.copy("tests/clients/python");

    let client = shop.path("mindflow_client");
    let generator = shop.path("generator.yaml");
    let generate = ["generate", "--meta=none", "--overwrite", "--fail-on-warning"];
    let mut tool = shop.tool("openapi-python-client");
    run(tool
        .args(generate)
        .arg("--path")
        .arg(DOCUMENT)
        .arg("--output-path")
        .arg(client)
        .arg("--config")
        .arg(generator));
    run(shop.tool("mypy").current_dir(shop.path("")).args(["--strict", "--no-error-summary", "scenario.py"]));
    run(shop.tool("python").current_dir(shop.path("")).arg("scenario.py").arg(&server.url));
}

#[test]
fn schemathesis_finds_no_fault_in_any_operation() {
    let shop = Workshop::new("schemathesis", &["python"]);
    let server = Server::start();

    // A person's run has more examples and takes many minutes; a fixed seed keeps this one the same each time.
    let mut tool = shop.tool("schemathesis");
    tool.args(["--config-file", "tests/clients/schemathesis/schemathesis.toml", "run", "--url", &server.url]);
    run(tool.arg(format!("{}/openapi.json", server.url)).args(["--max-examples=15", "--seed=1"]));
}

#[test]
fn swagger_ui_works_in_a_browser_without_any_other_host() {
    let shop = Workshop::new("swagger", &["node", "chromium"]);
    let server = Server::start();
    shop.copy("tests/clients/swagger");
    shop.link_node_modules();

    run(shop.tool("node").arg(shop.path("swagger.mjs")).arg(&server.url).arg(shop.path("swagger.png")));
}

#[test]
fn a_person_connects_programs_in_a_browser_without_scripts() {
    let shop = Workshop::new("pages", &["node", "chromium"]);
    let server = Server::start();
    shop.copy("tests/clients/pages");
    shop.link_node_modules();

    run(shop.tool("node").arg(shop.path("pages.mjs")).arg(&server.url).arg(shop.path("screenshots")));
}

#[test]
fn a_person_signs_in_with_a_passkey_in_a_browser() {
    let shop = Workshop::new("passkeys", &["node", "chromium"]);
    let server = Server::start_with_a_name();
    shop.copy("tests/clients/pages");
    shop.link_node_modules();

    run(shop.tool("node").arg(shop.path("passkeys.mjs")).arg(&server.url).arg(shop.path("screenshots")));
}
