//! `placectl init`: the annotated default configuration as a file.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use place_config::TEMPLATE;
use serde_json::json;

use crate::cli::InitArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;

/// Writes the file, unless there is one.
pub(crate) fn run(args: &InitArgs, printer: &Printer, json: bool) -> Result<Exit, CommandError> {
    let path = args.file.display().to_string();
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.file)
        .and_then(|mut file| file.write_all(TEMPLATE.as_bytes()));
    match written {
        Ok(()) if json => {
            printer.json(&json!({ "file": path }));
            Ok(Exit::Done)
        }
        Ok(()) => {
            printer.note(&format!("wrote {path}; every key is optional"));
            Ok(Exit::Done)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(CommandError::Usage {
            message: format!("`{path}` already exists and was not changed"),
            hint: "name another file: `placectl init other.toml`".to_owned(),
        }),
        Err(source) => Err(CommandError::File {
            doing: "writing",
            path,
            source,
        }),
    }
}
