//! placev2admin: `placectl`'s way to the cache.

use lambda_runtime::{LambdaEvent, run, service_fn};
use place_handlers::admin::{self, Admin};
use place_handlers::boot::{Boot, deadline};
use place_handlers::broadcast::Invocation;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), lambda_runtime::Error> {
    let boot = Boot::from_process()?;
    let admin = Admin::new(boot.cache()?, boot.gateway(), boot.queues());
    run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        let (request, context) = event.into_parts();
        let invocation = Invocation {
            request_id: &context.request_id,
            deadline: deadline(&context),
        };
        // Boxed, because what the calls nest is deeper than the compiler's limit for one future.
        let answer = Box::pin(admin::handle(request, invocation, &admin));
        Ok::<_, lambda_runtime::Error>(answer.await)
    }))
    .await
}
