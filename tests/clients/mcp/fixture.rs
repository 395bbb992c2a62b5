//! The server that the conformance suite wants to meet: tools, resources and prompts that it knows by name.
//!
//! It answers behind the same HTTP side as MindFlow's own handler, so what the suite finds there holds for `/mcp`.
#![expect(deprecated, reason = "the suite asks for what the older era has")]

mod calls;
mod rounds;
mod things;

use std::time::Duration;

use mindflow::http::contract::BodyLimits;
use mindflow::http::mcp::wire::Wire;
use poem::http::{Method, StatusCode};
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::{Endpoint, Request, Response, Server};
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, ErrorData,
    GetPromptRequestParams, GetPromptResponse, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult,
    ServerCapabilities, ServerConfig, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool,
    UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, RoleServer};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// A running fixture; dropping it ends it.
pub(crate) struct Fixture {
    /// Its endpoint.
    pub(crate) url: String,
    _runtime: Runtime,
}

impl Fixture {
    /// Starts one on a free port.
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().expect("threads can be started");
        let listener = TcpListener::bind("127.0.0.1:0").into_acceptor();
        let acceptor = runtime.block_on(listener).expect("a port is free");
        let address = *acceptor.local_addr()[0].as_socket_addr().expect("it is a port");
        let url = format!("http://{address}");
        let limits = BodyLimits { max_bytes: 1 << 20, patience: Duration::from_secs(10) };
        let door = Door(Wire::new(Everything, &url, &[], limits));
        runtime.spawn(Server::new_with_acceptor(acceptor).run(door));
        Self { url, _runtime: runtime }
    }
}

/// The way from HTTP to the protocol that MindFlow's own endpoint takes, behind its authentication.
struct Door(Wire<Everything>);

impl Endpoint for Door {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        if request.method() != Method::POST {
            return Ok(StatusCode::METHOD_NOT_ALLOWED.into());
        }
        let read = self.0.read(&mut request).await?;
        Ok(self.0.answer(&mut request, read).await?)
    }
}

/// What the suite knows by name.
#[derive(Clone)]
struct Everything;

/// A part of the protocol that is written as JSON.
fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the fixture keeps the protocol")
}

/// A result that asks nothing; the library leaves the word out where the era does not know it.
fn complete(mut result: Value) -> Value {
    result["resultType"] = json!("complete");
    result
}

fn tools() -> Vec<Tool> {
    read(calls::tools())
}

impl ServerHandler for Everything {
    fn get_info(&self) -> ServerConfig {
        let capabilities =
            json!({ "tools": {}, "prompts": {}, "resources": { "subscribe": true }, "completions": {}, "logging": {} });
        ServerConfig::new(read::<ServerCapabilities>(capabilities))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut list = ListToolsResult { tools: tools(), ..Default::default() };
        (list.ttl_ms, list.cache_scope) = (Some(0), Some(CacheScope::Public));
        Ok(list)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools().into_iter().find(|tool| tool.name == name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let result = match rounds::call(&request, &context) {
            Some(result) => result?,
            None => calls::call(&request, &context).await?,
        };
        Ok(match result["resultType"].as_str() {
            Some("input_required") => CallToolResponse::InputRequired(read(result)),
            _ => CallToolResponse::Complete(read(complete(result))),
        })
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut list = ListPromptsResult { prompts: read(things::prompts()), ..Default::default() };
        (list.ttl_ms, list.cache_scope) = (Some(0), Some(CacheScope::Public));
        Ok(list)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let result = things::prompt(&request).ok_or_else(|| ErrorData::invalid_params("unknown prompt", None))?;
        Ok(match result["resultType"].as_str() {
            Some("input_required") => GetPromptResponse::InputRequired(read(result)),
            _ => GetPromptResponse::Complete(read(complete(result))),
        })
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut list = ListResourcesResult { resources: read(things::resources()), ..Default::default() };
        (list.ttl_ms, list.cache_scope) = (Some(0), Some(CacheScope::Public));
        Ok(list)
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let resource_templates = read(things::templates());
        let mut list = ListResourceTemplatesResult { resource_templates, ..Default::default() };
        (list.ttl_ms, list.cache_scope) = (Some(0), Some(CacheScope::Public));
        Ok(list)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let unknown = || ErrorData::resource_not_found("unknown resource", Some(json!({ "uri": request.uri })));
        let contents = things::contents(&request.uri).ok_or_else(unknown)?;
        let result = ReadResourceResult::new(vec![read(contents)]);
        Ok(result.with_ttl_ms(0).with_cache_scope(CacheScope::Public).into())
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Ok(CompleteResult::default())
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }
}
