//! Lambda's functions at their own pace.

use super::super::functions::invoke;
use super::super::keys;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_function_waits_for_its_role_and_then_for_its_network_interfaces() {
    let young = "The role defined for the function cannot be assumed by Lambda.";
    let young = error("InvalidParameterValueException", young);
    let no_interfaces = "The provided execution role does not have permissions to call \
                         CreateNetworkInterface on EC2";
    let no_interfaces = error("InvalidParameterValueException", no_interfaces);
    let no_grant = "Lambda was unable to configure access to your environment variables because \
                    the KMS key is invalid for CreateGrant. Please check your KMS key settings.";
    let no_grant = error("InvalidParameterValueException", no_grant);
    let create = "POST /2015-03-31/functions";
    let look = format!("GET {FUNCTION}/configuration");
    let script = Script::default()
        .answer(create, 400, &young)
        .answer(create, 400, &no_grant)
        .answer(create, 400, &no_interfaces)
        .answer(create, 201, &function("Pending", "InProgress"))
        .answer(&look, 200, &function("Pending", "InProgress"))
        .answer(&look, 200, &function("Active", "InProgress"))
        .answer(&look, 200, &function("Active", "Successful"));
    let (_binaries, stack) = with_binaries(&script);
    ensure(&stack, "function:save", Observed::Absent)
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
    assert!(
        stack
            .found
            .functions
            .get(Function::Save)
            .unwrap()
            .ends_with(":function:save")
    );
}

#[tokio::test(start_paused = true)]
async fn a_function_that_failed_says_why_and_is_made_anew() {
    let look = format!("GET {FUNCTION}");
    let script = Script::default().answer(
        &look,
        200,
        &described("Failed", &tags("function:save")).to_string(),
    );
    let observed = resource(&script.stack(), "function:save")
        .observe()
        .await
        .unwrap();
    let reason = "SubnetOutOfIPAddresses: no address left".to_owned();
    assert_eq!(
        observed,
        Observed::Broken {
            id: "save".to_owned(),
            reason
        }
    );

    let settled = format!("GET {FUNCTION}/configuration");
    let script = Script::default()
        .answer(&settled, 200, &function("Failed", "Successful"))
        .answer(
            &look,
            200,
            &described("Failed", &tags("function:save")).to_string(),
        )
        .answer(&format!("DELETE {FUNCTION}"), 204, "")
        .answer(&settled, 404, &error("ResourceNotFoundException", "gone"))
        .answer(
            "POST /2015-03-31/functions",
            201,
            &function("Pending", "InProgress"),
        )
        .answer(&settled, 200, &function("Active", "Successful"));
    let (_binaries, stack) = with_binaries(&script);
    ensure(&stack, "function:save", observed).await.unwrap();
    assert_eq!(script.left(), 0);
}

/// The function of the default configuration, with nothing about its code.
pub(super) fn as_configured(state: &str) -> serde_json::Value {
    let defaults = StackConfig::default().functions;
    let mut function = described(state, &tags("function:save"));
    let settings = json!({
        "Role": "arn:aws:iam::123456789012:role/place-eu-west-1-save",
        "Timeout": defaults.save_timeout_s, "MemorySize": defaults.memory_mb,
        "Runtime": "provided.al2023", "Handler": "bootstrap",
    });
    let configuration = function["Configuration"].as_object_mut().unwrap();
    configuration.extend(settings.as_object().unwrap().clone());
    function
}

pub(super) const NO_RETRIES: &str = r#"{"MaximumRetryAttempts":0,"MaximumEventAgeInSeconds":60}"#;

/// The console's "Throttle" reserves nothing at all, and then no call comes through.
#[tokio::test(start_paused = true)]
async fn a_throttled_function_is_drift_and_let_go() {
    let look = format!("GET {FUNCTION}");
    let release = "DELETE /2017-10-31/functions/save/concurrency";
    let mut throttled = as_configured("Active");
    throttled["Concurrency"] = json!({ "ReservedConcurrentExecutions": 0 });
    let script = Script::default()
        .answer(&look, 200, &throttled.to_string())
        .answer(&look, 200, &throttled.to_string())
        .always(
            &format!("GET {FUNCTION}/configuration"),
            200,
            &function("Active", "Successful"),
        )
        .always(&format!("GET {RETRIES}"), 200, NO_RETRIES)
        .always(&format!("GET {FUNCTION}/policy"), 404, &no_policy())
        .answer(release, 204, "");
    let stack = script.stack();
    with_network(&stack);
    let observed = resource(&stack, "function:save").observe().await.unwrap();
    let detail = observed.detail().unwrap();
    assert!(detail.contains("ReservedConcurrentExecutions"), "{detail}");
    ensure(&stack, "function:save", observed).await.unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_inactive_function_is_neither_broken_nor_on_its_way() {
    let mut inactive = as_configured("Inactive");
    inactive["Configuration"]["StateReasonCode"] = "Idle".into();
    inactive["Configuration"]["StateReason"] = "The function is idle".into();
    let script = Script::default()
        .answer(&format!("GET {FUNCTION}"), 200, &inactive.to_string())
        .answer(&format!("GET {RETRIES}"), 200, NO_RETRIES)
        .answer(&format!("GET {FUNCTION}/policy"), 404, &no_policy());
    let stack = script.stack();
    with_network(&stack);
    let observed = resource(&stack, "function:save").observe().await.unwrap();
    let note =
        "Inactive: Idle: The function is idle; the next call fails and reactivates the function"
            .to_owned();
    let wanted = Observed::ready("save").remark(Some(note));
    assert_eq!(observed, wanted);
}

/// Lambda refuses the call that wakes it, and all others until it is awake.
#[tokio::test(start_paused = true)]
async fn a_call_that_finds_a_function_asleep_says_that_it_wakes() {
    let call = "POST /2015-03-31/functions/placev2admin/invocations";
    for (status, code) in [
        (502, "ResourceNotReadyException"),
        (409, "ResourceConflictException"),
    ] {
        let script = Script::default().always(call, status, &error(code, "not now"));
        let called = invoke(&script.stack(), Function::Admin, &json!({})).await;
        let failure = called.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Incomplete, "{code}");
        let hint = failure.hint.unwrap();
        assert!(hint.contains("again in two minutes"), "{code}: {hint}");
    }
}

#[tokio::test(start_paused = true)]
async fn whom_a_function_without_a_route_lets_in_is_said_and_kept_out() {
    let policy = json!({ "Statement": [{ "Sid": "anybody", "Principal": "*" }] });
    let policy = json!({ "Policy": policy.to_string() }).to_string();
    let save = described("Active", &tags("function:save")).to_string();
    let configuration = format!("{FUNCTION}/configuration");
    let script = Script::default()
        .always(&format!("GET {FUNCTION}"), 200, &save)
        .always(&format!("GET {FUNCTION}/policy"), 200, &policy)
        .always(&format!("GET {RETRIES}"), 404, &no_policy())
        .always(
            &format!("GET {configuration}"),
            200,
            &function("Active", "Successful"),
        )
        .answer(&format!("PUT {configuration}"), 200, "{}")
        .answer(&format!("DELETE {FUNCTION}/policy/anybody"), 204, "");
    let script = script.always(&format!("PUT {RETRIES}"), 200, "{}");
    let stack = script.stack();
    with_network(&stack);
    let observed = resource(&stack, "function:save").observe().await.unwrap();
    let detail = observed.detail().unwrap();
    let wanted = "OtherStatements is anybody, should be none";
    assert!(detail.contains(wanted), "{detail}");
    ensure(&stack, "function:save", observed).await.unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_function_of_somebody_else_that_comes_up_in_the_create_is_not_touched() {
    let look = format!("GET {FUNCTION}");
    let exists = error("ResourceConflictException", "Function already exist: save");
    let theirs = described("Active", &json!({ "place:stack": "place2" })).to_string();
    let script = Script::default()
        .answer("POST /2015-03-31/functions", 409, &exists)
        .answer(
            &format!("{look}/configuration"),
            200,
            &function("Active", "Successful"),
        )
        .answer(&look, 200, &theirs);
    let (_binaries, stack) = with_binaries(&script);
    let failure = ensure(&stack, "function:save", Observed::Absent)
        .await
        .unwrap_err();
    assert!(failure.hint.unwrap().contains("--adopt"));
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_function_leaves_the_vpc_before_it_goes() {
    let configuration = format!("{FUNCTION}/configuration");
    let busy = error(
        "ResourceConflictException",
        "The operation cannot be performed at this time",
    );
    let script = Script::default()
        .answer(
            &format!("GET {FUNCTION}"),
            200,
            &described("Active", &tags("function:save")).to_string(),
        )
        .answer(&format!("PUT {configuration}"), 409, &busy)
        .answer(
            &format!("PUT {configuration}"),
            200,
            &function("Active", "InProgress"),
        )
        .answer(
            &format!("GET {configuration}"),
            200,
            &function("Active", "InProgress"),
        )
        .answer(
            &format!("GET {configuration}"),
            200,
            &function("Active", "Successful"),
        )
        .answer(&format!("DELETE {FUNCTION}"), 204, "")
        .answer(
            &format!("GET {configuration}"),
            404,
            &error("ResourceNotFoundException", "gone"),
        );
    let stack = script.stack();
    resource(&stack, "function:save")
        .remove(&unwatched())
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
    let asked = script.asked();
    let place = |operation: String| asked.iter().position(|asked| *asked == operation).unwrap();
    assert!(place(format!("PUT {configuration}")) < place(format!("DELETE {FUNCTION}")));
}

/// Leaving the VPC only saves time: a look that fails, or an update without an end, says nothing
/// about the deletion.
#[tokio::test(start_paused = true)]
async fn a_function_that_is_not_seen_to_leave_the_vpc_goes_all_the_same() {
    let configuration = format!("{FUNCTION}/configuration");
    let look = format!("GET {configuration}");
    let updating = function("Active", "InProgress");
    let denied = error("AccessDeniedException", "not authorized");
    let gone = error("ResourceNotFoundException", "gone");
    let script = || {
        let save = described("Active", &tags("function:save")).to_string();
        Script::default()
            .answer(&format!("GET {FUNCTION}"), 200, &save)
            .answer(&format!("PUT {configuration}"), 200, &updating)
            .answer(&format!("DELETE {FUNCTION}"), 204, "")
    };
    let unseen = script()
        .answer(&look, 403, &denied)
        .always(&look, 404, &gone);
    let endless = script().always(&look, 200, &updating);
    for (script, is_gone) in [(unseen, true), (endless, false)] {
        let stack = script.stack();
        let removed = resource(&stack, "function:save").remove(&unwatched()).await;
        assert_eq!(removed.is_ok(), is_gone, "{removed:?}");
        assert_eq!(script.left(), 0);
    }
}

#[test]
fn a_role_goes_after_the_network_interfaces_that_lambda_deletes_with_it() {
    let stack = Script::default().stack();
    for function in Function::ALL {
        let after = resource(&stack, &format!("role:{function}")).removed_after();
        let after = after.unwrap();
        assert!(after.contains(&keys::INTERFACES), "{function}: {after:?}");
    }
    let interfaces = resource(&stack, keys::INTERFACES.as_str()).removed_after();
    assert_eq!(interfaces.unwrap(), Function::ALL.map(keys::function));
}
