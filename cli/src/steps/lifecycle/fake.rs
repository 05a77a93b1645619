//! A kind of things that AWS makes, tells and removes at its own pace.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use place_config::names::TAG_STACK;
use tokio::time::Instant;

use super::{Card, Kind, Reading, State, TagMap, Trouble, Whose};
use crate::aws::{AwsError, Class};
use crate::engine::outcome::Difference;
use crate::engine::{Failure, ResourceKey};
use crate::steps::Stack;
use crate::steps::drift::Drift;

pub(super) const KEY: ResourceKey = ResourceKey::new("thing");

/// One thing. What is to come is said in seconds from its making.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub(super) id: &'static str,
    /// The stack that its tags name.
    pub(super) stack: Option<&'static str>,
    pub(super) size: u32,
    pub(super) colour: u32,
    pub(super) fixed: bool,
    pub(super) fails: bool,
    pub(super) listed: u64,
    pub(super) told: u64,
    pub(super) usable: u64,
    /// When it goes, once its deletion was taken.
    pub(super) lingers: u64,
    pub(super) since: Instant,
    pub(super) shown: Instant,
    pub(super) gone: Option<Instant>,
}

/// A thing of this stack, as it should be.
pub(super) fn thing(id: &'static str) -> Thing {
    let since = Instant::now();
    Thing {
        id,
        stack: Some("place"),
        size: 1,
        colour: 1,
        fixed: false,
        fails: false,
        listed: 0,
        told: 0,
        usable: 0,
        lingers: 0,
        since,
        shown: since,
        gone: None,
    }
}

impl Thing {
    fn is(&self, after: u64) -> bool {
        self.since.elapsed() >= Duration::from_secs(after)
    }

    fn is_there(&self) -> bool {
        self.is(self.listed) && self.gone.is_none_or(|gone| Instant::now() < gone)
    }

    /// The same on its way out.
    pub(super) fn leaving(mut self, seconds: u64) -> Self {
        self.gone = Some(Instant::now() + Duration::from_secs(seconds));
        self
    }
}

/// An answer to a call that AWS does not take, or that gets lost.
#[derive(Clone, Copy, Debug)]
pub(super) enum No {
    /// AWS refuses.
    Refused(Class),
    /// AWS does it, and the answer gets lost.
    Lost,
    /// AWS does not do it, and the answer gets lost.
    Dropped,
}

/// What AWS has, what it will answer, and what it was asked.
#[derive(Debug)]
pub(super) struct World {
    pub(super) things: Vec<Thing>,
    pub(super) makes: Thing,
    pub(super) answers: VecDeque<(&'static str, No)>,
    pub(super) always: Option<(&'static str, No)>,
    /// How long a change takes to show.
    pub(super) shows: u64,
    /// Names keep a second one from being made.
    pub(super) unique: bool,
    pub(super) log: Vec<&'static str>,
    pub(super) left: Option<&'static str>,
}

/// The kind.
#[derive(Clone, Debug)]
pub(super) struct Fake(pub(super) Arc<Mutex<World>>);

impl Fake {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(World {
            things: Vec::new(),
            makes: thing("made"),
            answers: VecDeque::new(),
            always: None,
            shows: 0,
            unique: true,
            log: Vec::new(),
            left: None,
        })))
    }

    pub(super) fn world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    /// Takes a call down; true where AWS does what it is asked.
    fn call(&self, call: &'static str) -> (bool, Result<(), Trouble>) {
        self.world(|world| {
            world.log.push(call);
            let next = world.answers.iter().position(|(of, _)| *of == call);
            let next = next.and_then(|next| world.answers.remove(next));
            let next = next.or(world.always.filter(|(of, _)| *of == call));
            match next {
                None => (true, Ok(())),
                Some((_, No::Refused(class))) => (false, Err(error(class, true).into())),
                Some((_, No::Lost)) => (true, Err(error(Class::Unreachable, false).into())),
                Some((_, No::Dropped)) => (false, Err(error(Class::Unreachable, false).into())),
            }
        })
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Thing)) {
        self.world(|world| {
            let mut things = world.things.iter_mut();
            change(things.find(|thing| thing.id == id).unwrap());
        });
    }
}

pub(super) fn error(class: Class, refused: bool) -> AwsError {
    AwsError {
        operation: "ec2:CreateThing",
        code: Some(format!("{class:?}")),
        message: "no".to_owned(),
        request_id: None,
        class,
        refused,
    }
}

#[async_trait(?Send)]
impl Kind for Fake {
    type Found = Thing;

    fn card(&self, _: &Stack) -> Card {
        let card = Card::new(1, KEY, "thing", "place").makes(10, 30);
        let card = card.shows_within(Duration::from_mins(2));
        card.seen_off(0, 30)
    }

    async fn find(&self, _: &Stack) -> Result<Vec<Thing>, Trouble> {
        self.call("find").1?;
        Ok(self.world(|world| {
            let there = world.things.iter().filter(|thing| thing.is_there());
            there.cloned().collect()
        }))
    }

    fn read(&self, _: &Stack, found: &Thing) -> Reading {
        let told = found.stack.filter(|_| found.is(found.told));
        let tags = told.map(|stack| [(TAG_STACK, stack), ("place:resource", "thing")]);
        let tags: TagMap = tags
            .iter()
            .flatten()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let reading = Reading::new(found.id, Whose::Tagged(tags));
        if found.gone.is_some() {
            return reading.state(State::Leaving("deleting".to_owned()));
        }
        if !found.is(found.usable) {
            return reading.state(State::Changing("creating".to_owned()));
        }
        if found.fails {
            return reading.state(State::Failed("no room".to_owned()));
        }
        reading
    }

    fn compare(&self, _: &Stack, found: &Thing, drift: &mut Drift) {
        let shown = Instant::now() >= found.shown;
        drift.compare("size", if shown { found.size } else { 2 }, 1);
        drift.compare("colour", found.colour, 1);
        if found.fixed {
            drift.note(Difference::new("shape", "round", "square").needs_replacement());
        }
    }

    async fn create(&self, _: &Stack) -> Result<Thing, Trouble> {
        let exists = self.world(|world| {
            world.unique
                && world
                    .things
                    .iter()
                    .any(|of| of.gone.is_none_or(|at| Instant::now() < at))
        });
        if exists {
            self.world(|world| world.log.push("create"));
            return Err(error(Class::Exists, true).into());
        }
        let (done, answer) = self.call("create");
        let mut made = self.world(|world| world.makes.clone());
        made.since = Instant::now();
        made.shown = made.since;
        if done {
            self.world(|world| world.things.push(made.clone()));
        }
        answer.map(|()| made)
    }

    async fn finish(&self, _: &Stack, _: &Thing) -> Result<(), Trouble> {
        self.call("finish").1
    }

    async fn tag(&self, _: &Stack, found: &Thing) -> Result<(), Trouble> {
        let (done, answer) = self.call("tag");
        if done {
            self.change(found.id, |thing| thing.stack = Some("place"));
        }
        answer
    }

    /// One change at a time.
    async fn mend(&self, _: &Stack, found: &Thing, drift: &Drift) -> Result<(), Trouble> {
        let (done, answer) = self.call("mend");
        if done && drift.has("size") {
            let shown = Duration::from_secs(self.world(|world| world.shows));
            self.change(found.id, |thing| {
                (thing.size, thing.shown) = (1, Instant::now() + shown);
            });
        } else if done {
            self.change(found.id, |thing| thing.colour = 1);
        }
        answer
    }

    async fn spare(&self, _: &Stack, found: &Thing) -> Result<(), Trouble> {
        if found.size > 100 {
            return Err(Failure::new("replacing").hint("it is full").into());
        }
        Ok(())
    }

    async fn delete(&self, _: &Stack, found: &Thing) -> Result<(), Trouble> {
        let (done, answer) = self.call("delete");
        if done {
            let gone = Instant::now() + Duration::from_secs(found.lingers);
            self.change(found.id, |thing| thing.gone = Some(gone));
        }
        answer
    }

    fn leave(&self, _: &Stack, found: Option<&Thing>) {
        self.world(|world| world.left = found.map(|thing| thing.id));
    }
}
