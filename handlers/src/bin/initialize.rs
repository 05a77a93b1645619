//! initializeConnection: the initialize queue.

use std::time::Duration;

use lambda_runtime::{LambdaEvent, run, service_fn};
use place_handlers::boot::{Boot, deadline};
use place_handlers::event::QueueEvent;
use place_handlers::initialize::{self, Gallery};

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), lambda_runtime::Error> {
    let boot = Boot::from_process()?;
    let (cache, gateway) = (boot.cache()?, boot.gateway());
    let reuse = Duration::from_millis(boot.env.reuse_ms.into());
    let gallery = Gallery::new(reuse, usize::try_from(boot.env.frame_bytes)?);
    run(service_fn(async |event: LambdaEvent<QueueEvent>| {
        let deadline = deadline(&event.context);
        Ok::<_, lambda_runtime::Error>(
            initialize::handle(&event.payload, deadline, &gallery, &cache, &gateway).await,
        )
    }))
    .await
}
