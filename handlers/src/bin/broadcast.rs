//! placev2broadcast: the request queue.

use std::time::Duration;

use lambda_runtime::{LambdaEvent, run, service_fn};
use place_handlers::boot::{Boot, deadline};
use place_handlers::broadcast::{self, Invocation, Tuning};
use place_handlers::event::QueueEvent;

// All loops run in one task, and a function of 512 MB has a third of a core: a second thread would
// only be woken, and never help.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let boot = Boot::from_process()?;
    let (cache, queues, gateway) = (boot.cache()?, boot.queues(), boot.gateway());
    let tuning = Tuning {
        tick: Duration::from_millis(boot.env.tick_ms.into()),
        concurrency: usize::try_from(boot.env.concurrency)?,
        max_posts_per_second: boot.env.max_posts_per_second,
        frame_bytes: usize::try_from(boot.env.frame_bytes)?,
    };
    run(service_fn(async |event: LambdaEvent<QueueEvent>| {
        let (event, context) = event.into_parts();
        let invocation = Invocation {
            request_id: &context.request_id,
            deadline: deadline(&context),
        };
        Ok::<_, lambda_runtime::Error>(
            broadcast::handle(&event, invocation, tuning, &cache, &queues, &gateway).await,
        )
    }))
    .await
}
