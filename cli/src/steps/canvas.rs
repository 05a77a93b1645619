//! The canvas: what all the other resources are for. It is a `Resource` of its own, because it is
//! nothing of AWS's: it is looked at through the admin function, and opened by the save function.
//!
//! It is ready when somebody can paint, and what is painted is safe: the functions reach the cache,
//! the cache takes writes, the canvas is open in the configured size, and the table of current colours
//! is the one that it was saved to.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use place_canvas::admin::{CANVAS_DIFFERS, Request, Response};
use place_canvas::store::{CanvasStats, Stats};
use place_config::Function;
use serde_json::{Value, json};

use super::functions::{FunctionError, environment_key, invoke_within};
use super::memory::{self, Full};
use super::tables::{self, Content};
use super::{Stack, keys};
use crate::engine::outcome::Difference;
use crate::engine::{
    Failure, FailureKind, Left, Observed, Poll, Progress, Resource, ResourceKey, Step, Wait,
};

/// The canvas.
pub(crate) const KEY: ResourceKey = ResourceKey::new("canvas");

/// How long a canvas may take to open: a new role's permissions and a new route take some seconds to
/// be in force everywhere, and a large canvas is read from the tables.
const PATIENCE: Duration = Duration::from_mins(5);

/// How long to wait for one answer of the save function. A longer save continues, and the next call
/// is told that a save runs.
const ANSWER: Duration = Duration::from_secs(20);

/// The canvas of a stack.
#[derive(Debug)]
struct Canvas {
    stack: Arc<Stack>,
}

/// The resource that the steps lead to.
pub(crate) fn resources(stack: &Arc<Stack>) -> Vec<Arc<dyn Resource>> {
    vec![Arc::new(Canvas {
        stack: Arc::clone(stack),
    })]
}

impl Canvas {
    fn size(&self) -> String {
        let canvas = &self.stack.config.canvas;
        format!("{} x {}", canvas.width, canvas.height)
    }

    async fn stats(&self) -> Result<Result<Stats, String>, Failure> {
        let asked = invoke_within(&self.stack, Function::Admin, &Request::Stats, ANSWER);
        let answer = match asked.await {
            Ok(answer) => answer,
            // The function itself failed, and says how.
            Err(failure) => {
                let said = FunctionError::of(&failure).map(|error| error.message.clone());
                return said.map(Err).ok_or(failure);
            }
        };
        Ok(match serde_json::from_value(answer) {
            Ok(Response::Stats(stats)) => Ok(stats),
            Ok(Response::Error { message }) => Err(message),
            other => Err(format!("the admin function answered {other:?}")),
        })
    }

    async fn look(&self) -> Result<Result<Observed, String>, Failure> {
        let (stats, whole) = tokio::join!(self.stats(), tables::are_whole(&self.stack));
        let verdict = match stats? {
            Ok(stats) => self.verdict(&stats),
            Err(reason) => return Ok(Err(reason)),
        };
        let Observed::Ready { id, .. } = &verdict else {
            return Ok(Ok(verdict));
        };
        Ok(Ok(if whole? {
            verdict
        } else {
            let table = self.stack.names.mru_table();
            Observed::Broken {
                id: id.clone(),
                reason: format!(
                    "table `{table}` is missing or new, and lacks saved pixels: the next save \
                     writes the pixels again"
                ),
            }
        }))
    }

    fn verdict(&self, stats: &Stats) -> Observed {
        let Some(canvas) = &stats.canvas else {
            return Observed::Absent;
        };
        let id = canvas.epoch.clone();
        if stats.is_full {
            return match memory::full(stats) {
                Full::UntilSaved => Observed::Broken {
                    id,
                    reason: "the cache is full and accepts no paints: the next save frees memory"
                        .to_owned(),
                },
                Full::TooSmall => Observed::Impossible {
                    reason:
                        "the cache is full and accepts no paints, although everything is saved: \
                             the cache is too small for the canvas"
                            .to_owned(),
                    remedy: memory::ENLARGE.to_owned(),
                },
            };
        }
        self.compare(canvas)
    }

    fn compare(&self, canvas: &CanvasStats) -> Observed {
        let wanted = &self.stack.config.canvas;
        let id = canvas.epoch.clone();
        if !canvas.background.eq_ignore_ascii_case(&wanted.background) {
            return Observed::Impossible {
                reason: format!(
                    "the canvas has the background {}, place.toml says {}",
                    canvas.background, wanted.background
                ),
                remedy: format!(
                    "the background of a canvas can't be changed: set `canvas.background = \"{}\"` \
                     in place.toml",
                    canvas.background
                ),
            };
        }
        let (found, size) = (format!("{} x {}", canvas.width, canvas.height), self.size());
        if found == size {
            return Observed::ready(id);
        }
        let grows = canvas.width <= wanted.width && canvas.height <= wanted.height;
        let options = &self.stack.options;
        let difference = Difference::new("Size", &found, &size);
        if grows && (options.resize || options.replace) {
            let differences = vec![difference];
            return Observed::Drifted { id, differences };
        }
        if options.replace {
            let differences = vec![difference.needs_replacement()];
            return Observed::Drifted { id, differences };
        }
        let remedy = if grows {
            "run `placectl up --resize` to enlarge the canvas: painted pixels stay in place, new \
             pixels get the background colour"
        } else {
            "run `placectl up --replace` to crop the canvas: pixels outside the new size are no \
             longer shown, and a picture of the whole canvas is exported first"
        };
        Observed::Impossible {
            reason: format!("the canvas is {found}, place.toml says {size}"),
            remedy: remedy.to_owned(),
        }
    }

    /// One call of the save function, which opens a closed canvas.
    async fn open(&self) -> Result<Value, Failure> {
        let options = &self.stack.options;
        let event = json!({
            "resize": options.resize || options.replace,
            "crop": options.replace,
        });
        invoke_within(&self.stack, Function::Save, &event, ANSWER).await
    }

    /// Opens the canvas; pending while a passing obstacle remains.
    async fn try_open(&self) -> Result<Poll<()>, Failure> {
        if let Err(failure) = self.open().await {
            if failure.left == Left::Unknown && FunctionError::of(&failure).is_none() {
                return Ok(Poll::Pending(
                    "the save function does not answer".to_owned(),
                ));
            }
            let said = FunctionError::of(&failure);
            return match said.filter(|said| said.kind != CANVAS_DIFFERS) {
                Some(said) => Ok(Poll::Pending(said.message.clone())),
                None if failure.kind == FailureKind::Incomplete => Ok(Poll::Pending(
                    "the save function does not accept calls yet".to_owned(),
                )),
                None => Err(failure),
            };
        }
        Ok(match self.look().await? {
            Ok(Observed::Ready { .. }) => Poll::Ready(()),
            Ok(other) => Poll::Pending(
                other
                    .detail()
                    .unwrap_or_else(|| "the canvas is closed".to_owned()),
            ),
            Err(reason) => Poll::Pending(reason),
        })
    }
}

#[async_trait(?Send)]
impl Resource for Canvas {
    fn key(&self) -> ResourceKey {
        KEY
    }

    fn step(&self) -> Step {
        Step(7)
    }

    fn kind(&self) -> &'static str {
        "canvas"
    }

    fn name(&self) -> String {
        self.size()
    }

    /// Everything that a save needs on its way to the cache and to the tables.
    fn needs(&self) -> Vec<ResourceKey> {
        let mut needs = vec![
            environment_key(Function::Save),
            environment_key(Function::Admin),
            keys::CACHE_INGRESS,
            keys::PRIVATE_ROUTE,
        ];
        needs.extend(keys::PRIVATE_ASSOCIATIONS);
        needs.extend(Content::ALL.map(tables::key));
        needs
    }

    /// There is nothing to remove: the canvas goes with its cache.
    fn removed_after(&self) -> Option<Vec<ResourceKey>> {
        Some(Vec::new())
    }

    async fn observe(&self) -> Result<Observed, Failure> {
        if self.stack.found.functions.get(Function::Admin).is_none() {
            return Ok(Observed::Absent);
        }
        Ok(match self.look().await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(reason)) => Observed::Broken {
                id: self.size(),
                reason,
            },
            Err(failure) if failure.kind == FailureKind::Incomplete => Observed::Changing {
                id: self.size(),
                state: "the admin function does not accept calls yet".to_owned(),
            },
            Err(failure) => return Err(failure),
        })
    }

    async fn ensure(&self, _: &Observed, progress: &Progress) -> Result<(), Failure> {
        let what = format!("the canvas of {} to open", self.size());
        let wait = Wait::new(what, PATIENCE).usual(0, 30);
        progress.until(wait, async || self.try_open().await).await
    }

    async fn remove(&self, _: &Progress) -> Result<(), Failure> {
        Ok(())
    }
}
