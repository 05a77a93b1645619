//! One message's changes, as history keeps them.

use crate::pixel::Pixel;
use crate::position::Position;

/// One entry of history: what one message painted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands among all changes.
    pub at: Position,
    /// The pixels, in the message's order.
    pub pixels: Vec<Pixel>,
    /// Connection id of the painter.
    pub by: String,
    /// Salted hash of the painter's address; the address itself is nowhere.
    pub source: String,
    /// Short name of the player, a salted hash too; that of the source where a client gave none.
    pub player: String,
}
