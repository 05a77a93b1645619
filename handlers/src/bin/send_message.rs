//! sendMessage: the `sendMessage` route.

use lambda_runtime::{LambdaEvent, run, service_fn};
use place_handlers::boot::Boot;
use place_handlers::event::SocketEvent;
use place_handlers::send_message::{self, Limits, Told};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let boot = Boot::from_process()?;
    let (cache, queues, gateway) = (boot.cache()?, boot.queues(), boot.gateway());
    let max_pixels = usize::try_from(boot.env.max_pixels_per_message)?;
    let limits = Limits {
        geometry: boot.geometry,
        max_pixels,
    };
    let told = Told::default();
    run(service_fn(async |event: LambdaEvent<SocketEvent>| {
        let ports = (&cache, &queues, &gateway);
        let answer = send_message::handle(&event.payload, limits, &told, ports);
        Ok::<_, lambda_runtime::Error>(answer.await)
    }))
    .await
}
