//! The cards that chats show: built from their source, used in a browser, and in a host of others.

use crate::server::Server;
use crate::tools::{Workshop, repository, run};

#[test]
fn the_built_cards_are_those_of_their_source() {
    let shop = Workshop::new("widgets-source", &["node"]);
    let script =
        r#"cp -R web/widgets/. "$0" && cd "$0" && npm ci --ignore-scripts --no-audit --no-fund && npm run check"#;

    run(shop.tool("sh").arg("-c").arg(script).arg(shop.path("")));
}

#[test]
fn cards_work_in_a_browser() {
    let shop = workshop("widgets-browser");

    run(shop.tool("node").arg(shop.path("widgets.mjs")).arg(repository().join("web/widgets/dist")));
}

#[test]
fn cards_of_a_server_work_in_a_browser_and_in_the_inspector() {
    let shop = workshop("widgets-server");
    let server = Server::start();

    run(shop.tool("node").arg(shop.path("against_server.mjs")).arg(&server.url));
}

fn workshop(name: &str) -> Workshop {
    let shop = Workshop::new(name, &["node", "chromium"]);
    shop.copy("tests/clients/widgets");
    shop.link_node_modules();
    shop
}
