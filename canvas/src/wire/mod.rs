//! The wire protocol: JSON text frames in both directions, as `docs/protocol.md` describes them.
//!
//! [`update_frames`] cuts updates between history entries, never within one. An entry that alone
//! doesn't fit a frame gets a frame of its own that is over the limit; [`frame_bytes_for`] says what
//! limit keeps that from happening, and API Gateway's own limit for a client's message (128 KiB of
//! JSON) keeps any entry below 32 KiB as a frame.

mod frames;
mod message;
mod raw;

#[cfg(test)]
mod documented;

pub(crate) use frames::decode_data;
pub use frames::{
    ErrorCode, FrameError, ServerFrame, Shown, UpdateFrame, error_frame, frame_bytes_for,
    init_frames, pixels_per_frame, update_frames,
};
pub use message::{
    ClientMessage, MAX_MESSAGE_BYTES, Rejection, parse_client_message, parse_named_message,
};
