//! How a role's documents differ from what they should be, in words that an operator can use.

use serde_json::Value;

use crate::engine::outcome::Difference;

/// Attribute as differences name it: who may assume the role.
pub(super) const TRUST: &str = "AssumeRolePolicyDocument";

/// Attribute as differences name it: what the role may do.
pub(super) const PERMISSIONS: &str = "PolicyDocument";

/// How the document that says who may assume the role differs.
pub(super) fn of_trust(found: Option<&Value>, wanted: &Value) -> Option<Difference> {
    let text = || found.map_or_else(|| "none".to_owned(), Value::to_string);
    (found != Some(wanted)).then(|| Difference::new(TRUST, text(), wanted.to_string()))
}

/// How the policy differs: by actions where these differ. A policy that can't be known yet
/// (`wanted` is none) can't be right either.
pub(super) fn of_permissions(found: Option<&Value>, wanted: Option<&Value>) -> Option<Difference> {
    let Some(wanted) = wanted else {
        return Some(Difference::new(
            PERMISSIONS,
            "for another API",
            "for this API",
        ));
    };
    let Some(found) = found else {
        return Some(Difference::new(PERMISSIONS, "none", "as configured"));
    };
    if found == wanted {
        return None;
    }
    let (has, should) = (actions(found), actions(wanted));
    let (beyond, short) = (only(&has, &should), only(&should, &has));
    if beyond.is_empty() && short.is_empty() {
        let found = "other resources or conditions";
        return Some(Difference::new(PERMISSIONS, found, "as configured"));
    }
    Some(Difference::new(PERMISSIONS, also(&beyond), also(&short)))
}

fn also(actions: &[&str]) -> String {
    if actions.is_empty() {
        "no other action".to_owned()
    } else {
        format!("also {}", actions.join(", "))
    }
}

fn only<'a>(here: &[&'a str], there: &[&str]) -> Vec<&'a str> {
    let actions = here.iter().copied();
    actions.filter(|action| !there.contains(action)).collect()
}

/// Every action that a policy's statements allow.
fn actions(policy: &Value) -> Vec<&str> {
    let statements = policy["Statement"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let allowed = statements
        .iter()
        .filter(|statement| statement["Effect"] == "Allow");
    let actions = allowed.flat_map(|statement| match &statement["Action"] {
        Value::Array(actions) => actions.iter().filter_map(Value::as_str).collect(),
        action => Vec::from_iter(action.as_str()),
    });
    actions.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(actions: &Value, resource: &str) -> Value {
        json!({ "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": resource }] })
    }

    #[test]
    fn a_widened_policy_is_told_by_its_actions() {
        let wanted = policy(&json!(["sqs:SendMessage"]), "a");
        let of = |found: &Value| of_permissions(Some(found), Some(&wanted));
        let widened = of(&policy(&json!(["sqs:SendMessage", "sqs:*"]), "a")).unwrap();
        assert_eq!(
            (&*widened.found, &*widened.wanted),
            ("also sqs:*", "no other action")
        );
        let elsewhere = of(&policy(&json!("sqs:SendMessage"), "*")).unwrap();
        assert_eq!(elsewhere.found, "other resources or conditions");
        assert_eq!(of(&wanted), None);
    }

    #[test]
    fn a_missing_policy_or_an_unknown_api_is_a_difference() {
        let wanted = policy(&json!(["sqs:SendMessage"]), "a");
        assert_eq!(of_permissions(None, Some(&wanted)).unwrap().found, "none");
        assert!(of_permissions(Some(&wanted), None).is_some());
    }

    #[test]
    fn another_trust_is_shown_as_it_is() {
        let (wanted, other) = (json!({ "a": 1 }), json!({ "a": 2 }));
        assert_eq!(of_trust(Some(&wanted), &wanted), None);
        assert_eq!(of_trust(Some(&other), &wanted).unwrap().found, "{\"a\":2}");
    }
}
