//! Operations that an emulator lacks, answered from what was asked before.

use std::collections::HashMap;

use hyper::body::Bytes;
use serde_json::{Value, json};

/// What is lacking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandIn {
    /// `CreateDeployment` and `GetDeployments`: one deployment, which is there at once.
    Deployments,
    /// Any `PutX` and `GetX`: what is put is what is got.
    Settings,
    /// `GetTags` of stages: those that the stage was created with. Those of APIs are the emulator's.
    StageTags,
}

/// A call, and the body of the last call of each operation that came before.
pub(super) struct Asked<'a> {
    pub(super) operation: &'a str,
    pub(super) path: &'a str,
    pub(super) body: &'a Bytes,
    pub(super) earlier: &'a HashMap<String, Bytes>,
}

impl StandIn {
    /// The answer, as JSON; nothing where the emulator has one.
    pub(super) fn answer(self, asked: &Asked<'_>) -> Option<Value> {
        match self {
            Self::Deployments => Some(asked.deployments()),
            Self::Settings => Some(asked.settings()),
            Self::StageTags => asked.path.contains("stages").then(|| {
                let stage = asked.last("CreateStage").unwrap_or_default();
                json!({ "tags": stage["tags"] })
            }),
        }
    }
}

impl Asked<'_> {
    fn last(&self, operation: &str) -> Option<Value> {
        serde_json::from_slice(self.earlier.get(operation)?).ok()
    }

    fn deployments(&self) -> Value {
        let deployment = |asked: Value| {
            json!({
                "deploymentId": "deployment",
                "deploymentStatus": "DEPLOYED",
                "description": asked["description"],
            })
        };
        if self.operation == "CreateDeployment" {
            return deployment(serde_json::from_slice(self.body).unwrap_or_default());
        }
        let all: Vec<_> = self
            .last("CreateDeployment")
            .map(deployment)
            .into_iter()
            .collect();
        json!({ "items": all })
    }

    fn settings(&self) -> Value {
        let put = match self.operation.strip_prefix("Get") {
            Some(what) => self.last(&format!("Put{what}")),
            None => serde_json::from_slice(self.body).ok(),
        };
        put.unwrap_or_else(|| json!({}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(stand_in: StandIn, operation: &str, earlier: &[(&str, &'static str)]) -> Value {
        let body = |(name, text): &(&str, &'static str)| ((*name).to_owned(), Bytes::from(*text));
        let asked = Asked {
            operation,
            path: "/v2/tags/arn%2Fstages%2Fproduction",
            body: &Bytes::new(),
            earlier: &earlier.iter().map(body).collect(),
        };
        stand_in.answer(&asked).unwrap()
    }

    #[test]
    fn what_was_made_or_set_is_what_is_told() {
        let none = answer(StandIn::Deployments, "GetDeployments", &[]);
        assert_eq!(none, json!({ "items": [] }));
        let made = [("CreateDeployment", r#"{"description":"print"}"#)];
        let one = answer(StandIn::Deployments, "GetDeployments", &made);
        assert_eq!(one["items"][0]["description"], "print");
        let unset = answer(StandIn::Settings, "GetFunctionRecursionConfig", &[]);
        assert_eq!(unset, json!({}));
        let put = [("PutFunctionRecursionConfig", r#"{"RecursiveLoop":"Allow"}"#)];
        let set = answer(StandIn::Settings, "GetFunctionRecursionConfig", &put);
        assert_eq!(set["RecursiveLoop"], "Allow");
        let stage = [("CreateStage", r#"{"tags":{"a":"b"}}"#)];
        let tags = answer(StandIn::StageTags, "GetTags", &stage);
        assert_eq!(tags, json!({ "tags": { "a": "b" } }));
    }
}
