//! placev2page: the page to paint on, behind a function URL.

use lambda_runtime::{LambdaEvent, run, service_fn};
use place_handlers::boot::Boot;
use place_handlers::page::{Site, UrlRequest};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let boot = Boot::from_process()?;
    let (cache, tables) = (boot.cache()?, boot.tables());
    let site = Site::new(&boot.env, boot.geometry, &cache, &tables);
    run(service_fn(async |event: LambdaEvent<UrlRequest>| {
        Ok::<_, lambda_runtime::Error>(site.answer(&event.payload).await)
    }))
    .await
}
