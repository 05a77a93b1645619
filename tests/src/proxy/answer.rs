//! Error answers in the protocol of the service that is asked.

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::http::response::Builder;
use serde_json::json;

/// A service's own error.
pub(super) fn error(
    service: &str,
    status: u16,
    code: &str,
    message: &str,
) -> Response<Full<Bytes>> {
    let (kind, body) = match service {
        "ec2" => ("text/xml", ec2_xml(code, message)),
        "iam" | "sts" | "elasticache" => ("text/xml", query_xml(code, message)),
        // Lambda capitalizes the key, the others don't.
        _ => ("application/json", json_body(code, message)),
    };
    let head = head(status)
        .header("content-type", kind)
        // REST-JSON says the code here, the query-compatible JSON of SQS below.
        .header("x-amzn-errortype", code)
        .header("x-amzn-query-error", format!("{code};Sender"));
    finish(head, body)
}

/// A good answer of a service that speaks XML.
pub(super) fn xml(text: &str) -> Response<Full<Bytes>> {
    finish(
        head(200).header("content-type", "text/xml"),
        text.to_owned(),
    )
}

/// A good answer of a service that speaks JSON.
pub(super) fn json(value: &serde_json::Value) -> Response<Full<Bytes>> {
    finish(
        head(200).header("content-type", "application/json"),
        value.to_string(),
    )
}

/// A page of the front door: not of any service's protocol.
pub(super) fn page(status: u16) -> Response<Full<Bytes>> {
    let body = format!("<html><body><h1>{status}</h1></body></html>");
    finish(head(status).header("content-type", "text/html"), body)
}

fn head(status: u16) -> Builder {
    Response::builder()
        .status(status)
        .header("x-amzn-requestid", "injected-by-the-proxy")
}

fn finish(head: Builder, body: String) -> Response<Full<Bytes>> {
    head.body(Full::new(Bytes::from(body)))
        .expect("a status and headers of the proxy's own")
}

fn ec2_xml(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><Response><Errors><Error><Code>{code}</Code>\
         <Message>{message}</Message></Error></Errors>\
         <RequestID>injected-by-the-proxy</RequestID></Response>"
    )
}

fn query_xml(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error>\
         <RequestId>injected-by-the-proxy</RequestId></ErrorResponse>"
    )
}

fn json_body(code: &str, message: &str) -> String {
    // SQS writes the short name here and the long one in the header.
    let short = code.rsplit('.').next().unwrap_or(code);
    json!({"__type": short, "message": message, "Message": message}).to_string()
}
