//! `placectl`, the handlers and the local cloud together: every row of the setup guide, every
//! command, clients that paint, and what happens when things break.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on panics, with what it found"
)]

mod bench;
mod support;

mod harness;

mod cache_loss;
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
mod chaos;
mod commands;
mod doctor;
mod drift;
mod farewell;
mod hostile;
mod idempotent;
mod interrupts;
mod lease;
mod least_privilege;
mod local;
mod output;
mod ownership;
mod page;
mod permanent;
mod plan;
mod protocol;
mod repair;
mod replacement;
mod resume;
mod second_emulator;
mod teardown;
mod terminal;
mod transient;
mod waits;
