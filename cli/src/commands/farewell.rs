//! The farewell, before data is removed: painting is closed, every change is saved, and the picture
//! is exported to a file.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use place_canvas::Position;
use place_config::Function;

use super::{canvas, picture, save};
use crate::aws::{FarewellMark, LeaseTable};
use crate::context::Context;
use crate::engine::{
    Allowed, Begun, EventKind, Failure, FailureKind, Look, Observed, ResourceKey, Runner, Survey,
};
use crate::error::CommandError;
use crate::steps::canvas::KEY as CANVAS;
use crate::steps::functions::environment_key;
use crate::steps::{Stack, api, keys, schedule};

/// How often a picture newer than the last save is answered by another save.
const ROUNDS: usize = 5;

/// The last save and picture of a stack that is taken down.
pub(crate) struct Farewell<'a> {
    pub(crate) context: &'a Context,
    pub(crate) stack: &'a Stack,
    pub(crate) runner: &'a Runner,
    pub(crate) table: &'a LeaseTable<'a>,
    /// The command to run again, for hints: `teardown`, `up --replace`.
    pub(crate) command: &'static str,
}

impl Farewell<'_> {
    /// Closes the API and stops the schedule, saves everything and writes the picture to `file`.
    /// Says what is closed by then.
    ///
    /// Marks in the lease's table tell the next teardown how far this teardown came. Without the
    /// API and the schedule a stack looks as if no `up` had ever finished. After the export, the
    /// functions and the cache that an export needs are removed.
    pub(crate) async fn keep(
        &self,
        survey: &Survey,
        file: Option<&Path>,
    ) -> Result<Begun, CommandError> {
        let mark = self.table.farewell().await?;
        let entrances = [api::KEY, schedule::KEY];
        let is_closed = entrances.iter().all(|key| survey.is_absent(key));
        // A stack that was opened again may have new paints since the picture was kept.
        if is_closed && mark == Some(FarewellMark::Kept) {
            self.note("the last picture was kept by an earlier teardown");
            return Ok(Begun::default());
        }
        let Some(survey) = self.at_hand(survey, mark).await? else {
            return Ok(Begun::default());
        };
        let file = file.map_or_else(|| default_file(&self.context.config.stack), Path::to_owned);
        canvas::check_writable(&file)?;
        self.table.mark_farewell(FarewellMark::Begun).await?;
        let begun = self.runner.teardown_first(&survey, &entrances).await;
        if begun.is_stuck() || self.runner.is_interrupted() {
            return Ok(begun);
        }
        let kept = self.save_and_export(&file);
        let kept = self.context.interrupt.or_stop(kept).await;
        kept.map_err(kept_back)?;
        self.table.mark_farewell(FarewellMark::Kept).await?;
        Ok(begun)
    }

    /// Once people can paint again, the picture that a teardown kept is out of date.
    pub(crate) async fn reopens(&self) -> Result<(), CommandError> {
        if self.table.farewell().await? == Some(FarewellMark::Kept) {
            self.table.mark_farewell(FarewellMark::Begun).await?;
        }
        Ok(())
    }

    /// Tells later teardowns that the stack is whole, whatever is removed behind our back until then.
    pub(crate) async fn stands(&self) -> Result<(), CommandError> {
        Ok(self.table.mark_farewell(FarewellMark::Whole).await?)
    }

    /// A new cache is empty, and a cropped canvas shows less: before either, every change is saved
    /// and the picture is exported to a file.
    pub(crate) async fn before_replacement(
        &self,
        survey: &Survey,
        allowed: Allowed,
    ) -> Result<(), CommandError> {
        let survey = if allowed.replace && !survey.is_absent(&keys::CACHE) {
            // The state after a running change decides.
            &self.rested(survey, &[keys::CACHE]).await?
        } else {
            survey
        };
        let is_cropped = allowed.replace && is_replaced(survey, &CANVAS);
        match survey.of(&keys::CACHE) {
            _ if is_cropped => {}
            Some(_) if allowed.replace && is_replaced(survey, &keys::CACHE) => {}
            Some(Look::Seen(Observed::Broken { reason, .. })) => {
                self.note(&format!(
                    "the cache is broken ({reason}) and is created again: unsaved changes in the \
                     cache are lost"
                ));
                return Ok(());
            }
            // The cache could not be read, and may be replaced later in this run.
            Some(look) if allowed.replace && !matches!(look, Look::Seen(_)) => {}
            _ => return Ok(()),
        }
        let mark = self.table.farewell().await?;
        if self.at_hand(survey, mark).await?.is_some() {
            let file = default_file(&self.context.config.stack);
            let kept = self.save_and_export(&file);
            let kept = self.context.interrupt.or_stop(kept).await;
            kept.map_err(|error| match error {
                CommandError::Interrupted => error,
                error => CommandError::Answer {
                    doing: "saving the canvas before the replacement; nothing is changed yet \
                            (`--no-export` skips the save and the picture)"
                        .to_owned(),
                    source: error.into(),
                },
            })?;
        }
        self.note(if is_cropped {
            "cropping the canvas: pixels outside the new size are no longer shown"
        } else {
            "replacing the cache: paints are lost until the new cache is available"
        });
        Ok(())
    }

    /// The survey once all that saving and exporting take stands; `None` where there is nothing to
    /// keep. What is merely on its way is waited for.
    async fn at_hand(
        &self,
        survey: &Survey,
        mark: Option<FarewellMark>,
    ) -> Result<Option<Survey>, CommandError> {
        // `up` creates the schedule last, and `teardown` removes the schedule first. A schedule, or
        // a mark of a finished `up` or a begun teardown, means that the stack was whole once and
        // may hold unsaved changes.
        let was_whole = mark.is_some() || !survey.is_absent(&schedule::KEY);
        let missing = missing(survey);
        if missing.is_empty() {
            return Ok(Some(survey.clone()));
        }
        if !was_whole || holds_nothing(survey) {
            return Ok(self.without(&missing));
        }
        let survey = self.rested(survey, &missing).await?;
        let missing = self::missing(&survey);
        if missing.is_empty() {
            return Ok(Some(survey));
        }
        if holds_nothing(&survey) {
            return Ok(self.without(&missing));
        }
        Err(Failure::new("saving and exporting the canvas")
            .caused_by(out_of_reach(&missing))
            .hint(format!(
                "`placectl status` shows the reason. `placectl up` repairs the stack, so that the \
                 canvas can be saved and exported. `placectl {} --no-export` skips both.",
                self.command
            ))
            .into())
    }

    async fn rested(&self, survey: &Survey, keys: &[ResourceKey]) -> Result<Survey, CommandError> {
        let changing = |key: &ResourceKey| {
            let look = survey.of(key);
            matches!(look, Some(Look::Seen(Observed::Changing { .. })))
        };
        if let Some(key) = keys.iter().find(|key| changing(key)) {
            self.note(&format!(
                "waiting for `{key}` to change state, so that the canvas can be saved \
                 (`--no-export` skips the save and the picture)"
            ));
        }
        Ok(self.runner.at_rest(survey, keys).await?)
    }

    fn without<T>(&self, missing: &[ResourceKey]) -> Option<T> {
        let why = out_of_reach(missing);
        self.note(&format!("skipping the last save and picture: {why}"));
        None
    }

    async fn save_and_export(&self, file: &Path) -> Result<(), CommandError> {
        let mut saved = self.save().await?;
        let mut export = picture::live(self.stack).await?;
        // A message that was in progress when the API was removed may still paint.
        for _ in 0..ROUNDS {
            if export.at <= saved.to() {
                break;
            }
            saved = self.save().await?;
            export = picture::live(self.stack).await?;
        }
        if export.at == Position::ZERO {
            return Ok(());
        }
        canvas::write_quietly(file, &export)?;
        self.note(&format!("the last picture is in {}", file.display()));
        Ok(())
    }

    async fn save(&self) -> Result<save::Saved, CommandError> {
        let saved = save::save_all(self.stack, false, |line| self.note(line)).await?;
        if !saved.is_complete() {
            let command = self.command;
            return Err(Failure::new("saving the canvas")
                .caused_by(format!("{}, but not everything", saved.sentence()))
                .hint(format!(
                    "run `placectl {command}` again to save the rest; \
                     `placectl {command} --no-export` skips the rest"
                ))
                .kind(FailureKind::Incomplete)
                .into());
        }
        self.note(&saved.sentence());
        Ok(saved)
    }

    fn note(&self, line: &str) {
        let message = line.to_owned();
        self.runner.emit(EventKind::Note { message });
    }
}

/// What saving and exporting take.
fn needed() -> [ResourceKey; 5] {
    let [save, admin] = [Function::Save, Function::Admin];
    [
        keys::CACHE,
        keys::function(save),
        environment_key(save),
        keys::function(admin),
        environment_key(admin),
    ]
}

fn missing(survey: &Survey) -> Vec<ResourceKey> {
    let missing = needed().into_iter().filter(|key| !survey.stands(key));
    missing.collect()
}

fn out_of_reach(missing: &[ResourceKey]) -> String {
    let names: Vec<String> = missing.iter().map(|key| format!("`{key}`")).collect();
    format!("{} missing or not usable", names.join(", "))
}

/// Whether what stands differs in something that only a replacement mends.
fn is_replaced(survey: &Survey, key: &ResourceKey) -> bool {
    let Some(Look::Seen(Observed::Drifted { differences, .. })) = survey.of(key) else {
        return false;
    };
    differences
        .iter()
        .any(|difference| difference.needs_replacement)
}

/// Whether no cache of the stack can hold unsaved changes.
fn holds_nothing(survey: &Survey) -> bool {
    matches!(
        survey.of(&keys::CACHE),
        Some(Look::Seen(
            Observed::Absent | Observed::Broken { .. } | Observed::Foreign { .. }
        ))
    )
}

/// A failure on the way, with what it means for the teardown.
fn kept_back(error: CommandError) -> CommandError {
    match error {
        CommandError::Interrupted => CommandError::Interrupted,
        CommandError::Failure(failure) if failure.kind != FailureKind::Permanent => failure.into(),
        error => CommandError::Answer {
            doing: "saving and exporting the canvas; the API and the schedule are removed, \
                    everything else stays (`--no-export` skips the save and the picture)"
                .to_owned(),
            source: error.into(),
        },
    }
}

fn default_file(stack: &str) -> PathBuf {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    PathBuf::from(format!("{stack}-{}.png", now.as_secs()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::steps::plan;
    use crate::steps::scripted::Script;

    /// Whether a stack was whole once is told by its schedule.
    #[test]
    fn where_there_is_a_schedule_there_was_all_that_the_last_picture_takes() {
        let plan = plan(&Script::default().stack());
        let needs: BTreeMap<_, _> = plan.iter().map(|r| (r.key(), r.needs())).collect();
        let (mut before, mut next) = (Vec::new(), vec![schedule::KEY]);
        while let Some(key) = next.pop() {
            next.extend(needs[&key].iter().cloned());
            before.push(key);
        }
        let missing: Vec<_> = needed()
            .into_iter()
            .filter(|key| !before.contains(key))
            .collect();
        assert_eq!(missing, []);
    }
}
