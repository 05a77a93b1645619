//! Before data goes: nobody paints any more, all that was painted is saved, and the picture is a
//! file.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use place_canvas::Position;
use place_config::Function;

use super::{canvas, picture, save};
use crate::aws::LeaseTable;
use crate::context::Context;
use crate::engine::{
    Allowed, Begun, EventKind, Failure, FailureKind, Look, Observed, ResourceKey, Runner, Survey,
};
use crate::error::CommandError;
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
}

impl Farewell<'_> {
    /// Closes the API and stops the schedule, saves everything and writes the picture to `file`.
    /// Says what is closed by then.
    ///
    /// A teardown that was cut off after this has parts of what saving takes removed already. It
    /// left a mark, so that the next one goes on without.
    pub(crate) async fn keep(
        &self,
        survey: &Survey,
        file: Option<&Path>,
    ) -> Result<Begun, CommandError> {
        let entrances = [api::KEY, schedule::KEY];
        if entrances.iter().all(|key| survey.is_absent(key)) {
            if self.table.has_farewell().await? {
                self.note("the last picture was kept when this teardown began");
                return Ok(Begun::default());
            }
        } else {
            // It is of an earlier teardown, after which somebody may have painted.
            self.table.forget_farewell().await?;
        }
        let missing: Vec<ResourceKey> = needed()
            .into_iter()
            .filter(|key| !survey.stands(key))
            .collect();
        if !missing.is_empty() {
            return self.without(survey, &missing);
        }
        let begun = self.runner.teardown_first(survey, &entrances).await;
        if begun.is_stuck() || self.runner.is_interrupted() {
            return Ok(begun);
        }
        let kept = self.save_and_export(file);
        let kept = self.context.interrupt.or_stop(kept).await;
        kept.map_err(kept_back)?;
        self.table.leave_farewell().await?;
        Ok(begun)
    }

    /// A cache that is made anew loses what it holds: before that, everything is saved and the
    /// picture is a file, where the functions that do it stand.
    pub(crate) async fn before_replacement(
        &self,
        survey: &Survey,
        allowed: Allowed,
    ) -> Result<(), CommandError> {
        match survey.of(&keys::CACHE) {
            Some(Look::Seen(Observed::Drifted { differences, .. }))
                if allowed.replace && differences.iter().any(|d| d.needs_replacement) => {}
            Some(Look::Seen(Observed::Broken { reason, .. })) => {
                self.note(&format!(
                    "the cache is broken ({reason}) and is made anew: what it held and nobody \
                     saved is lost"
                ));
                return Ok(());
            }
            _ => return Ok(()),
        }
        if needed().iter().all(|key| survey.stands(key)) {
            let kept = self.save_and_export(None);
            let kept = self.context.interrupt.or_stop(kept).await;
            kept.map_err(|error| match error {
                CommandError::Interrupted => error,
                error => CommandError::Answer {
                    doing: "saving what was painted, before the cache is replaced; nothing is \
                            changed yet"
                        .to_owned(),
                    source: error.into(),
                },
            })?;
        }
        self.note("the cache is replaced: what is painted until it is there again is lost");
        Ok(())
    }

    /// What to do where nobody can be asked for the picture. The schedule is the last thing that
    /// `up` makes: where it is there, the stack was whole once and may hold what nobody saved.
    fn without(&self, survey: &Survey, missing: &[ResourceKey]) -> Result<Begun, CommandError> {
        let names: Vec<String> = missing.iter().map(|key| format!("`{key}`")).collect();
        let why = format!("{} not there or not usable", names.join(", "));
        let painted = survey.stands(&keys::CACHE) && !survey.is_absent(&schedule::KEY);
        if painted {
            return Err(Failure::new("keeping what was painted")
                .caused_by(why)
                .hint(
                    "`placectl up` repairs the stack, so that a teardown can save and export the \
                     picture; `placectl teardown --no-export` goes on without",
                )
                .into());
        }
        self.note(&format!("no last save and picture: {why}"));
        Ok(Begun::default())
    }

    async fn save_and_export(&self, file: Option<&Path>) -> Result<(), CommandError> {
        let mut saved = self.save().await?;
        let mut export = picture::live(self.stack).await?;
        // A message that was on its way when the API was closed may still paint.
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
        let file = file.map_or_else(|| default_file(&self.context.config.stack), Path::to_owned);
        canvas::write_quietly(&file, &export)?;
        self.note(&format!("the last picture is in {}", file.display()));
        Ok(())
    }

    async fn save(&self) -> Result<save::Saved, CommandError> {
        let saved = save::save_all(self.stack, false, |line| self.note(line)).await?;
        if !saved.is_complete() {
            return Err(Failure::new("saving what was painted")
                .caused_by(format!("{}, and not everything", saved.sentence()))
                .hint(
                    "run `placectl teardown` again to save the rest; \
                     `placectl teardown --no-export` goes on without",
                )
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

/// A failure on the way, with what it means for the teardown.
fn kept_back(error: CommandError) -> CommandError {
    match error {
        CommandError::Interrupted => CommandError::Interrupted,
        CommandError::Failure(failure) if failure.kind != FailureKind::Permanent => failure.into(),
        error => CommandError::Answer {
            doing: "keeping what was painted; the API and the schedule are gone, everything else \
                    stays (`--no-export` goes on without)"
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
