//! Whether the region and its network have what a stack needs: zones, a VPC with a way out, subnets.

use place_config::stack::VpcMode;

use super::{Check, State};
use crate::engine::{Look, Observed, ResourceKey, Survey};
use crate::steps::{self, Stack, keys};
use crate::ui::words;

/// Availability zones that a stack needs.
const ZONES: usize = 3;

/// The option that leaves the default VPC unchanged.
const DEDICATED: &str = "or set `vpc.mode = \"dedicated\"` for a VPC used by this stack only";

/// What is checked here, and nowhere else.
pub(super) fn checked() -> [ResourceKey; 4] {
    let [first, second] = keys::PRIVATE_SUBNETS;
    [keys::VPC, keys::PUBLIC_SUBNET, first, second]
}

/// The region, the VPC and the subnets.
pub(super) async fn check(stack: &Stack, survey: &Survey) -> Vec<Check> {
    let default = stack.config.vpc.mode == VpcMode::Default;
    vec![
        region(stack).await,
        if default {
            default_vpc(survey)
        } else {
            own_vpc(stack, survey)
        },
        subnets(survey, default),
    ]
}

async fn region(stack: &Stack) -> Check {
    const NAME: &str = "region";
    let region = &stack.aws.region;
    let zones = match steps::vpc::zones(stack).await {
        Ok(zones) => zones,
        Err(error) => {
            return Check::new(NAME, State::Unknown, format!("`{region}`: {error}"))
                .hint("the region may not be enabled for the account");
        }
    };
    let count = words::count(zones.len() as u64, "availability zone");
    let detail = format!("`{region}` has {count}: {}", zones.join(", "));
    if zones.len() < ZONES {
        return Check::new(NAME, State::Problem, detail).hint(steps::vpc::ELSEWHERE);
    }
    Check::new(NAME, State::Ok, detail)
}

const VPC: &str = "vpc";

fn default_vpc(survey: &Survey) -> Check {
    let found = match seen(VPC, survey.of(&keys::VPC)) {
        Ok(found) => found,
        Err(check) => return check,
    };
    let Some(id) = found.id() else {
        let detail = "the region has no default VPC; `up` creates a default VPC";
        return Check::new(VPC, State::Warning, detail).hint(DEDICATED);
    };
    if survey.is_absent(&keys::INTERNET_GATEWAY) {
        let detail =
            format!("default VPC `{id}` has no internet gateway; `up` creates an internet gateway");
        return Check::new(VPC, State::Warning, detail).hint(DEDICATED);
    }
    Check::new(VPC, State::Ok, format!("default VPC `{id}`"))
}

fn own_vpc(stack: &Stack, survey: &Survey) -> Check {
    let cidr = &stack.config.vpc.cidr;
    match seen(VPC, survey.of(&keys::VPC)) {
        Ok(found) => {
            let detail = match found.id() {
                Some(id) => format!("dedicated VPC `{id}`, {}", found.label()),
                None => format!("`up` creates a dedicated VPC ({cidr})"),
            };
            Check::new(VPC, State::Ok, detail)
        }
        Err(check) => check,
    }
}

fn subnets(survey: &Survey, default: bool) -> Check {
    const NAME: &str = "subnets";
    let mut found = Vec::new();
    for key in &checked()[1..] {
        match seen(NAME, survey.of(key)) {
            Ok(observed) => found.push(observed),
            Err(check) => return check,
        }
    }
    let there: Vec<&str> = found.iter().filter_map(|observed| observed.id()).collect();
    let impossible = |observed: &&Observed| matches!(observed, Observed::Impossible { .. });
    if found.iter().any(impossible) {
        let detail = format!("zones for only {} of the three subnets", found.len() - 1);
        return Check::new(NAME, State::Warning, detail).hint("see the check `region`");
    }
    let missing = found.len() - there.len();
    match (missing, default) {
        (0, _) => Check::new(NAME, State::Ok, there.join(", ")),
        (_, true) if !survey.is_absent(&keys::VPC) => {
            let detail = format!(
                "{missing} of three default subnets missing; `up` creates the missing subnets"
            );
            Check::new(NAME, State::Warning, detail).hint(DEDICATED)
        }
        (_, true) => Check::new(
            NAME,
            State::Ok,
            "`up` creates default subnets with the default VPC",
        ),
        (_, false) => {
            let detail = format!("`up` creates {missing} of three dedicated subnets");
            Check::new(NAME, State::Ok, detail)
        }
    }
}

/// What was seen, or the check that says why it could not be.
fn seen<'a>(name: &'static str, look: Option<&'a Look>) -> Result<&'a Observed, Check> {
    match look {
        Some(Look::Seen(observed)) => Ok(observed),
        Some(Look::Failed(problem)) => Err(Check::of(name, problem)),
        Some(look) => {
            let detail = look.detail().unwrap_or_default();
            Err(Check::new(name, State::Unknown, detail))
        }
        None => Err(Check::new(
            name,
            State::Unknown,
            "the resource is not part of the plan",
        )),
    }
}
