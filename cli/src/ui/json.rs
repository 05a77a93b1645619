//! Events for programs: one JSON object a line on stdout.

use std::sync::Arc;

use super::terminal::Terminal;
use crate::engine::{Event, EventSink};

/// Writes events as JSON.
pub(super) struct Json {
    terminal: Arc<Terminal>,
}

impl Json {
    /// A sink that writes to `terminal`.
    pub(super) const fn new(terminal: Arc<Terminal>) -> Self {
        Self { terminal }
    }
}

impl EventSink for Json {
    fn event(&self, event: &Event) {
        self.terminal.data(&line(event));
    }
}

fn line(event: &Event) -> String {
    let mut line = serde_json::to_string(event).expect("events have string keys only");
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::super::script;
    use super::*;
    use crate::engine::Outcome;

    #[test]
    fn every_event_is_one_object_on_a_line_of_its_own() {
        let counts = [(Outcome::Unchanged, 3), (Outcome::Created, 1)];
        let events = [
            script::observed(script::TABLE, "absent", None),
            script::waiting(2500),
            script::done(9000, script::CACHE, Outcome::Created),
            script::finished(9100, "done", &counts),
        ];
        let expected = r#"{"at_ms":200,"event":"observed","key":"table:mru","state":"absent","detail":null}
{"at_ms":2500,"event":"waiting","key":"cache","what":"serverless cache `placev2cache` to be available","usual_s":[60,300],"blocker":"creating","waited_ms":1500}
{"at_ms":9000,"event":"done","key":"cache","outcome":"created","elapsed_ms":1200}
{"at_ms":9100,"event":"finished","outcome":"done","counts":{"unchanged":3,"created":1},"calls":84,"elapsed_ms":9100}
"#;
        assert_eq!(events.iter().map(line).collect::<String>(), expected);
    }

    #[test]
    fn every_kind_of_event_can_be_written() {
        let events = [script::mixed(), script::mixed_end()].concat();
        for event in &events {
            let value: serde_json::Value = serde_json::from_str(&line(event)).unwrap();
            assert!(
                value["event"].is_string() && value["at_ms"].is_u64(),
                "{value}"
            );
        }
    }
}
