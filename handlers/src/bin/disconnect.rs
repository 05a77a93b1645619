//! placev2disconnect: `$disconnect`.

use lambda_runtime::{LambdaEvent, run, service_fn};
use place_handlers::boot::Boot;
use place_handlers::disconnect;
use place_handlers::event::SocketEvent;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let cache = Boot::from_process()?.cache()?;
    run(service_fn(async |event: LambdaEvent<SocketEvent>| {
        Ok::<_, lambda_runtime::Error>(disconnect::handle(&event.payload, &cache).await)
    }))
    .await
}
