//! `placectl`, the handlers and the local cloud together: every row of the setup guide, every
//! command, clients that paint, and what happens when things break.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on panics, with what it found"
)]

mod support;

mod harness;

mod step_1_vpc;
mod step_2_redis;
mod step_3_api;
mod step_4_behaviour;
mod step_4_functions;
mod step_5_queues;
mod step_6_tables;
mod step_7_schedule;

mod bad_input;
mod canvas;
mod commands;
mod doctor;
mod idempotent;
mod output;
mod repair;
mod resume;
mod teardown;
