//! placev2handler: `$connect`.

use lambda_runtime::{LambdaEvent, run, service_fn};
use place_handlers::boot::Boot;
use place_handlers::connect;
use place_handlers::event::SocketEvent;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let boot = Boot::from_process()?;
    let (cache, queues, gateway) = (boot.cache()?, boot.queues(), boot.gateway());
    run(service_fn(async |event: LambdaEvent<SocketEvent>| {
        let origins = &boot.env.allowed_origins;
        Ok::<_, lambda_runtime::Error>(
            connect::handle(&event.payload, origins, &cache, &queues, &gateway).await,
        )
    }))
    .await
}
