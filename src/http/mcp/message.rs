//! What a JSON-RPC message is about, and what is wrong with one that is none.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::http::contract::parse;

/// A message that can be handed on.
#[derive(Debug)]
pub(super) struct Message(Value);

/// A body that is no message of the protocol.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    code: i32,
    message: String,
    id: Value,
}

/// The error codes of JSON-RPC 2.0, section 5.1.
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const INVALID_PARAMS: i32 = -32602;

impl Message {
    /// Reads a body.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refused> {
        let value = match parse(bytes) {
            Ok(parsed) => parsed.value,
            Err(fault) => return Err(Refused::new(PARSE_ERROR, format!("Parse error: {fault}"), Value::Null)),
        };
        let id = value.get("id").filter(|id| id.is_string() || id.is_i64()).cloned();
        let refused = |code, message: &str| Err(Refused::new(code, message, id.clone().unwrap_or_default()));
        let Some(fields) = value.as_object() else {
            return refused(INVALID_REQUEST, "Invalid Request: one JSON-RPC message is taken, as an object");
        };
        if fields.get("jsonrpc") != Some(&json!("2.0")) {
            return refused(INVALID_REQUEST, "Invalid Request: `jsonrpc` must be \"2.0\"");
        }
        if fields.contains_key("id") && id.is_none() {
            return refused(INVALID_REQUEST, "Invalid Request: `id` must be a string or an integer");
        }
        match fields.get("method") {
            Some(Value::String(_)) if fields.contains_key("result") || fields.contains_key("error") => {
                return refused(INVALID_REQUEST, "Invalid Request: a message with `method` has no `result` or `error`");
            }
            Some(Value::String(_)) => {}
            // The answer of a client to a request of the server.
            None if fields.contains_key("result") || fields.contains_key("error") => {}
            _ => return refused(INVALID_REQUEST, "Invalid Request: `method` must be a string"),
        }
        match fields.get("params") {
            None | Some(Value::Object(_)) => {}
            Some(_) => return refused(INVALID_PARAMS, "Invalid params: `params` must be an object"),
        }
        match check_call(fields) {
            Ok(()) => Ok(Self(value)),
            Err(fault) => refused(INVALID_PARAMS, fault),
        }
    }

    /// The method, if it has one.
    pub(super) fn method(&self) -> Option<&str> {
        self.0["method"].as_str()
    }

    /// The message as it is handed on.
    pub(super) fn to_bytes(&self) -> Bytes {
        Bytes::from(self.0.to_string())
    }

    /// What is said when the protocol cannot read the message after all.
    pub(super) fn refused(&self) -> Refused {
        let id = self.0.get("id").cloned().unwrap_or_default();
        Refused::new(INVALID_REQUEST, "Invalid Request: a field of the message is of a wrong type", id)
    }

    /// The tool that is called, if one is.
    pub(super) fn tool(&self) -> Option<&str> {
        if self.method() == Some("tools/call") { self.0["params"]["name"].as_str() } else { None }
    }
}

/// What calls and reads cannot do without.
fn check_call(message: &Map<String, Value>) -> Result<(), &'static str> {
    let params = message.get("params");
    let text = |name| params.and_then(|params| params.get(name)).is_some_and(Value::is_string);
    let object = |name| params.and_then(|params| params.get(name)).is_none_or(Value::is_object);
    let cursor =
        params.and_then(|params| params.get("cursor")).is_none_or(|cursor| cursor.is_string() || cursor.is_null());
    match message.get("method").and_then(Value::as_str) {
        Some("initialize") if !is_present_era(params) && !introduces(params) => Err(
            "Invalid params: `initialize` needs `protocolVersion`, a string, `capabilities`, an object, and `clientInfo` with \
             `name` and `version`",
        ),
        Some("tools/call" | "prompts/get") if !text("name") => Err("Invalid params: `name` must be a string"),
        Some("tools/call" | "prompts/get") if !object("arguments") => {
            Err("Invalid params: `arguments` must be an object")
        }
        Some("resources/read") if !text("uri") => Err("Invalid params: `uri` must be a string"),
        Some("completion/complete") if !completes(params) => Err(
            "Invalid params: `ref` must be a `ref/prompt` with `name` or a `ref/resource` with `uri`, and `argument` must \
             have `name` and `value`",
        ),
        Some(method) if method.ends_with("/list") && !cursor => Err("Invalid params: `cursor` must be a string"),
        _ if !object("_meta") => Err("Invalid params: `_meta` must be an object"),
        _ => Ok(()),
    }
}

/// Whether a request is of the era in which each says for itself what it speaks; it knows no `initialize`.
fn is_present_era(params: Option<&Value>) -> bool {
    params.is_some_and(|params| params["_meta"]["io.modelcontextprotocol/protocolVersion"].is_string())
}

/// Whether a client says what it is and what it speaks.
fn introduces(params: Option<&Value>) -> bool {
    let Some(params) = params else { return false };
    let client = &params["clientInfo"];
    params["protocolVersion"].is_string()
        && params["capabilities"].is_object()
        && client["name"].is_string()
        && client["version"].is_string()
}

/// Whether a completion says what it is for.
fn completes(params: Option<&Value>) -> bool {
    let Some(params) = params else { return false };
    let named = match params["ref"]["type"].as_str() {
        Some("ref/prompt") => params["ref"]["name"].is_string(),
        Some("ref/resource") => params["ref"]["uri"].is_string(),
        _ => false,
    };
    named && params["argument"]["name"].is_string() && params["argument"]["value"].is_string()
}

impl Refused {
    fn new(code: i32, message: impl Into<String>, id: Value) -> Self {
        Self { code, message: message.into(), id }
    }

    /// The answer.
    pub(super) fn body(&self) -> Value {
        json!({ "jsonrpc": "2.0", "id": self.id, "error": { "code": self.code, "message": self.message } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &str) -> i32 {
        Message::read(body.as_bytes()).map_or_else(|refused| refused.code, |_| 0)
    }

    #[test]
    fn what_is_no_message_is_refused_as_json_rpc_says() {
        for (body, expected) in [
            ("", PARSE_ERROR),
            ("{", PARSE_ERROR),
            ("\u{feff}{}", PARSE_ERROR),
            ("[]", INVALID_REQUEST),
            ("1", INVALID_REQUEST),
            (r#"{"method":"ping","id":1}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"1.0","method":"ping","id":1}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","method":7,"id":1}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","method":"ping","id":null}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","method":"ping","id":[1]}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","method":"ping","id":1,"params":[]}"#, INVALID_PARAMS),
            (r#"{"jsonrpc":"2.0","method":"tools/call","id":1}"#, INVALID_PARAMS),
            (r#"{"jsonrpc":"2.0","method":"tools/call","id":1,"params":{"name":"x","arguments":[]}}"#, INVALID_PARAMS),
            (r#"{"jsonrpc":"2.0","method":"initialize","id":1}"#, INVALID_PARAMS),
            (r#"{"jsonrpc":"2.0","method":"initialize","id":1,"params":{"protocolVersion":7}}"#, INVALID_PARAMS),
            (r#"{"jsonrpc":"2.0","method":"tools/list","id":1,"params":{"cursor":7}}"#, INVALID_PARAMS),
            (r#"{"jsonrpc":"2.0","method":"ping","id":9223372036854775808}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","method":"ping","id":1,"result":{}}"#, INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","method":"ping","id":1,"params":{"_meta":"x"}}"#, INVALID_PARAMS),
            (
                r#"{"jsonrpc":"2.0","method":"completion/complete","id":1,"params":{"ref":{"type":"x"}}}"#,
                INVALID_PARAMS,
            ),
            (r#"{"jsonrpc":"2.0","method":"ping","id":1}"#, 0),
            (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, 0),
            (
                r#"{"jsonrpc":"2.0","method":"initialize","id":1,"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#,
                0,
            ),
            (r#"{"jsonrpc":"2.0","id":"a","result":{}}"#, 0),
        ] {
            assert_eq!(code(body), expected, "{body}");
        }
    }

    #[test]
    fn whole_numbers_are_handed_on_as_integers() {
        let message = Message::read(br#"{"jsonrpc":"2.0","method":"x","id":1,"params":{"minutes":30.0}}"#).unwrap();

        assert!(message.to_bytes().ends_with(br#"{"minutes":30}}"#));
    }

    #[test]
    fn a_refusal_names_the_request_when_it_can() {
        let refused = Message::read(br#"{"jsonrpc":"2.0","method":"tools/call","id":"a"}"#).unwrap_err();

        assert_eq!(refused.body()["id"], "a");
    }
}
