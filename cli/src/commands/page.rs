//! `placectl open` and `placectl page`: the page to paint on.

use std::fs;
use std::path::Path;

use place_page::{FILES, HASH, INDEX};
use serde_json::json;

use crate::cli::{OpenArgs, PageBuildArgs};
use crate::context::{Context, WhenStopped};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::functions::find_page;
use crate::steps::{Options, Stack};

/// Where `index.html` says which address its data comes from.
const SERVER: &str = "<meta name=\"place-server\" content=\"\">";

/// Opens the page in the browser, and prints its address.
pub(crate) async fn open(mut context: Context, args: &OpenArgs) -> Result<Exit, CommandError> {
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    let url = address(&stack).await?;
    if context.is_json() {
        context.printer.json(&json!({ "page_url": url }));
    } else {
        context.printer.line(&url);
    }
    if !args.print
        && let Err(error) = open::that_detached(&url)
    {
        let note = format!("no browser could be started ({error}): open the address by hand");
        context.printer.note(&note);
    }
    Ok(Exit::Done)
}

/// Writes the page as files, which call the stack's page function from wherever they are hosted.
pub(crate) async fn build(
    mut context: Context,
    args: &PageBuildArgs,
) -> Result<Exit, CommandError> {
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    let url = address(&stack).await?;
    let directory = &args.directory;
    let index = String::from_utf8_lossy(INDEX.plain);
    let server = format!("<meta name=\"place-server\" content=\"{}\">", escaped(&url));
    let index = index.replace(SERVER, &server);
    let mut bytes = write(&directory.join(INDEX.name), index.as_bytes())?;
    for file in FILES {
        bytes += write(&directory.join(place_page::path(file)), file.plain)?;
    }
    let (files, shown) = (FILES.len() + 1, directory.display().to_string());
    if context.is_json() {
        context.printer.json(&json!({
            "directory": shown, "files": files, "bytes": bytes, "page": HASH, "server": url,
        }));
    } else {
        context.printer.line(&format!(
            "{shown}: {files} files of the page, which get the canvas from {url}"
        ));
    }
    Ok(Exit::Done)
}

async fn address(stack: &Stack) -> Result<String, CommandError> {
    let found = find_page(stack).await?;
    found.ok_or_else(|| CommandError::Usage {
        message: format!("stack `{}` has no page", stack.names.stack()),
        hint: "set `page.enabled = true` in place.toml, and run `placectl up`".to_owned(),
    })
}

fn write(path: &Path, content: &[u8]) -> Result<usize, CommandError> {
    let parent = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, content))
        .map(|()| content.len())
        .map_err(|source| CommandError::File {
            doing: "writing",
            path: path.display().to_string(),
            source,
        })
}

/// The text as the value of an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}
