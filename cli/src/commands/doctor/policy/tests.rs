//! What the policy allows, and that IAM takes it.

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum;
use place_config::StackConfig;
use place_config::stack::{RedisMode, VpcMode};

use super::conditions::SERVICES;
use super::part::MANAGED;
use super::*;

fn with_scope<T>(config: &StackConfig, look: impl FnOnce(Scope<'_>) -> T) -> T {
    // The longest that a region is called.
    let region = "ap-southeast-2";
    let identity = Identity {
        account: "123456789012".to_owned(),
        partition: "aws".to_owned(),
        arn: "arn:aws:sts::123456789012:assumed-role/Admin/ann".to_owned(),
    };
    look(Scope {
        identity: &identity,
        region,
        names: &Names::new(config, region),
        config,
    })
}

fn whole(config: &StackConfig) -> Value {
    with_scope(config, |scope| document(scope, Part::All))
}

fn allowed(config: &StackConfig) -> BTreeSet<&'static str> {
    let statements = with_scope(config, statements);
    statements
        .into_iter()
        .flat_map(|statement| statement.actions)
        .collect()
}

fn configurations() -> Vec<StackConfig> {
    let mut all = Vec::new();
    for mode in [RedisMode::Serverless, RedisMode::ReplicationGroup] {
        for vpc in [VpcMode::Default, VpcMode::Dedicated] {
            let mut config = StackConfig::default();
            (config.redis.mode, config.vpc.mode) = (mode, vpc);
            all.push(config);
        }
    }
    all
}

#[test]
fn what_every_operation_needs_is_allowed_in_one_configuration_or_another() {
    let all: BTreeSet<&str> = configurations().iter().flat_map(|c| allowed(c)).collect();
    let missing: Vec<&str> = operations()
        .flat_map(needed)
        .filter(|action| !all.contains(action))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn nothing_is_allowed_that_no_operation_needs() {
    let needed: BTreeSet<&str> = operations().flat_map(needed).collect();
    for config in configurations() {
        let more: Vec<_> = allowed(&config).difference(&needed).copied().collect();
        assert_eq!(more, Vec::<&str>::new());
    }
}

#[test]
fn a_configuration_is_allowed_no_more_than_itself() {
    let config = StackConfig::default();
    let allowed = allowed(&config);
    assert!(allowed.contains("elasticache:CreateServerlessCache"));
    for other in ["ec2:DeleteVpc", "elasticache:CreateReplicationGroup"] {
        assert!(!allowed.contains(other), "{other}");
    }
}

fn length(config: &StackConfig, part: Part) -> usize {
    with_scope(config, |scope| document(scope, part))
        .to_string()
        .len()
}

#[test]
fn each_part_fits_a_managed_policy() {
    for mut config in configurations() {
        config.stack = "twenty-letters-all-o".to_owned();
        assert_eq!(config.check(), Vec::new());
        for part in [Part::Infrastructure, Part::Functions, Part::Roles] {
            let length = length(&config, part);
            assert!(length <= MANAGED, "{part:?}: {length}");
        }
    }
}

#[test]
fn each_statement_is_in_one_of_the_three_parts() {
    for config in configurations() {
        let of = |part| {
            let document = with_scope(&config, |scope| document(scope, part));
            document["Statement"].as_array().unwrap().clone()
        };
        let parts = [Part::Infrastructure, Part::Functions, Part::Roles];
        assert_eq!(parts.map(of).concat(), of(Part::All));
    }
    assert_eq!(Part::value_variants().len(), 4);
}

#[test]
fn what_does_not_fit_is_not_recommended() {
    let short = json!({});
    assert!(Part::Functions.advice(&short).contains("create-policy"));
    let long = Value::String("x".repeat(MANAGED * 2));
    for part in Part::value_variants() {
        assert!(part.advice(&long).contains("too long"), "{part:?}");
    }
}

#[test]
fn what_can_be_named_is_named() {
    let document = whole(&StackConfig::default());
    let statements = document["Statement"].as_array().unwrap();
    let of = |action: &str| {
        let with = |s: &&Value| s["Action"].as_array().unwrap().contains(&json!(action));
        statements.iter().find(with).unwrap()
    };
    let wide = |action: &str| of(action)["Resource"] == json!(["*"]);
    for action in [
        "dynamodb:DeleteTable",
        "iam:PutRolePolicy",
        "sqs:DeleteQueue",
    ] {
        assert!(!wide(action), "{action}");
    }
    let pass = &of("iam:PassRole")["Condition"]["StringEquals"];
    assert_eq!(pass["iam:PassedToService"], json!(SERVICES));
}

#[test]
fn a_schedule_group_is_deleted_with_every_schedule_in_it() {
    let statements = with_scope(&StackConfig::default(), statements);
    let deletes = |s: &&Statement| s.actions.contains(&"scheduler:DeleteSchedule");
    let statement = statements.iter().find(deletes).unwrap();
    let arn = |of: &str| format!("arn:aws:scheduler:ap-southeast-2:123456789012:{of}");
    assert_eq!(
        statement.resources,
        [arn("schedule/place/*"), arn("schedule-group/place")]
    );
}

#[test]
fn a_session_is_asked_about_as_its_role() {
    let caller = with_scope(&StackConfig::default(), |scope| scope.caller());
    assert_eq!(caller, "arn:aws:iam::123456789012:role/Admin");
    let policy = whole(&StackConfig::default()).to_string();
    assert!(policy.contains("role/*/Admin"), "{policy}");
}

/// The keys and values of a request.
type Request<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// `*` at the end stands for anything, as in every pattern of the policy.
fn like(value: &str, pattern: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(value == pattern, |start| value.starts_with(start))
}

/// IAM's rules for conditions, as far as the policy uses them.
fn holds((operator, key, wanted): &Condition, request: &Request<'_>) -> bool {
    let given = request.get(key.as_str());
    let each = |value: &&&str| wanted.iter().any(|wanted| like(value, wanted));
    match *operator {
        "Null" => (wanted == &["true"]) == given.is_none(),
        "ForAllValues:StringLike" => given.is_none_or(|values| values.iter().all(|v| each(&v))),
        "StringLike" | "ArnEquals" => given.is_some_and(|values| each(&&values[0])),
        "StringEquals" => given.is_some_and(|values| wanted.iter().any(|w| w == values[0])),
        other => panic!("`{other}` is not known here"),
    }
}

/// Whether the policy of the default configuration allows `action` on something of EC2 that can't
/// be named.
fn allows(action: &str, request: &[(&'static str, &'static str)]) -> bool {
    let mut keys: Request<'_> = BTreeMap::new();
    for (key, value) in request {
        keys.entry(key).or_default().push(value);
    }
    let statements = with_scope(&StackConfig::default(), statements);
    statements.iter().any(|statement| {
        statement.actions.contains(&action)
            && statement.resources == ["*"]
            && statement.conditions.iter().all(|c| holds(c, &keys))
    })
}

const OURS: (&str, &str) = ("aws:ResourceTag/place:stack", "place");
const THEIRS: (&str, &str) = ("aws:ResourceTag/place:stack", "place2");
const RESOURCE: (&str, &str) = ("aws:ResourceTag/place:resource", "nat-gateway");
const NAMED: (&str, &str) = ("aws:ResourceTag/Name", "place-nat-gateway");
const CLAIM: (&str, &str) = ("aws:RequestTag/place:stack", "place");
const KEY: (&str, &str) = ("aws:TagKeys", "place:stack");

#[test]
fn a_lost_tag_is_put_back_and_what_lost_it_removed() {
    assert!(allows("ec2:CreateTags", &[RESOURCE, NAMED, CLAIM, KEY]));
    assert!(allows("ec2:DeleteNatGateway", &[RESOURCE, NAMED]));
    let other = ("aws:TagKeys", "place:resource");
    assert!(allows("ec2:CreateTags", &[OURS, NAMED, CLAIM, KEY, other]));
    let restore = ("aws:TagKeys", "place:restore:subnet-1");
    assert!(allows("ec2:CreateTags", &[OURS, restore]));
}

#[test]
fn nobody_elses_thing_is_tagged_or_removed() {
    for tags in [
        &[][..],
        &[NAMED],
        &[RESOURCE],
        &[THEIRS, RESOURCE, NAMED],
        &[RESOURCE, ("aws:ResourceTag/Name", "shop-nat-gateway")],
    ] {
        assert!(!allows("ec2:DeleteNatGateway", tags), "{tags:?}");
        let tagging = [tags, &[CLAIM, KEY]].concat();
        assert!(!allows("ec2:CreateTags", &tagging), "{tags:?}");
    }
}

#[test]
fn tags_are_written_with_what_is_made_and_are_ours() {
    let making = ("ec2:CreateAction", "CreateNatGateway");
    assert!(allows("ec2:CreateTags", &[making, CLAIM, KEY]));
    let theirs = ("aws:RequestTag/place:stack", "place2");
    assert!(!allows("ec2:CreateTags", &[making, theirs, KEY]));
    assert!(!allows("ec2:CreateTags", &[making, KEY]));
    let instance = ("ec2:CreateAction", "RunInstances");
    assert!(!allows("ec2:CreateTags", &[instance, CLAIM, KEY]));
    let owner = ("aws:TagKeys", "owner");
    assert!(!allows("ec2:CreateTags", &[OURS, owner]));
}

#[test]
fn a_rule_is_let_in_on_our_groups_only() {
    const ACTION: &str = "ec2:AuthorizeSecurityGroupIngress";
    assert!(allows(ACTION, &[OURS]));
    assert!(!allows(ACTION, &[CLAIM]));
    let statements = with_scope(&StackConfig::default(), statements);
    let rules = statements.iter().find(|s| s.place == Place::Rules).unwrap();
    // The rule itself is asked about too, and has no tags yet.
    assert!(rules.resources[0].ends_with(":security-group-rule/*"));
    assert_eq!(rules.conditions, Vec::new());
}
