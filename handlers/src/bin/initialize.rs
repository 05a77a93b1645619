//! initializeConnection: the initialize queue.

use std::time::Duration;

use lambda_runtime::{LambdaEvent, run, service_fn};
use place_handlers::boot::{Boot, deadline};
use place_handlers::event::QueueEvent;
use place_handlers::initialize::{self, Gallery, Service};

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), lambda_runtime::Error> {
    let boot = Boot::from_process()?;
    let (cache, gateway, queue) = (boot.cache()?, boot.gateway(), boot.queues());
    let reuse = Duration::from_millis(boot.env.reuse_ms.into());
    let gallery = Gallery::new(reuse, usize::try_from(boot.env.frame_bytes)?);
    let service = Service {
        gallery: &gallery,
        cache: &cache,
        gateway: &gateway,
        queue: &queue,
        tries: boot.env.max_receive_count,
    };
    run(service_fn(async |event: LambdaEvent<QueueEvent>| {
        let deadline = deadline(&event.context);
        let answer = initialize::handle(&event.payload, deadline, &service);
        Ok::<_, lambda_runtime::Error>(answer.await)
    }))
    .await
}
