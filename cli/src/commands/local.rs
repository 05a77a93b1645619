//! `placectl local`: the local cloud by itself.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::json;

use crate::cli::{LocalCommand, LogsArgs};
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::local::{
    ChildState, DEFAULT_REGION, LocalCloud, LocalState, LocalStatus, LogQuery, LogSource,
};

/// Starts it, stops it, looks at it.
pub(crate) async fn run(context: Context, command: LocalCommand) -> Result<Exit, CommandError> {
    let cloud = context.local_cloud()?;
    match command {
        LocalCommand::Start => start(&context, &cloud).await,
        LocalCommand::Stop => stop(&context, &cloud).await,
        LocalCommand::Status => status(&context, &cloud).await,
        LocalCommand::Logs(args) => logs(&context, &cloud, &args).await,
    }
}

async fn start(context: &Context, cloud: &LocalCloud) -> Result<Exit, CommandError> {
    let printer = context.printer.clone();
    let running = cloud.start(&move |line| printer.note(line)).await?;
    if context.is_json() {
        context.printer.json(&running);
    } else {
        context.printer.line(&format!(
            "MiniStack {} at {}\nRedis at {}\nkey and password in {}",
            running.version,
            running.endpoint,
            running.redis_url,
            running.credentials.display()
        ));
    }
    Ok(Exit::Done)
}

async fn stop(context: &Context, cloud: &LocalCloud) -> Result<Exit, CommandError> {
    let printer = context.printer.clone();
    let ran = cloud.stop(&move |line| printer.note(line)).await?;
    if context.is_json() {
        context.printer.json(&json!({ "stopped": ran }));
        return Ok(Exit::Done);
    }
    context.printer.note(if ran {
        "the local cloud has stopped"
    } else {
        "the local cloud was not running"
    });
    Ok(Exit::Done)
}

async fn status(context: &Context, cloud: &LocalCloud) -> Result<Exit, CommandError> {
    let status = cloud.status().await;
    let exit = if status.state == LocalState::Degraded {
        Exit::Failed
    } else {
        Exit::Done
    };
    if context.is_json() {
        context.printer.json(&status);
        return Ok(exit);
    }
    let port = |port: Option<u16>| port.map_or_else(String::new, |port| format!(" on port {port}"));
    let version = status.version.as_deref();
    let version = version.map_or_else(String::new, |version| format!(" {version}"));
    context.printer.line(&format!(
        "MiniStack{version}{}: {}\nRedis{}: {}\nstate in {}",
        port(Some(status.port)),
        child(status.emulator),
        port(status.redis_port),
        child(status.redis),
        status.state_dir.display(),
    ));
    if let Some(detail) = &status.detail {
        context.printer.note(detail);
    }
    if let Some(credentials) = &status.credentials {
        context.printer.note(&other_tools(&status, credentials));
    }
    Ok(exit)
}

/// How other tools are let in. A profile that is named beats the keys of the environment.
fn other_tools(status: &LocalStatus, credentials: &Path) -> String {
    let (file, port) = (quoted(credentials), status.port);
    let redis = status.redis_port.unwrap_or_default();
    format!(
        "\nOther tools need the key:\n\
         \x20 export AWS_SHARED_CREDENTIALS_FILE={file}\n\
         \x20 aws --profile default --region {DEFAULT_REGION} \
         --endpoint-url http://127.0.0.1:{port} sts get-caller-identity\n\
         \x20 boto3.Session(profile_name=\"default\", region_name=\"{DEFAULT_REGION}\")\
         .client(\"sts\", endpoint_url=\"http://127.0.0.1:{port}\")\n\
         \x20 REDISCLI_AUTH=$(sed -n 's/^aws_secret_access_key = //p' {file}) redis-cli -p {redis}"
    )
}

/// As a shell reads it as one word.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

fn child(state: ChildState) -> String {
    match state {
        ChildState::Running { pid } => format!("running, process {pid}"),
        ChildState::Stopped => "stopped".to_owned(),
        ChildState::Ended => "exited".to_owned(),
        ChildState::Silent { pid } => format!("process {pid} does not answer"),
    }
}

async fn logs(
    context: &Context,
    cloud: &LocalCloud,
    args: &LogsArgs,
) -> Result<Exit, CommandError> {
    let source = if args.redis {
        LogSource::Redis
    } else {
        LogSource::Emulator
    };
    let query = LogQuery {
        source,
        tail: args.tail,
        follow: args.follow,
    };
    cloud
        .logs(query, |line| {
            if context.is_json() {
                context.printer.json(&json!({ "line": line }));
            } else {
                context.printer.line(line);
            }
            ControlFlow::Continue(())
        })
        .await?;
    Ok(Exit::Done)
}
