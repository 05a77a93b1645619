//! What reaches `sendMessage` and is no message. API Gateway reads the message too, to choose the
//! route, and is more lenient than this function: with a key that is there twice, for one.

use super::*;

/// A good pixel, to stand beside something bad.
const GOOD: &str = r#"{"x":1,"y":2,"r":1,"g":2,"b":3}"#;

/// The message whose data is this JSON.
fn with_data(data: &str) -> String {
    format!(r#"{{"action":"sendMessage","data":{data}}}"#)
}

/// A pixel whose member is this JSON instead of a number.
fn with_member(name: &str, value: &str) -> String {
    let member = |key: &str| {
        let value = if key == name { value } else { "1" };
        format!(r#""{key}":{value}"#)
    };
    let members: Vec<_> = ["x", "y", "r", "g", "b"].map(member).into();
    with_data(&format!("[{{{}}}]", members.join(",")))
}

async fn all_answered(texts: impl IntoIterator<Item = String>, code: ErrorCode) {
    let world = World::new(1);
    for text in texts {
        assert_eq!(world.send(&text).await, Some(code), "{text:.80}");
    }
    assert!(world.cache.state().history.is_empty());
}

#[tokio::test(start_paused = true)]
async fn text_that_is_no_object_is_answered() {
    let deep = "[".repeat(50_000);
    let texts = [
        "",
        " ",
        "\0",
        "\u{feff}{}",
        "hello",
        "sendMessage",
        "null",
        "true",
        "0",
        "1e999",
        "NaN",
        r#""sendMessage""#,
        "[]",
        r#"["sendMessage"]"#,
        r#"[{"action":"sendMessage"}]"#,
        "{",
        "{}",
        "{}{}",
        "{action:'sendMessage'}",
        r#"{"action":"sendMessage",}"#,
        r#"{"action":"sendMessage"} // painted"#,
        r#"{"action":"\ud800"}"#,
        &deep,
    ];
    all_answered(texts.map(str::to_owned), ErrorCode::BadMessage).await;
}

#[tokio::test(start_paused = true)]
async fn data_that_is_no_pixels_is_answered() {
    let several = format!("[{GOOD},null]");
    let twice = format!(r#"{GOOD},"data":{GOOD}"#);
    let nested = format!("[[{GOOD}]]");
    let inside = format!(r#"{{"data":[{GOOD}]}}"#);
    let data = [
        "null",
        "true",
        "5",
        "1.5",
        "\"\"",
        "\"[]\"",
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "[null]",
        "[5]",
        "[1,2,3,4,5]",
        "[[1,2,3,4,5]]",
        "\"AAEAAv8AAA==\"",
        &several,
        &twice,
        &nested,
        &inside,
    ];
    all_answered(data.map(with_data), ErrorCode::BadMessage).await;
    let elsewhere = [
        r#"{"action":"sendMessage"}"#.to_owned(),
        format!(r#"{{"action":"sendMessage","Data":[{GOOD}]}}"#),
        format!(r#"{{"action":"sendMessage","body":{{"data":[{GOOD}]}}}}"#),
        format!(r#"{{"action":"sendMessage","name":"data","pixels":[{GOOD}]}}"#),
    ];
    all_answered(elsewhere, ErrorCode::BadMessage).await;
}

#[tokio::test(start_paused = true)]
async fn members_that_are_no_whole_numbers_are_answered() {
    let values = [
        "null",
        "true",
        "\"1\"",
        "[1]",
        "{\"x\":1}",
        "1.0",
        "1.5",
        "1e2",
        "99999999999999999999",
    ];
    for name in ["x", "y"] {
        let texts = values.map(|value| with_member(name, value));
        all_answered(texts, ErrorCode::BadMessage).await;
        let outside = ["-1", "20", "65535", "65536", "9223372036854775808"];
        let texts = outside.map(|value| with_member(name, value));
        all_answered(texts, ErrorCode::OutOfBounds).await;
    }
    for name in ["r", "g", "b"] {
        let values = values.into_iter().chain(["-1", "256", "65536"]);
        let texts = values.map(|value| with_member(name, value));
        all_answered(texts, ErrorCode::BadColor).await;
    }
    for missing in ["x", "y", "r", "g", "b"] {
        let text = with_data(GOOD).replace(&format!(r#""{missing}":"#), r#""q":"#);
        let twice = with_data(GOOD).replace("{\"x\"", &format!(r#"{{"{missing}":1,"x""#));
        all_answered([text, twice], ErrorCode::BadMessage).await;
    }
    // What is no JSON at all is told before anything of it is looked at.
    let texts = ["+1", "01", "0x1", "NaN", "1e400", "", "undefined"];
    let texts = texts.map(|value| with_member("r", value));
    all_answered(texts, ErrorCode::BadMessage).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_too_much_is_answered() {
    let many = with_data(&format!("[{}]", [GOOD; 5].join(",")));
    all_answered([many], ErrorCode::TooManyPixels).await;
    let long = format!(r#"{{"data":[{GOOD}],"name":"{}"}}"#, "n".repeat(128 * 1024));
    all_answered([long], ErrorCode::BadMessage).await;
}

#[tokio::test(start_paused = true)]
async fn keys_that_mean_nothing_are_no_fault() {
    let world = World::new(1);
    let named = format!(r#"{{"action":"sendMessage","data":{GOOD},"name":"a-1"}}"#);
    let odd = format!(r#"{{"action":["x"],"data":[{GOOD}],"more":{{"data":[[]]}},"name":null}}"#);
    for text in [named, odd, with_data(GOOD)] {
        assert_eq!(world.send(&text).await, None, "{text}");
    }
    assert_eq!(world.cache.state().history.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_event_without_a_body_is_answered() {
    let world = World::new(1);
    let text = r#"{"requestContext":{"connectionId":"me="},"body":null}"#;
    let event: SocketEvent = serde_json::from_str(text).unwrap();
    let limits = Limits {
        geometry: geometry(),
        max_pixels: 4,
    };
    let (told, cache) = (Told::default(), &world.cache);
    let ports = (cache, &world.queues, &world.gateway);
    handle(&event, limits, &told, ports).await;
    let frames = world.gateway.texts(&id("me="));
    assert!(frames[0].contains("BAD_MESSAGE"), "{frames:?}");
}
