//! The events that Lambda hands to the functions.

use place_canvas::{ConnectionId, Pixel, Shard};
use serde_json::{Value, json};

/// What API Gateway sends when `client` connects.
pub fn connect(client: &ConnectionId) -> String {
    json!({
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "connectionId": client,
            "identity": { "sourceIp": "192.0.2.1" },
        },
        "headers": { "Host": "place.example" },
    })
    .to_string()
}

/// What API Gateway sends for a message of `client`, who is at `address`.
pub fn message(client: &ConnectionId, address: &str, body: &str) -> String {
    json!({
        "requestContext": {
            "routeKey": "sendMessage",
            "eventType": "MESSAGE",
            "connectionId": client,
            "identity": { "sourceIp": address },
        },
        "body": body,
        "isBase64Encoded": false,
    })
    .to_string()
}

/// The message that paints `pixels`.
pub fn paint(pixels: &[Pixel]) -> String {
    let data: Vec<_> = pixels
        .iter()
        .map(|p| json!({"x": p.x, "y": p.y, "r": p.rgb.r, "g": p.rgb.g, "b": p.rgb.b}))
        .collect();
    json!({ "action": "sendMessage", "data": data }).to_string()
}

/// What the request queue hands to the broadcast.
pub fn wake(shard: Shard) -> String {
    batch(&[json!({ "shard": shard }).to_string()])
}

/// What the initialize queue hands to initializeConnection.
pub fn newcomers(clients: &[ConnectionId]) -> String {
    delivery(clients, 1)
}

/// The same, at the delivery of this number.
pub fn delivery(clients: &[ConnectionId], receives: u32) -> String {
    let body = |client: &ConnectionId| json!({ "connection": client }).to_string();
    let attributes = json!({ "ApproximateReceiveCount": receives.to_string() });
    records(&clients.iter().map(body).collect::<Vec<_>>(), &attributes)
}

/// A batch of queue messages with these bodies.
pub fn batch(bodies: &[String]) -> String {
    records(bodies, &json!({}))
}

fn records(bodies: &[String], attributes: &Value) -> String {
    let record = |(number, body): (usize, &String)| -> Value {
        // Each has a group of its own, as the functions send them.
        let mut attributes = attributes.clone();
        attributes["MessageGroupId"] = json!(format!("group-{number}"));
        json!({
            "messageId": format!("message-{number}"),
            "receiptHandle": format!("handle-{number}"),
            "body": body,
            "attributes": attributes,
            "eventSource": "aws:sqs",
        })
    };
    let records: Vec<_> = bodies.iter().enumerate().map(record).collect();
    json!({ "Records": records }).to_string()
}
