//! Hosts and programs of others work with `/mcp`, each signed in as its user would be, against a server of its own.
//!
//! What they do is in `tests/clients/mcp/`; the way through the server's pages is that of `tests/clients/oauth/`.

mod fixture;

use self::fixture::Fixture;
use crate::server::Server;
use crate::tools::{Workshop, run};

#[test]
fn npm_modelcontextprotocol_sdk_works_through_a_day() {
    in_node("sdk", &[&Server::start().url]);
}

#[test]
fn npm_modelcontextprotocol_client_works_through_a_day() {
    in_node("client", &[&Server::start().url]);
}

#[test]
fn npm_mcp_remote_works_through_a_day() {
    in_node("remote", &[&Server::start().url]);
}

#[test]
fn npm_modelcontextprotocol_inspector_works_through_a_day() {
    in_node("inspector", &[&Server::start().url]);
}

#[test]
fn pypi_mcp_works_through_a_day() {
    in_python("pypi_mcp", &[&Server::start().url]);
}

#[test]
fn pypi_fastmcp_works_through_a_day() {
    in_python("pypi_fastmcp", &[&Server::start().url]);
}

#[test]
fn the_conformance_suite_finds_no_fault_in_the_server() {
    let server = Server::start();
    let url = format!("{}/mcp", server.url);
    conformance(&url, "2026-07-28", "real", &["http-header-validation"]);
    conformance(&url, "2025-11-25", "real", &[]);
}

#[test]
fn the_conformance_suite_finds_no_fault_where_it_finds_all_that_it_asks_for() {
    let fixture = Fixture::start();
    let also = ["http-header-validation", "http-custom-header-server-validation", "json-schema-2020-12"];
    conformance(&fixture.url, "2026-07-28", "fixture", &also);
    conformance(&fixture.url, "2025-11-25", "fixture", &["json-schema-2020-12"]);
}

#[test]
fn what_people_say_is_answered() {
    in_node("said", &[&Server::start().url]);
}

#[test]
fn tools_and_tasks_cost_few_tokens() {
    let server = Server::start();
    let email = "demo@example.org";
    let said = server.operate(&["demo", "--email", email]);
    let password = said.lines().find_map(|line| line.strip_prefix("Password: ")).expect("a new account has one");
    in_node("tokens", &[&server.url, email, password]);
}

/// The suite against an endpoint; `kind` names the file of what is expected to fail.
fn conformance(url: &str, revision: &str, kind: &str, also: &[&str]) {
    let shop = workshop(&format!("conformance-{kind}-{revision}"), &["node"]);
    shop.link_node_modules();
    let script = shop.path("conformance_server.mjs");
    let expected = shop.path(&format!("{kind}-{revision}.yaml"));
    run(shop.tool("node").arg(script).args([url, revision]).arg(expected).args(also));
}

fn in_node(scenario: &str, arguments: &[&str]) {
    workshop(scenario, &["node"]).run_in_node(scenario, arguments);
}

fn in_python(scenario: &str, arguments: &[&str]) {
    workshop(scenario, &["python"]).run_in_python(scenario, arguments);
}

fn workshop(scenario: &str, needs: &'static [&'static str]) -> Workshop {
    let shop = Workshop::new(&format!("mcp-{scenario}"), needs);
    shop.copy("tests/clients/oauth");
    shop.copy("tests/clients/mcp");
    shop
}
