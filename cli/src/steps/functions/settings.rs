//! The settings of a function: what it should have, and how what it has differs.

use std::collections::BTreeSet;

use aws_sdk_lambda::types::{FunctionConfiguration, LogFormat, LoggingConfig, VpcConfig};
use place_config::Function;

use crate::engine::Failure;
use crate::steps::drift::Drift;
use crate::steps::{Stack, keys};

/// Lambda demands a handler even of a runtime that has none.
pub(super) const HANDLER: &str = "bootstrap";

/// The name of the runtime, as Lambda answers it.
const RUNTIME: &str = "provided.al2023";

/// What a function should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// ARN of its role.
    pub(super) role: String,
    /// Time-out, in seconds.
    pub(super) timeout: i32,
    /// Memory, in MB.
    pub(super) memory: i32,
    log_group: String,
    subnets: Option<[String; 2]>,
    group: Option<String>,
}

impl Settings {
    /// What `function` should have, as far as it is known by now.
    pub(super) fn wanted(stack: &Stack, function: Function) -> Self {
        let functions = &stack.config.functions;
        Self {
            role: stack
                .aws
                .iam_arn(&format!("role/{}", stack.names.role(function))),
            timeout: signed(timeout(stack, function)),
            memory: signed(functions.memory_mb),
            log_group: stack.names.log_group(function),
            subnets: stack.found.private_subnet_ids(),
            group: stack.found.function_group.get(),
        }
    }

    /// The subnets and the security group; a failure while one of them does not exist.
    pub(super) fn vpc(&self) -> Result<VpcConfig, Failure> {
        let missing = |key: &crate::engine::ResourceKey| {
            Failure::new(format!("looking for `{key}`")).caused_by("the resource does not exist")
        };
        let [first, _] = &keys::PRIVATE_SUBNETS;
        let subnets = self.subnets.clone().ok_or_else(|| missing(first))?;
        let group = self
            .group
            .clone()
            .ok_or_else(|| missing(&keys::FUNCTION_GROUP))?;
        let config = VpcConfig::builder().set_subnet_ids(Some(subnets.into()));
        Ok(config.security_group_ids(group).build())
    }

    /// The place of a function that leaves the VPC.
    pub(super) fn no_network() -> VpcConfig {
        let none = Some(Vec::new());
        VpcConfig::builder()
            .set_subnet_ids(none.clone())
            .set_security_group_ids(none)
            .build()
    }

    /// Where it logs. `Text` leaves the handlers' own JSON lines as they are.
    pub(super) fn logging(&self) -> LoggingConfig {
        LoggingConfig::builder()
            .log_format(LogFormat::Text)
            .log_group(&self.log_group)
            .build()
    }

    /// Notes every difference.
    pub(super) fn compare(&self, found: &FunctionConfiguration, drift: &mut Drift) {
        let text = |value: Option<&str>| value.unwrap_or("none").to_owned();
        let number = |value: Option<i32>| value.unwrap_or_default();
        drift.compare("Role", text(found.role.as_deref()), &self.role);
        drift.compare("Timeout", number(found.timeout), self.timeout);
        drift.compare("MemorySize", number(found.memory_size), self.memory);
        drift.compare("Handler", text(found.handler.as_deref()), HANDLER);
        let runtime = found
            .runtime
            .as_ref()
            .map(aws_sdk_lambda::types::Runtime::as_str);
        drift.compare("Runtime", text(runtime), RUNTIME);
        // Lambda's own default, where none is answered.
        let logging = found.logging_config.as_ref();
        let group = logging.and_then(LoggingConfig::log_group).map_or_else(
            || format!("/aws/lambda/{}", found.function_name().unwrap_or_default()),
            str::to_owned,
        );
        drift.compare("LogGroup", group, &self.log_group);
        self.compare_network(found, drift);
    }

    fn compare_network(&self, found: &FunctionConfiguration, drift: &mut Drift) {
        let vpc = found.vpc_config.as_ref();
        let subnets = vpc.map(|vpc| list(vpc.subnet_ids())).unwrap_or_default();
        let groups = vpc
            .map(|vpc| list(vpc.security_group_ids()))
            .unwrap_or_default();
        let unknown = || "not created yet".to_owned();
        let wanted = self
            .subnets
            .as_ref()
            .map_or_else(unknown, |subnets| list(subnets));
        drift.compare("SubnetIds", subnets, wanted);
        let wanted = self.group.clone().unwrap_or_else(unknown);
        drift.compare("SecurityGroupIds", groups, wanted);
    }
}

/// Time-out of a function, in seconds.
pub(crate) fn timeout(stack: &Stack, function: Function) -> u32 {
    let functions = &stack.config.functions;
    match function {
        Function::Connect | Function::Disconnect | Function::SendMessage | Function::Page => {
            functions.route_timeout_s
        }
        Function::Broadcast => functions.broadcast_timeout_s,
        Function::Initialize => functions.initialize_timeout_s,
        // The operator waits for both, and paging through ten thousand clients takes its time.
        Function::Save | Function::Admin => functions.save_timeout_s,
    }
}

/// Ids in one order, whatever order AWS answers them in.
fn list(ids: &[String]) -> String {
    let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    ids.into_iter().collect::<Vec<_>>().join(", ")
}

fn signed(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use aws_sdk_lambda::types::{Runtime, VpcConfigResponse};

    use super::*;

    fn settings() -> Settings {
        Settings {
            role: "arn:role".to_owned(),
            timeout: 15,
            memory: 512,
            log_group: "/aws/lambda/save".to_owned(),
            subnets: Some(["subnet-b".to_owned(), "subnet-a".to_owned()]),
            group: Some("sg-1".to_owned()),
        }
    }

    fn as_configured() -> FunctionConfiguration {
        let subnets = vec!["subnet-a".to_owned(), "subnet-b".to_owned()];
        let vpc = VpcConfigResponse::builder().set_subnet_ids(Some(subnets));
        FunctionConfiguration::builder()
            .role("arn:role")
            .timeout(15)
            .memory_size(512)
            .handler(HANDLER)
            .runtime(Runtime::Providedal2023)
            .vpc_config(vpc.security_group_ids("sg-1").build())
            .logging_config(settings().logging())
            .build()
    }

    fn drift_of(found: &FunctionConfiguration) -> Drift {
        let mut drift = Drift::default();
        settings().compare(found, &mut drift);
        drift
    }

    #[test]
    fn the_order_of_subnets_does_not_matter() {
        assert_eq!(drift_of(&as_configured()), Drift::default());
    }

    #[test]
    fn a_function_logs_to_lambdas_own_group_where_none_is_said() {
        let mut found = as_configured();
        (found.logging_config, found.function_name) = (None, Some("save".to_owned()));
        assert_eq!(drift_of(&found), Drift::default());
    }

    #[test]
    fn every_setting_is_compared() {
        let mut found = as_configured();
        (found.timeout, found.memory_size) = (Some(3), Some(128));
        (found.role, found.handler) = (None, Some("other".to_owned()));
        found.vpc_config = None;
        found.logging_config = Some(LoggingConfig::builder().log_group("/other").build());
        found.runtime = Some(Runtime::from("provided.al2"));
        let drift = drift_of(&found);
        let all = [
            "Role",
            "Timeout",
            "MemorySize",
            "Handler",
            "Runtime",
            "LogGroup",
        ];
        for attribute in all.into_iter().chain(["SubnetIds", "SecurityGroupIds"]) {
            assert!(drift.has(attribute), "{attribute}");
        }
    }

    #[test]
    fn a_place_that_is_not_there_yet_is_no_place() {
        let homeless = Settings {
            subnets: None,
            ..settings()
        };
        assert!(homeless.vpc().is_err());
        assert!(settings().vpc().is_ok());
    }
}
