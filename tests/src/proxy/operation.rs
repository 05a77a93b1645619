//! Which AWS operation a request is: each protocol says it in another place.

use std::fmt;

use hyper::Method;
use hyper::header::HeaderMap;

/// An operation of a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Operation {
    service: String,
    name: String,
}

impl Operation {
    /// The operation `name` of `service`.
    pub fn new(service: &str, name: &str) -> Self {
        Self {
            service: service.to_owned(),
            name: name.to_owned(),
        }
    }

    /// What the request asks for. A request that no rule knows is called by its method and path.
    pub(super) fn of(method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let service = signed_for(headers).unwrap_or("unsigned");
        let name = from_target(headers)
            .or_else(|| from_form(headers, body))
            .or_else(|| from_path(service, method, path))
            .unwrap_or_else(|| format!("{method} {path}"));
        Self::new(service, &name)
    }

    /// The service, as requests are signed for it: `ec2`, `apigateway`, `lambda`.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// AWS's name of the operation.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it can't change anything.
    pub fn reads_only(&self) -> bool {
        const READING: [&str; 7] = [
            "Describe", "Get", "List", "BatchGet", "Query", "Scan", "Head",
        ];
        READING.iter().any(|verb| self.name.starts_with(verb))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}

/// The service in the signature's scope: `Credential=id/date/region/service/aws4_request`.
fn signed_for(headers: &HeaderMap) -> Option<&str> {
    let signature = headers.get("authorization")?.to_str().ok()?;
    let scope = signature.split_once("Credential=")?.1.split(',').next()?;
    scope.split('/').nth(3)
}

/// The JSON protocols: `X-Amz-Target: DynamoDB_20120810.CreateTable`.
fn from_target(headers: &HeaderMap) -> Option<String> {
    let target = headers.get("x-amz-target")?.to_str().ok()?;
    target.rsplit('.').next().map(str::to_owned)
}

/// The query protocols: a form with `Action=CreateNatGateway`.
fn from_form(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let kind = headers.get("content-type")?.to_str().ok()?;
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return None;
    }
    let form = std::str::from_utf8(body).ok()?;
    form.split('&')
        .find_map(|pair| pair.strip_prefix("Action="))
        .map(str::to_owned)
}

/// The REST protocols: method and path.
fn from_path(service: &str, method: &Method, path: &str) -> Option<String> {
    let path = path.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    match service {
        "lambda" => of_lambda(method, segments.get(1..)?),
        "apigateway" => of_api_gateway(method, segments.get(1..)?),
        "scheduler" => of_scheduler(method, &segments),
        _ => None,
    }
}

/// Paths after the version (`/2015-03-31`).
fn of_lambda(method: &Method, segments: &[&str]) -> Option<String> {
    let name = match (method.as_str(), segments) {
        ("POST", ["functions"]) => "CreateFunction",
        ("GET", ["functions"]) => "ListFunctions",
        ("GET", ["functions", _]) => "GetFunction",
        ("DELETE", ["functions", _]) => "DeleteFunction",
        ("PUT", ["functions", _, "code"]) => "UpdateFunctionCode",
        ("GET", ["functions", _, "configuration"]) => "GetFunctionConfiguration",
        ("PUT", ["functions", _, "configuration"]) => "UpdateFunctionConfiguration",
        ("PUT", ["functions", _, "concurrency"]) => "PutFunctionConcurrency",
        ("DELETE", ["functions", _, "concurrency"]) => "DeleteFunctionConcurrency",
        ("GET", ["functions", _, "recursion-config"]) => "GetFunctionRecursionConfig",
        ("PUT", ["functions", _, "recursion-config"]) => "PutFunctionRecursionConfig",
        ("GET", ["functions", _, "event-invoke-config"]) => "GetFunctionEventInvokeConfig",
        ("PUT", ["functions", _, "event-invoke-config"]) => "PutFunctionEventInvokeConfig",
        ("POST", ["functions", _, "url"]) => "CreateFunctionUrlConfig",
        ("GET", ["functions", _, "url"]) => "GetFunctionUrlConfig",
        ("PUT", ["functions", _, "url"]) => "UpdateFunctionUrlConfig",
        ("DELETE", ["functions", _, "url"]) => "DeleteFunctionUrlConfig",
        ("GET", ["functions", _, "policy"]) => "GetPolicy",
        ("POST", ["functions", _, "policy"]) => "AddPermission",
        ("DELETE", ["functions", _, "policy", _]) => "RemovePermission",
        ("POST", ["functions", _, "invocations"]) => "Invoke",
        ("POST", ["event-source-mappings"]) => "CreateEventSourceMapping",
        ("GET", ["event-source-mappings"]) => "ListEventSourceMappings",
        ("GET", ["event-source-mappings", _]) => "GetEventSourceMapping",
        ("PUT", ["event-source-mappings", _]) => "UpdateEventSourceMapping",
        ("DELETE", ["event-source-mappings", _]) => "DeleteEventSourceMapping",
        ("GET", ["account-settings"]) => "GetAccountSettings",
        (_, ["tags", ..]) => return of_tags(method, "ListTags"),
        _ => return None,
    };
    Some(name.to_owned())
}

/// Paths after the version (`/v2`): collections within collections.
fn of_api_gateway(method: &Method, segments: &[&str]) -> Option<String> {
    if segments.first() == Some(&"tags") {
        return of_tags(method, "GetTags");
    }
    let collections: Vec<&&str> = segments.iter().step_by(2).collect();
    let plural = match **collections.last()? {
        "apis" => "Apis",
        "routes" => "Routes",
        "integrations" => "Integrations",
        "deployments" => "Deployments",
        "stages" => "Stages",
        _ => return None,
    };
    let one = plural.trim_end_matches('s');
    let whole_collection = segments.len() % 2 == 1;
    Some(match method.as_str() {
        "POST" => format!("Create{one}"),
        "GET" if whole_collection => format!("Get{plural}"),
        "GET" => format!("Get{one}"),
        "PATCH" => format!("Update{one}"),
        "DELETE" => format!("Delete{one}"),
        _ => return None,
    })
}

fn of_scheduler(method: &Method, segments: &[&str]) -> Option<String> {
    let thing = match *segments.first()? {
        "schedules" => "Schedule",
        "schedule-groups" => "ScheduleGroup",
        "tags" => return of_tags(method, "ListTagsForResource"),
        _ => return None,
    };
    Some(match (method.as_str(), segments.len()) {
        ("GET", 1) => format!("List{thing}s"),
        ("GET", _) => format!("Get{thing}"),
        ("POST", _) => format!("Create{thing}"),
        ("PUT", _) => format!("Update{thing}"),
        ("DELETE", _) => format!("Delete{thing}"),
        _ => return None,
    })
}

fn of_tags(method: &Method, list: &str) -> Option<String> {
    let name = match method.as_str() {
        "GET" => list,
        "POST" => "TagResource",
        "DELETE" => "UntagResource",
        _ => return None,
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(service: &str, headers: &[(&'static str, &str)], request: (&str, &str)) -> String {
        let mut all = HeaderMap::new();
        let scope = format!("AWS4-HMAC-SHA256 Credential=id/20260101/r/{service}/aws4_request, S=");
        all.insert("authorization", scope.parse().unwrap());
        for (name, value) in headers {
            all.insert(*name, value.parse().unwrap());
        }
        let method = Method::from_bytes(request.0.as_bytes()).unwrap();
        let body = b"Version=2016-11-15&Action=CreateNatGateway&SubnetId=subnet-1";
        Operation::of(&method, request.1, &all, body).to_string()
    }

    #[test]
    fn each_protocol_names_its_operation() {
        let target = [("x-amz-target", "DynamoDB_20120810.CreateTable")];
        assert_eq!(
            named("dynamodb", &target, ("POST", "/")),
            "dynamodb:CreateTable"
        );
        let form = [("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(named("ec2", &form, ("POST", "/")), "ec2:CreateNatGateway");
    }

    #[test]
    fn rest_operations_are_known_by_method_and_path() {
        for (service, method, path, operation) in [
            ("lambda", "POST", "/2015-03-31/functions", "CreateFunction"),
            (
                "lambda",
                "GET",
                "/2015-03-31/functions/?MaxItems=50",
                "ListFunctions",
            ),
            (
                "lambda",
                "PUT",
                "/2015-03-31/functions/save/code",
                "UpdateFunctionCode",
            ),
            (
                "lambda",
                "DELETE",
                "/2015-03-31/functions/save/policy/s",
                "RemovePermission",
            ),
            (
                "lambda",
                "POST",
                "/2017-03-31/tags/arn%3Aaws",
                "TagResource",
            ),
            ("apigateway", "GET", "/v2/apis", "GetApis"),
            ("apigateway", "GET", "/v2/apis/a1", "GetApi"),
            ("apigateway", "POST", "/v2/apis/a1/routes", "CreateRoute"),
            (
                "apigateway",
                "PATCH",
                "/v2/apis/a1/stages/production",
                "UpdateStage",
            ),
            (
                "apigateway",
                "GET",
                "/v2/apis/a1/integrations",
                "GetIntegrations",
            ),
            (
                "scheduler",
                "POST",
                "/schedule-groups/place",
                "CreateScheduleGroup",
            ),
            (
                "scheduler",
                "PUT",
                "/schedules/place-save",
                "UpdateSchedule",
            ),
            ("scheduler", "GET", "/schedules", "ListSchedules"),
            ("lambda", "GET", "/unheard/of", "GET /unheard/of"),
        ] {
            let name = format!("{service}:{operation}");
            assert_eq!(named(service, &[], (method, path)), name);
        }
    }

    #[test]
    fn only_known_reading_verbs_count_as_reading() {
        assert!(Operation::new("ec2", "DescribeVpcs").reads_only());
        assert!(!Operation::new("ec2", "CreateTags").reads_only());
        assert!(!Operation::new("lambda", "POST /new/thing").reads_only());
    }
}
