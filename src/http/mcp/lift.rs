//! `securitySchemes` of tools: ChatGPT reads them beside a tool's name, where rmcp's type has no place for them.

use http_body_util::BodyExt;
use poem::Body;
use serde_json::Value;

use super::wire::{RmcpBody, poem_body};

/// The line of an event stream that holds the message.
const DATA: &str = "data: ";

/// Copies each tool's schemes from its `_meta` beside its name, in an answer to `tools/list`.
pub(super) async fn security_schemes(body: RmcpBody) -> Body {
    let bytes = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(never) => match never {},
    };
    let Ok(text) = std::str::from_utf8(&bytes) else { return Body::from_bytes(bytes) };
    let lifted: String = text.split_inclusive('\n').map(lift_line).collect();
    Body::from(poem_body(http_body_util::Full::from(lifted).boxed()))
}

fn lift_line(line: &str) -> String {
    let (prefix, json) = line.strip_prefix(DATA).map_or(("", line), |json| (DATA, json));
    let Ok(mut message) = serde_json::from_str::<Value>(json) else { return line.to_owned() };
    let Some(tools) = message.pointer_mut("/result/tools").and_then(Value::as_array_mut) else {
        return line.to_owned();
    };
    for tool in tools {
        let schemes = tool["_meta"]["securitySchemes"].clone();
        if !schemes.is_null() {
            tool["securitySchemes"] = schemes;
        }
    }
    let end = if line.ends_with('\n') { "\n" } else { "" };
    format!("{prefix}{message}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_stand_beside_the_name_in_streams_and_documents() {
        let list = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","_meta":{"securitySchemes":[1]}}]}}"#;

        for line in [list.to_owned(), format!("data: {list}\n")] {
            assert!(lift_line(&line).contains(r#""securitySchemes":[1]},"securitySchemes":[1]"#), "{line}");
        }
        for other in ["data: \n", ": ping\n", "event: message\n", r#"data: {"error":1}"#] {
            assert_eq!(lift_line(other), other);
        }
    }
}
