//! A run as its events, for tests that compare whole outputs.

use std::time::Duration;

use crate::engine::event::Planned;
use crate::engine::{Event, EventKind, FailureKind, Left, Outcome, ResourceKey, Step};

/// Key of the NAT gateway.
pub(super) const NAT: ResourceKey = ResourceKey::new("nat-gateway");
/// Key of the route that needs the NAT gateway.
pub(super) const ROUTE: ResourceKey = ResourceKey::new("route:private");
/// Key of the cache.
pub(super) const CACHE: ResourceKey = ResourceKey::new("cache");
/// Key of a table.
pub(super) const TABLE: ResourceKey = ResourceKey::new("table:mru");

/// Something that happens `ms` after the run began.
pub(super) const fn event(ms: u64, kind: EventKind) -> Event {
    Event {
        at: Duration::from_millis(ms),
        kind,
    }
}

/// The first event: four resources of three steps.
pub(super) fn started(command: &'static str) -> Event {
    let planned = |key: ResourceKey, step, kind, name: &str| Planned {
        key,
        step: Step(step),
        kind,
        name: name.to_owned(),
    };
    let resources = vec![
        planned(NAT, 1, "NAT gateway", "place-nat"),
        planned(ROUTE, 1, "route", "0.0.0.0/0"),
        planned(CACHE, 2, "serverless cache", "placev2cache"),
        planned(TABLE, 6, "table", "mru_pixels"),
    ];
    event(0, EventKind::Started { command, resources })
}

/// A resource was found in `state`.
pub(super) fn observed(key: ResourceKey, state: &'static str, detail: Option<&str>) -> Event {
    let detail = detail.map(str::to_owned);
    event(200, EventKind::Observed { key, state, detail })
}

/// Work on a resource begins.
pub(super) const fn working(ms: u64, key: ResourceKey, verb: &'static str) -> Event {
    event(ms, EventKind::Working { key, verb })
}

/// A resource is as it will be, after 1.2 s.
pub(super) const fn done(ms: u64, key: ResourceKey, outcome: Outcome) -> Event {
    event(
        ms,
        EventKind::Done {
            key,
            outcome,
            elapsed: Duration::from_millis(1200),
        },
    )
}

/// The cache's wait, which began at one second.
pub(super) fn waiting(ms: u64) -> Event {
    let kind = EventKind::Waiting {
        key: CACHE,
        what: "serverless cache `placev2cache` to be available".to_owned(),
        usual_s: Some((60, 300)),
        blocker: Some("creating".to_owned()),
        waited: Duration::from_millis(ms - 1000),
    };
    event(ms, kind)
}

/// The last event.
pub(super) fn finished(ms: u64, outcome: &'static str, counts: &[(Outcome, usize)]) -> Event {
    let counts = counts.iter().copied().collect();
    let elapsed = Duration::from_millis(ms);
    event(
        ms,
        EventKind::Finished {
            outcome,
            counts,
            calls: Some(84),
            elapsed,
            websocket_url: None,
            page_url: None,
            error: None,
        },
    )
}

/// A run in which the NAT gateway fails, a table is repaired and the cache takes its time.
pub(super) fn mixed() -> Vec<Event> {
    let failed = EventKind::Failed {
        key: NAT,
        message: "creating NAT gateway `place-nat`".to_owned(),
        causes: vec![
            "ec2:CreateNatGateway was refused".to_owned(),
            "NatGatewayLimitExceeded: the maximum number of NAT gateways has been reached"
                .to_owned(),
        ],
        hint: Some("ask AWS for more NAT gateways, or remove one".to_owned()),
        left: Left::Nothing,
        kind: FailureKind::Permanent,
    };
    let retrying = EventKind::Retrying {
        key: None,
        operation: "elasticache:DescribeServerlessCaches".to_owned(),
        attempt: 3,
        reason: "Throttling: rate exceeded".to_owned(),
    };
    vec![
        started("up"),
        observed(NAT, "absent", None),
        observed(CACHE, "absent", None),
        observed(
            TABLE,
            "drifted",
            Some("TableClass is STANDARD, should be STANDARD_INFREQUENT_ACCESS"),
        ),
        observed(ROUTE, "absent", None),
        working(900, NAT, "creating"),
        working(1000, CACHE, "creating"),
        working(1000, TABLE, "repairing"),
        waiting(1100),
        event(1500, failed),
        event(
            1500,
            EventKind::Blocked {
                key: ROUTE,
                by: NAT,
            },
        ),
        done(2200, TABLE, Outcome::Repaired),
        event(9000, retrying),
    ]
}

/// How `mixed` ends when the cache comes up.
pub(super) fn mixed_end() -> Vec<Event> {
    let counts = [
        (Outcome::Created, 1),
        (Outcome::Repaired, 1),
        (Outcome::Failed, 1),
        (Outcome::Blocked, 1),
    ];
    vec![
        done(95_000, CACHE, Outcome::Created),
        finished(95_100, "failed", &counts),
    ]
}

/// A run that finds everything in place.
pub(super) fn idle() -> Vec<Event> {
    let keys = [NAT, ROUTE, CACHE, TABLE];
    let mut events = vec![started("up")];
    events.extend(keys.iter().map(|key| observed(key.clone(), "ready", None)));
    events.extend(keys.map(|key| done(300, key, Outcome::Unchanged)));
    events.push(finished(310, "done", &[(Outcome::Unchanged, 4)]));
    events
}
