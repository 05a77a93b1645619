//! The events that Lambda hands to the functions.

use place_canvas::{ConnectionId, Pixel, Shard};
use serde_json::{Value, json};

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
    let body = |client: &ConnectionId| json!({ "connection": client }).to_string();
    batch(&clients.iter().map(body).collect::<Vec<_>>())
}

/// A batch of queue messages with these bodies.
pub fn batch(bodies: &[String]) -> String {
    let record = |(number, body): (usize, &String)| -> Value {
        json!({
            "messageId": format!("message-{number}"),
            "receiptHandle": "handle",
            "body": body,
            "attributes": {},
            "eventSource": "aws:sqs",
        })
    };
    let records: Vec<_> = bodies.iter().enumerate().map(record).collect();
    json!({ "Records": records }).to_string()
}
