//! Whether clients end with the server's canvas.

use place_canvas::client::ModelClient;
use place_canvas::store::Canvas;
use place_canvas::{Store, StoreConfig};

use super::Failure;

/// Clients that put their picture together: each holds a whole canvas.
pub(crate) const MODELS: usize = 10;

/// The default stack.
const STACK: &str = "place";

/// Compares the models' pictures with the canvas in Redis.
pub(crate) async fn check<'a>(
    redis: &str,
    models: impl Iterator<Item = &'a ModelClient>,
) -> Result<(), Failure> {
    let models: Vec<_> = models.collect();
    let picture = models.first().and_then(|model| model.picture());
    let geometry = picture
        .ok_or("no client put its picture together")?
        .geometry();
    let store = Store::connect(redis, StoreConfig::new(STACK, geometry)).await?;
    let Canvas {
        at,
        picture: canvas,
        ..
    } = store.read_canvas().await?;
    let right = |model: &&&ModelClient| model.picture() == Some(&canvas) && !model.has_gap();
    let wrong = models.len() - models.iter().filter(right).count();
    if wrong > 0 {
        let of = models.len();
        return Err(format!("{wrong} of {of} clients do not hold the canvas as of {at}").into());
    }
    Ok(())
}
