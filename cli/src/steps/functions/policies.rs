//! What each role may do: as little as its holder needs, on this stack's own resources.

use place_config::{Function, Names, Queue};
use serde_json::{Value, json};

use crate::aws::Identity;

/// Actions that Lambda itself takes with the function's role, to give it an address in the VPC.
/// EC2 knows no narrower resource for them (AWS's own `AWSLambdaVPCAccessExecutionRole`).
const NETWORK: [&str; 6] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];

/// What the policies speak of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    /// Whose account.
    pub(crate) identity: &'a Identity,
    /// Which region.
    pub(crate) region: &'a str,
    /// What everything is called.
    pub(crate) names: &'a Names,
}

impl Scope<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        self.identity.resource_name(service, self.region, resource)
    }

    fn function(&self, function: Function) -> String {
        self.arn(
            "lambda",
            &format!("function:{}", self.names.function(function)),
        )
    }

    fn queue(&self, queue: Queue) -> String {
        self.arn("sqs", &self.names.queue(queue))
    }

    fn connections(&self, api: &str, method: &str) -> String {
        let stage = self.names.stage();
        self.arn(
            "execute-api",
            &format!("{api}/{stage}/{method}/@connections/*"),
        )
    }

    /// Who may assume a function's role.
    pub(crate) fn function_trust() -> Value {
        document(&[json!({
            "Effect": "Allow",
            "Principal": { "Service": "lambda.amazonaws.com" },
            "Action": "sts:AssumeRole",
        })])
    }

    /// Who may assume the scheduler's role: this account's scheduler, for this stack's group
    /// (EventBridge Scheduler user guide, "Confused deputy prevention").
    pub(crate) fn scheduler_trust(&self) -> Value {
        let group = format!("schedule-group/{}", self.names.schedule_group());
        document(&[json!({
            "Effect": "Allow",
            "Principal": { "Service": "scheduler.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": {
                "aws:SourceAccount": self.identity.account,
                "aws:SourceArn": self.arn("scheduler", &group),
            } },
        })])
    }

    /// What the scheduler may do: invoke save.
    pub(crate) fn scheduler(&self) -> Value {
        document(&[allow(
            &["lambda:InvokeFunction"],
            &[self.function(Function::Save)],
        )])
    }

    /// What a function may do, given the id of the API.
    pub(crate) fn function_role(&self, function: Function, api: &str) -> Value {
        let mut statements = vec![
            self.logs(function),
            allow(&NETWORK, &["*".to_owned()]),
            self.not_the_code(function),
        ];
        statements.extend(self.work(function, api));
        document(&statements)
    }

    /// Streams and events in the function's own log group, which it can't create: a late
    /// invocation must not bring it back after a teardown.
    fn logs(&self, function: Function) -> Value {
        let group = format!("log-group:{}:*", self.names.log_group(function));
        allow(
            &["logs:CreateLogStream", "logs:PutLogEvents"],
            &[self.arn("logs", &group)],
        )
    }

    /// Takes from the function's code what the role gives Lambda itself: only calls that the code
    /// makes carry its ARN (Lambda developer guide, "Giving functions access to a VPC").
    fn not_the_code(&self, function: Function) -> Value {
        json!({
            "Effect": "Deny",
            "Action": NETWORK,
            "Resource": "*",
            "Condition": { "ArnEquals": { "lambda:SourceFunctionArn": self.function(function) } },
        })
    }

    /// What the handlers themselves call.
    fn work(&self, function: Function, api: &str) -> Vec<Value> {
        let consume = |queue| {
            let actions = [
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ];
            allow(&actions, &[self.queue(queue)])
        };
        let send = |queue| allow(&["sqs:SendMessage"], &[self.queue(queue)]);
        let connections = |methods: &[&str]| {
            let methods = methods.iter().map(|method| self.connections(api, method));
            allow(
                &["execute-api:ManageConnections"],
                &methods.collect::<Vec<_>>(),
            )
        };
        match function {
            // A connect that finds the canvas full looks for clients that are gone.
            Function::Connect => vec![send(Queue::Initialize), connections(&["GET"])],
            Function::Disconnect => Vec::new(),
            // A client that the cache had lost is queued for a picture.
            Function::SendMessage => vec![
                send(Queue::Request),
                send(Queue::Initialize),
                connections(&["POST"]),
            ],
            Function::Broadcast => vec![
                consume(Queue::Request),
                send(Queue::Request),
                connections(&["DELETE", "POST"]),
            ],
            Function::Initialize => vec![
                consume(Queue::Initialize),
                allow(
                    &["sqs:ChangeMessageVisibility"],
                    &[self.queue(Queue::Initialize)],
                ),
                connections(&["DELETE", "POST"]),
            ],
            Function::Save => vec![
                send(Queue::Request),
                connections(&["GET"]),
                self.tables(
                    &["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"],
                    &[self.names.mru_table(), self.names.history_table()],
                ),
                self.tables(
                    &["dynamodb:DescribeTable", "dynamodb:Scan"],
                    &[self.names.mru_table()],
                ),
                self.tables(
                    &["dynamodb:GetItem", "dynamodb:PutItem"],
                    &[self.names.journal_table()],
                ),
            ],
            Function::Admin => vec![send(Queue::Request), connections(&["DELETE", "GET"])],
            Function::Page => {
                vec![self.tables(&["dynamodb:Query"], &[self.names.history_table()])]
            }
        }
    }

    fn tables(&self, actions: &[&str], names: &[String]) -> Value {
        let arn = |name: &String| self.arn("dynamodb", &format!("table/{name}"));
        allow(actions, &names.iter().map(arn).collect::<Vec<_>>())
    }
}

fn allow(actions: &[&str], resources: &[String]) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resources })
}

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Reads a policy document as IAM answers it: percent-encoded JSON.
pub(crate) fn parse(encoded: &str) -> Option<Value> {
    serde_json::from_slice(&percent_decoded(encoded)).ok()
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = text.get(at + 1..at + 3).filter(|_| byte == b'%');
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(value.unwrap_or(byte));
        at += if value.is_some() { 3 } else { 1 };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use place_config::StackConfig;

    use super::*;

    fn with_scope<T>(look: impl FnOnce(Scope<'_>) -> T) -> T {
        let identity = Identity {
            account: "123456789012".to_owned(),
            partition: "aws".to_owned(),
            arn: String::new(),
        };
        let names = Names::new(&StackConfig::default(), "eu-west-1");
        look(Scope {
            identity: &identity,
            region: "eu-west-1",
            names: &names,
        })
    }

    fn actions(policy: &Value) -> Vec<String> {
        let statements = policy["Statement"].as_array().unwrap();
        let allowed = statements
            .iter()
            .filter(|statement| statement["Effect"] == "Allow");
        let actions = allowed.flat_map(|statement| statement["Action"].as_array().unwrap());
        actions
            .map(|action| action.as_str().unwrap().to_owned())
            .collect()
    }

    fn of(function: Function) -> Value {
        with_scope(|scope| scope.function_role(function, "abc123"))
    }

    #[test]
    fn no_function_may_create_its_log_group_or_use_a_wildcard_action() {
        for function in Function::ALL {
            let actions = actions(&of(function));
            assert!(
                actions.iter().all(|action| !action.contains('*')),
                "{function}"
            );
            assert!(!actions.iter().any(|action| action == "logs:CreateLogGroup"));
            assert!(actions.iter().any(|action| action == "logs:PutLogEvents"));
        }
    }

    #[test]
    fn disconnect_touches_nothing_but_the_cache() {
        let beyond = |action: &String| !action.starts_with("ec2:") && !action.starts_with("logs:");
        assert!(!actions(&of(Function::Disconnect)).iter().any(beyond));
    }

    #[test]
    fn posts_are_limited_to_this_api_and_stage() {
        let policy = of(Function::Broadcast).to_string();
        let connections = "arn:aws:execute-api:eu-west-1:123456789012:abc123/production/POST/@c";
        assert!(policy.contains(connections), "{policy}");
        assert!(policy.contains("arn:aws:sqs:eu-west-1:123456789012:requestQueue.fifo"));
        assert!(!policy.contains("place2InitializeQueue"));
    }

    #[test]
    fn initialize_may_let_newcomers_come_again_and_close_them() {
        let policy = of(Function::Initialize);
        assert!(actions(&policy).contains(&"sqs:ChangeMessageVisibility".to_owned()));
        let policy = policy.to_string();
        assert!(
            policy.contains("production/DELETE/@connections/*"),
            "{policy}"
        );
        assert!(!policy.contains("requestQueue"), "{policy}");
    }

    #[test]
    fn who_looks_for_clients_that_are_gone_may_ask_for_them_and_no_more() {
        for function in [Function::Connect, Function::Save] {
            let policy = of(function).to_string();
            assert!(policy.contains("production/GET/@connections/*"), "{policy}");
            assert!(
                !policy.contains("POST/@c") && !policy.contains("DELETE/@c"),
                "{policy}"
            );
        }
    }

    #[test]
    fn only_save_writes_to_the_tables() {
        for function in Function::ALL {
            let writes = actions(&of(function)).contains(&"dynamodb:BatchWriteItem".to_owned());
            assert_eq!(writes, function == Function::Save, "{function}");
        }
    }

    #[test]
    fn the_schedulers_role_serves_this_group_only() {
        let (trust, policy) = with_scope(|scope| (scope.scheduler_trust(), scope.scheduler()));
        let condition = &trust["Statement"][0]["Condition"]["StringEquals"];
        assert_eq!(
            condition["aws:SourceArn"],
            "arn:aws:scheduler:eu-west-1:123456789012:schedule-group/place"
        );
        let save = "arn:aws:lambda:eu-west-1:123456789012:function:save";
        assert_eq!(policy["Statement"][0]["Resource"][0], save);
    }

    #[test]
    fn documents_are_read_as_iam_encodes_them() {
        assert_eq!(
            parse("%7B%22a%22%3A%22b%20%25%22%7D"),
            Some(json!({ "a": "b %" }))
        );
        assert_eq!(parse("{\"a\":1}"), Some(json!({ "a": 1 })));
        assert_eq!(parse("%7"), None);
        assert_eq!(parse("%é"), None);
    }
}
