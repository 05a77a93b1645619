//! AWS at its own pace, played by a fake on a paused clock. What is proved here holds for every
//! resource that the driver runs.

use std::sync::Arc;
use std::time::Duration;

use place_config::StackConfig;
use tokio::time::Instant;

use super::fake::{Fake, No, Thing, World, thing};
use super::resource;
use crate::aws::{Aws, Class};
use crate::engine::{Failure, FailureKind, Left, Observed, Resource};
use crate::steps::scripted::unwatched;
use crate::steps::{Options, Stack};

/// A resource of the fake kind, after `change` to the world.
fn life(change: impl FnOnce(&mut World)) -> (Fake, Arc<dyn Resource>) {
    allowed(Options::default(), change)
}

fn allowed(options: Options, change: impl FnOnce(&mut World)) -> (Fake, Arc<dyn Resource>) {
    let fake = Fake::new();
    fake.world(change);
    let stack = Stack::new(StackConfig::default(), Aws::offline(), options);
    (fake.clone(), resource(&Arc::new(stack), fake))
}

async fn ensure(resource: &Arc<dyn Resource>, observed: Observed) -> Result<(), Failure> {
    resource.ensure(&observed, &unwatched()).await
}

/// Looks, and makes it right.
async fn up(resource: &Arc<dyn Resource>) -> Result<(), Failure> {
    let observed = resource.observe().await?;
    ensure(resource, observed).await
}

async fn remove(resource: &Arc<dyn Resource>) -> Result<(), Failure> {
    resource.remove(&unwatched()).await
}

impl Fake {
    /// How often a call was made.
    fn times(&self, call: &str) -> usize {
        self.world(|world| world.log.iter().filter(|asked| **asked == call).count())
    }

    /// What changes the world, in order.
    fn changes(&self) -> Vec<&'static str> {
        self.world(|world| {
            let log = world.log.iter().copied();
            log.filter(|call| *call != "find").collect()
        })
    }

    fn left(&self) -> Option<&'static str> {
        self.world(|world| world.left)
    }
}

/// One of another size.
fn other_size(id: &'static str) -> Thing {
    Thing {
        size: 2,
        ..thing(id)
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_absent_is_made_waited_for_and_finished() {
    let (fake, life) = life(|world| world.makes.usable = 20);
    let began = Instant::now();
    ensure(&life, Observed::Absent).await.unwrap();
    assert_eq!(fake.changes(), ["create", "finish"]);
    assert_eq!(fake.left(), Some("made"));
    assert!(began.elapsed() >= Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn what_is_usable_at_once_needs_no_second_look() {
    let (fake, life) = life(|_| ());
    ensure(&life, Observed::Absent).await.unwrap();
    assert_eq!(fake.times("find"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_no_second_one() {
    for unique in [true, false] {
        let (fake, life) = life(|world| {
            world.unique = unique;
            world.makes.listed = 5;
            world.makes.size = 2;
            world.answers.push_back(("create", No::Lost));
        });
        ensure(&life, Observed::Absent).await.unwrap();
        assert_eq!(fake.world(|world| world.things.len()), 1);
        // It is there as nobody knows, so it is put right.
        assert_eq!(fake.times("mend"), 1);
        assert_eq!(fake.left(), Some("made"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_made_after_all_is_made_again() {
    let (fake, life) = life(|world| world.answers.push_back(("create", No::Dropped)));
    ensure(&life, Observed::Absent).await.unwrap();
    assert_eq!(fake.changes(), ["create", "create", "finish"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_exists_already_is_put_right() {
    let (fake, life) = life(|world| world.things.push(other_size("of old")));
    ensure(&life, Observed::Absent).await.unwrap();
    assert_eq!(fake.changes(), ["create", "mend"]);
    assert_eq!(fake.left(), Some("of old"));
}

#[tokio::test(start_paused = true)]
async fn one_that_exists_already_and_is_somebody_elses_is_not_touched() {
    for stack in [Some("place2"), None] {
        let (fake, life) = life(|world| {
            world.things.push(Thing {
                stack,
                ..thing("theirs")
            });
        });
        let failure = ensure(&life, Observed::Absent).await.unwrap_err();
        assert!(failure.hint.unwrap().contains("--adopt"));
        assert_eq!(fake.changes(), ["create"]);
    }
}

/// Tags show late: no tags do not mean no owner.
#[tokio::test(start_paused = true)]
async fn one_that_exists_already_is_ours_once_its_tags_are_told() {
    let (fake, life) = life(|world| {
        world.things.push(Thing {
            told: 5,
            ..thing("of old")
        });
    });
    ensure(&life, Observed::Absent).await.unwrap();
    assert_eq!(fake.changes(), ["create"]);
    assert_eq!(fake.left(), Some("of old"));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_one_on_its_way_out_holds_is_waited_for() {
    for observed in [Observed::Absent, changing("deleting")] {
        let (fake, life) = life(|world| world.things.push(thing("of old").leaving(60)));
        ensure(&life, observed).await.unwrap();
        assert_eq!(fake.left(), Some("made"));
        assert_eq!((fake.times("tag"), fake.times("delete")), (0, 0));
    }
}

fn changing(state: &str) -> Observed {
    Observed::Changing {
        id: "of old".to_owned(),
        state: state.to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_for_a_moment_is_asked_for_again() {
    let passing = [
        Class::NotYet,
        Class::Conflict,
        Class::Absent,
        Class::Throttled,
    ];
    for call in ["create", "finish"] {
        let (fake, life) = life(|world| {
            let answers = passing.map(|class| (call, No::Refused(class)));
            world.answers.extend(answers);
        });
        ensure(&life, Observed::Absent).await.unwrap();
        assert_eq!(fake.times(call), 5);
    }
    for call in ["tag", "mend"] {
        let adopt = Options {
            adopt: true,
            ..Options::default()
        };
        let (fake, life) = allowed(adopt, |world| {
            let stack = None;
            let theirs = Thing {
                stack,
                ..other_size("of old")
            };
            world.things.push(theirs);
            let answers = passing.map(|class| (call, No::Refused(class)));
            world.answers.extend(answers);
        });
        up(&life).await.unwrap();
        assert_eq!(fake.times(call), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_for_ever_ends_in_incomplete() {
    for call in ["create", "finish"] {
        let (_, life) = life(|world| world.always = Some((call, No::Refused(Class::NotYet))));
        let failure = ensure(&life, Observed::Absent).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Incomplete);
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_ends_it_at_once() {
    let (fake, life) = life(|world| world.always = Some(("create", No::Refused(Class::Denied))));
    let failure = ensure(&life, Observed::Absent).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.left),
        (FailureKind::Denied, Left::Nothing)
    );
    assert_eq!(fake.changes(), ["create"]);
}

/// A run that was killed right after its create call left it so.
#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_is_nobody_elses_and_waited_for() {
    let on_its_way = || Thing {
        usable: 30,
        told: 33,
        ..other_size("of old")
    };
    let (fake, life) = life(|world| world.things.push(on_its_way()));
    let observed = life.observe().await.unwrap();
    assert_eq!(observed, changing("creating"));
    ensure(&life, observed).await.unwrap();
    assert_eq!(fake.changes(), ["mend"]);
    let (fake, life) = self::life(|world| world.things.push(on_its_way()));
    remove(&life).await.unwrap();
    assert_eq!(fake.changes(), ["delete"]);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_is_making_is_left_to_them() {
    let theirs = || Thing {
        usable: 30,
        told: 10,
        stack: Some("place2"),
        ..other_size("of old")
    };
    let (fake, life) = life(|world| world.things.push(theirs()));
    up(&life).await.unwrap_err();
    remove(&life).await.unwrap();
    assert_eq!(fake.changes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn one_that_failed_is_made_anew_and_one_that_fails_says_why() {
    let (fake, life) = life(|world| {
        world.things.push(Thing {
            fails: true,
            ..thing("of old")
        });
    });
    let observed = life.observe().await.unwrap();
    assert!(matches!(observed, Observed::Broken { .. }), "{observed:?}");
    ensure(&life, observed).await.unwrap();
    assert_eq!(fake.changes(), ["delete", "create", "finish"]);
    let (_, life) = self::life(|world| (world.makes.usable, world.makes.fails) = (9, true));
    let failure = ensure(&life, Observed::Absent).await.unwrap_err();
    assert_eq!(failure.left, Left::Ours);
    assert!(failure.cause.unwrap().to_string().contains("no room"));
}

#[tokio::test(start_paused = true)]
async fn copies_are_seen_and_go_and_the_first_one_stays() {
    let (fake, life) = life(|world| world.things.extend([thing("a"), thing("b"), thing("c")]));
    let observed = life.observe().await.unwrap();
    assert_eq!(observed.detail().unwrap(), "copies is 2, should be 0");
    ensure(&life, observed).await.unwrap();
    assert_eq!(fake.changes(), ["delete", "delete"]);
    assert_eq!(fake.left(), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn changes_are_made_one_by_one_and_each_is_waited_for() {
    let (fake, life) = life(|world| {
        world.things.push(Thing {
            colour: 7,
            ..other_size("of old")
        });
        world.shows = 40;
    });
    let began = Instant::now();
    up(&life).await.unwrap();
    assert_eq!(fake.changes(), ["mend", "mend"]);
    assert!(began.elapsed() >= Duration::from_secs(40));
    let observed = life.observe().await.unwrap();
    assert!(matches!(observed, Observed::Ready { .. }), "{observed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_never_shows_ends_in_incomplete() {
    let (fake, life) = life(|world| {
        world.things.push(other_size("of old"));
        world.shows = 9999;
    });
    let failure = up(&life).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Incomplete);
    assert_eq!(fake.times("mend"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_changed_is_replaced_on_request_unless_it_is_spared() {
    let replace = || Options {
        replace: true,
        ..Options::default()
    };
    let fixed = || Thing {
        fixed: true,
        ..thing("of old")
    };
    let (fake, life) = allowed(replace(), |world| world.things.push(fixed()));
    up(&life).await.unwrap();
    assert_eq!(fake.changes(), ["delete", "create", "finish"]);
    let full = Thing {
        size: 101,
        ..fixed()
    };
    let (fake, life) = allowed(replace(), |world| world.things.push(full));
    assert_eq!(up(&life).await.unwrap_err().hint.unwrap(), "it is full");
    assert_eq!(fake.changes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_adopted_is_tagged_and_put_right() {
    let adopt = Options {
        adopt: true,
        ..Options::default()
    };
    for stack in [None, Some("place2")] {
        let theirs = Thing {
            stack,
            ..other_size("of old")
        };
        let (fake, life) = allowed(adopt, |world| world.things.push(theirs));
        let observed = life.observe().await.unwrap();
        assert!(matches!(observed, Observed::Foreign { .. }), "{observed:?}");
        assert_eq!(fake.left(), None);
        ensure(&life, observed).await.unwrap();
        assert_eq!(fake.changes(), ["tag", "mend"]);
        assert_eq!(fake.left(), Some("of old"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_vanished_meanwhile_is_made() {
    let (fake, life) = life(|_| ());
    ensure(&life, changing("creating")).await.unwrap();
    assert_eq!(fake.changes(), ["create", "finish"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_is_waited_for_until_it_is_gone() {
    let (fake, life) = life(|world| {
        world.things.push(Thing {
            lingers: 30,
            ..thing("of old")
        });
        let busy = [Class::Conflict, Class::Throttled].map(|of| ("delete", No::Refused(of)));
        world.answers.extend(busy);
    });
    let began = Instant::now();
    remove(&life).await.unwrap();
    assert_eq!(fake.times("delete"), 3);
    assert!(began.elapsed() >= Duration::from_secs(30));
    assert_eq!(fake.left(), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_already_or_going_needs_no_deletion() {
    let (fake, life) = life(|world| world.things.push(thing("of old").leaving(30)));
    remove(&life).await.unwrap();
    remove(&life).await.unwrap();
    assert_eq!(fake.times("delete"), 0);
    let gone = ("delete", No::Refused(Class::Absent));
    let (fake, life) = self::life(|world| {
        world.things.push(thing("of old").leaving(0));
        world.answers.push_back(gone);
    });
    remove(&life).await.unwrap();
    assert_eq!(fake.left(), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_always_in_use_ends_in_incomplete_and_is_left() {
    let (_, life) = life(|world| {
        world.things.push(thing("of old"));
        world.always = Some(("delete", No::Refused(Class::Conflict)));
    });
    let failure = remove(&life).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.left),
        (FailureKind::Incomplete, Left::Ours)
    );
}
