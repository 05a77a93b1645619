//! `placectl clients`: who is connected.

use std::collections::BTreeMap;

use place_canvas::admin::{ClientRow, Request, Response};
use place_config::Function;

use crate::context::{Context, WhenStopped};
use crate::engine::Failure;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::functions::invoke;
use crate::steps::{Options, Stack};
use crate::ui::{table, words};

/// Lists every connected client.
pub(crate) async fn list(mut context: Context) -> Result<Exit, CommandError> {
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    let rows = all(&stack).await?;
    if context.is_json() {
        context.printer.json(&rows);
        return Ok(Exit::Done);
    }
    if !rows.is_empty() {
        let headers = ["ID", "SHARD", "CONNECTED", "SOURCE", "LAST ACTIVE"];
        let text = |field: &Option<String>| field.clone().unwrap_or_else(|| "-".to_owned());
        let cells = rows.iter().map(|row| {
            vec![
                row.id.to_string(),
                row.shard.to_string(),
                text(&row.connected_at),
                text(&row.source_ip),
                text(&row.last_active_at),
            ]
        });
        context
            .printer
            .line(&table::table(&headers, cells.collect()));
    }
    context
        .printer
        .note(&words::count(rows.len() as u64, "client"));
    Ok(Exit::Done)
}

/// Every client once: a client may be on two pages.
async fn all(stack: &Stack) -> Result<Vec<ClientRow>, CommandError> {
    let mut rows = BTreeMap::new();
    let mut page = None;
    loop {
        let Response::Clients { rows: some, next } = ask(stack, &Request::Clients { page }).await?
        else {
            return Err(unexpected("clients"));
        };
        rows.extend(some.into_iter().map(|row| (row.id.to_string(), row)));
        page = next;
        if page.is_none() {
            return Ok(rows.into_values().collect());
        }
    }
}

/// Asks the admin function.
pub(crate) async fn ask(stack: &Stack, request: &Request) -> Result<Response, CommandError> {
    let answer = invoke(stack, Function::Admin, request).await?;
    let answer = serde_json::from_value(answer).map_err(|error| CommandError::Answer {
        doing: "reading the answer of the admin function".to_owned(),
        source: error.into(),
    })?;
    match answer {
        Response::Error { message } => Err(Failure::new("the admin function reported an error")
            .caused_by(message)
            .hint("`placectl status` shows the state of the canvas, and what to do")
            .into()),
        answer => Ok(answer),
    }
}

/// The admin function answered with another kind of response.
pub(crate) fn unexpected(asked: &str) -> CommandError {
    CommandError::Answer {
        doing: format!("asking the admin function for the {asked}"),
        source: "the answer belongs to another request".into(),
    }
}
