//! save: the schedule, and `placectl save`.

use lambda_runtime::{LambdaEvent, run, service_fn};
use place_handlers::boot::{Boot, deadline};
use place_handlers::broadcast::Invocation;
use place_handlers::save::{self, SaveEvent};

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), lambda_runtime::Error> {
    let boot = Boot::from_process()?;
    let (cache, tables) = (boot.cache()?, boot.tables());
    let (queues, gateway) = (boot.queues(), boot.gateway());
    run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        let (event, context) = event.into_parts();
        let invocation = Invocation {
            request_id: &context.request_id,
            deadline: deadline(&context),
        };
        let event = SaveEvent::read(&event);
        // Boxed, because what the calls nest is deeper than the compiler's limit for one future.
        let saved = save::handle(event, invocation, &cache, &tables, &queues, &gateway);
        Box::pin(saved).await
    }))
    .await
}
