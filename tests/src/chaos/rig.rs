//! Where a case is tried: a cloud, a proxy before it, and an operator who works through the proxy.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use place_canvas::{Pixel, Rgb, png};

use super::case::{Case, Subject};
use super::summary::{Failure, Kind};
use crate::cloud::{ACCOUNT, REGION};
use crate::inventory::difference;
use crate::proxy::{Fault, Operation};
use crate::{Finished, LocalCloud, Operator, Proxy, inventory, portrait};

/// How often a cloud is emptied until nothing comes back, and how long each time takes to show.
const RESETS: usize = 20;
/// Longer than an invocation of a save takes on a busy machine.
const SETTLING: Duration = Duration::from_millis(700);
/// What somebody paints on every whole stack.
const PAINT: Pixel = Pixel {
    x: 3,
    y: 4,
    rgb: Rgb::new(255, 0, 0),
};
/// More than the canvas has.
const MOST_PIXELS: usize = 1_000_000;

/// What a case begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// An empty cloud.
    Nothing,
    /// The stack that the case before has left.
    Whole,
}

/// A cloud with everything that it takes to break a command and to see what came of it.
#[derive(Debug)]
pub struct Rig {
    operator: Operator,
    proxy: Proxy,
    cloud: LocalCloud,
    /// Everything that is there before the first `up`.
    empty: Vec<String>,
    /// What a clean `up` leaves.
    whole: Vec<String>,
    /// What each command calls when nothing disturbs it.
    calls: Vec<(Subject, Vec<Operation>)>,
}

impl Rig {
    /// A new cloud, and one clean run of each command to compare with.
    ///
    /// # Panics
    /// When a clean run fails, or leaves anything.
    pub async fn start() -> Self {
        let cloud = LocalCloud::start().await;
        let proxy = Proxy::start(&cloud.endpoint());
        let operator = Operator::with(&cloud, |c| c.endpoints.aws = Some(proxy.endpoint()));
        let empty = inventory(&operator.sdk()).await;
        let mut rig = Self {
            operator,
            proxy,
            cloud,
            empty,
            whole: Vec::new(),
            calls: Vec::new(),
        };
        rig.record(Subject::Up).await;
        rig.whole = portrait(&rig.operator.sdk()).await;
        rig.record(Subject::TeardownWithoutExport).await;
        let left = rig.left().await;
        assert!(left.is_empty(), "a clean teardown left {left:?}");
        let _ = rig.run(Subject::Up.words()).await.expect_code(0);
        rig.paint().await;
        rig.record(Subject::Teardown).await;
        rig
    }

    /// The calls of a clean run.
    pub fn calls(&self, subject: Subject) -> &[Operation] {
        let found = self
            .calls
            .iter()
            .find(|(of, _)| of.words() == subject.words());
        found.map_or(&[], |(_, calls)| calls)
    }

    /// Tries a case. The operation that was cut off; none when the call never came, because this
    /// run needed fewer.
    pub async fn attempt(&self, case: &Case, start: Start) -> Result<Option<Operation>, Failure> {
        if start == Start::Nothing {
            self.start_over().await;
            if case.subject.needs_stack() {
                self.undisturbed(case, &["up"]).await?;
                self.paint().await;
            }
        }
        self.forget_pictures();
        self.proxy.clear();
        self.proxy.plan(case.when.clone(), 1, case.fault.clone());
        let first = self.run(case.subject.words()).await;
        let mut calls = self.proxy.calls().into_iter();
        let struck = calls.find(|call| call.fault.is_some());
        let struck = struck.map(|call| call.operation);
        let outcome = self.was_cut_off(case, &first, struck.is_some());
        let outcome = match outcome {
            Ok(()) => self.recovers(case).await,
            failed => failed,
        };
        let tell = |failure: Failure| failure.after(&first, struck.as_ref());
        outcome.map(|()| struck.clone()).map_err(tell)
    }

    /// Empties the cloud. The emulator writes the log of an invocation that was under way when the
    /// last stack went, and that brings its log group back.
    async fn start_over(&self) {
        for _ in 0..RESETS {
            self.cloud.reset().await;
            tokio::time::sleep(SETTLING).await;
            if self.left().await.is_empty() {
                return;
            }
        }
    }

    /// Whether a command that was to be killed is dead.
    fn was_cut_off(&self, case: &Case, first: &Finished, struck: bool) -> Result<(), Failure> {
        let kills = matches!(case.fault, Fault::KillBefore | Fault::KillAfter);
        let dead = first.code.is_none() && self.proxy.kills() == 1;
        if struck && kills && !dead {
            let detail = format!("it was to be killed, and was not: {first}");
            return Err(Failure::new(case, Kind::Alive, detail));
        }
        Ok(())
    }

    /// The next command, and whether all is well then.
    async fn recovers(&self, case: &Case) -> Result<(), Failure> {
        self.undisturbed(case, case.subject.next_words()).await?;
        if case.subject == Subject::Up {
            self.is_whole(case).await?;
            self.is_idle(case).await?;
            self.paint().await;
            return Ok(());
        }
        if case.subject == Subject::Teardown {
            self.last_picture_shows_the_paint(case)?;
        }
        let left = self.left().await;
        let mut orphans = Vec::new();
        for line in left {
            if !self.is_late_log(&line).await {
                orphans.push(line);
            }
        }
        let orphaned = || Failure::new(case, Kind::Orphan, orphans.join("\n"));
        orphans.is_empty().then_some(()).ok_or_else(orphaned)
    }

    /// Whether this is a log group that the emulator has brought back, to write the log of an
    /// invocation that ended later than the teardown: it has no tags, and `placectl` makes none
    /// without. On AWS the functions' roles may not make one.
    async fn is_late_log(&self, line: &str) -> bool {
        let Some(name) = line.strip_prefix("+ logs group ") else {
            return false;
        };
        let arn = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}");
        let call = self.operator.sdk().logs.list_tags_for_resource();
        let answer = call.resource_arn(arn).send().await;
        answer.is_ok_and(|answer| answer.tags().is_none_or(HashMap::is_empty))
    }

    async fn undisturbed(&self, case: &Case, words: &[&str]) -> Result<Finished, Failure> {
        self.proxy.clear();
        let finished = self.run(words).await;
        if finished.code == Some(0) {
            Ok(finished)
        } else {
            Err(Failure::new(case, Kind::Stuck, finished.to_string()))
        }
    }

    async fn is_whole(&self, case: &Case) -> Result<(), Failure> {
        let found = portrait(&self.operator.sdk()).await;
        let lines = difference(&self.whole, &found);
        let kind = match lines.iter().all(|line| line.starts_with("+ ")) {
            _ if lines.is_empty() => return Ok(()),
            true => Kind::Duplicate,
            false => Kind::Different,
        };
        Err(Failure::new(case, kind, lines.join("\n")))
    }

    /// One more `up` finds nothing to do.
    async fn is_idle(&self, case: &Case) -> Result<(), Failure> {
        let again = self.undisturbed(case, &["up", "-o", "json"]).await?;
        let finished = again.finished_event();
        let counts = finished["counts"].as_object();
        let idle = counts.is_some_and(|counts| counts.keys().eq(["unchanged"]));
        let restless = || Failure::new(case, Kind::Different, format!("not idle: {again}"));
        idle.then_some(()).ok_or_else(restless)
    }

    /// Somebody paints, and somebody else sees it.
    async fn paint(&self) {
        let (mut one, mut other) = (self.operator.join().await, self.operator.join().await);
        one.paint(&[PAINT]).await;
        other.sees(PAINT).await;
        one.close().await;
        other.close().await;
    }

    /// The last pictures that teardowns have left.
    fn pictures(&self) -> Vec<PathBuf> {
        let listed = std::fs::read_dir(self.operator.directory());
        let files = listed.into_iter().flatten().flatten();
        let is_picture = |path: &PathBuf| path.extension() == Some(OsStr::new("png"));
        files.map(|file| file.path()).filter(is_picture).collect()
    }

    fn forget_pictures(&self) {
        for picture in self.pictures() {
            std::fs::remove_file(picture).expect("a picture that can be removed");
        }
    }

    fn last_picture_shows_the_paint(&self, case: &Case) -> Result<(), Failure> {
        let shown = |path: &PathBuf| {
            let picture = std::fs::read(path).ok()?;
            let picture = png::decode(&picture, MOST_PIXELS).ok()?;
            picture.get(PAINT.x, PAINT.y)
        };
        let pictures = self.pictures();
        if pictures.iter().any(|path| shown(path) == Some(PAINT.rgb)) {
            return Ok(());
        }
        let detail = format!("no picture shows what was painted: {pictures:?}");
        Err(Failure::new(case, Kind::Lost, detail))
    }

    /// What was not there before the first `up`.
    async fn left(&self) -> Vec<String> {
        difference(&self.empty, &inventory(&self.operator.sdk()).await)
    }

    async fn record(&mut self, subject: Subject) {
        self.proxy.clear();
        let _ = self.run(subject.words()).await.expect_code(0);
        let calls = self.proxy.calls().into_iter();
        let calls = calls.map(|call| call.operation).collect();
        self.calls.push((subject, calls));
    }

    /// Runs a command through the proxy, in whose sights it is.
    async fn run(&self, words: &[&str]) -> Finished {
        let running = self.operator.placectl().args(words).spawn();
        self.proxy.aim_at(running.id());
        running.finish().await
    }
}
