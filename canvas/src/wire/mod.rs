//! The wire protocol: JSON text frames in both directions.
//!
//! # How changes too many for one frame are split
//!
//! An update's `from` and `at` promise that it holds *all* changes after `from` up to `at`. So the
//! coalesced changes of a range can't simply be cut in two: there is no position at which a client
//! that got only the first half stands. Updates are therefore cut between history entries, which
//! are the real positions: each update takes whole entries while their coalesced pixels fit the
//! frame, ends at the last entry's position, and the next one starts there. A client that holds
//! `at` has every change up to it, one that misses an update finds a gap, and one that gets all
//! of them holds the last `at`. The price is that a place painted in two updates' ranges travels
//! twice.
//!
//! An entry is never cut. One that alone doesn't fit a frame gets a frame of its own that is over
//! the limit; [`frame_bytes_for`] says what limit keeps that from happening, and API Gateway's own
//! limit for a client's message (128 KiB of JSON) keeps any entry below 32 KiB as a frame.

mod frames;
mod message;
mod raw;

pub(crate) use frames::decode_data;
pub use frames::{
    ErrorCode, FrameError, ServerFrame, Shown, UpdateFrame, error_frame, frame_bytes_for,
    init_frames, pixels_per_frame, update_frames,
};
pub use message::{ClientMessage, MAX_MESSAGE_BYTES, Rejection, parse_client_message};
