//! `placectl canvas`: the picture as a file.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::picture::{self, Export};
use crate::cli::{ExportArgs, SnapshotArgs, Source};
use crate::context::{Context, WhenStopped};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::steps::Options;
use crate::ui::{Printer, words};

/// Writes the picture to the file that the operator named.
pub(crate) async fn export(mut context: Context, args: &ExportArgs) -> Result<Exit, CommandError> {
    let to_stdout = args.file.as_os_str() == "-";
    if to_stdout && (context.is_json() || Printer::is_read_by_a_person()) {
        return Err(CommandError::Usage {
            message: "the file `-` stands for standard output, which is to get a document or is a \
                      terminal"
                .to_owned(),
            hint:
                "name a file, or leave out `-o json` and redirect standard output to a file or a \
                   program"
                    .to_owned(),
        });
    }
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    let export = match args.from {
        Source::Redis => picture::live(&stack).await?,
        Source::Tables => {
            let table = stack.names.mru_table();
            let note = format!("reading all of table `{table}`, which may take minutes");
            context.printer.note(&note);
            picture::saved(&stack).await?
        }
    };
    if to_stdout {
        context.printer.bytes(&export.png);
    } else {
        write(&context, &args.file, &export)?;
    }
    Ok(Exit::Done)
}

/// Writes the live picture to a file named after the stack and the picture's position.
pub(crate) async fn snapshot(
    mut context: Context,
    args: &SnapshotArgs,
) -> Result<Exit, CommandError> {
    let stack = context
        .stack(WhenStopped::Refuse, Options::default())
        .await?;
    let export = picture::live(&stack).await?;
    let file = format!("{}-{}.png", context.config.stack, export.at);
    write(&context, &args.directory.join(file), &export)?;
    Ok(Exit::Done)
}

/// Writes the whole file or none of it, and says so.
pub(crate) fn write(context: &Context, path: &Path, export: &Export) -> Result<(), CommandError> {
    write_quietly(path, export)?;
    let (file, at) = (path.display().to_string(), export.at);
    let bytes = export.png.len() as u64;
    if context.is_json() {
        context
            .printer
            .json(&json!({ "file": file, "at": at.to_string(), "bytes": bytes }));
    } else {
        context.printer.line(&format!(
            "{file}: the canvas as of {at}, {}",
            words::bytes(bytes)
        ));
    }
    Ok(())
}

/// Writes the whole file or no file: the picture is written under another name and then renamed, so
/// that a half-written picture never has the final name. The file is synced to the disk, so that a
/// teardown may then remove the canvas.
pub(crate) fn write_quietly(path: &Path, export: &Export) -> Result<(), CommandError> {
    let partial = partial(path);
    write_durably(&partial, &export.png)
        .and_then(|()| std::fs::rename(&partial, path))
        .and_then(|()| sync_directory(path))
        .map_err(|source| CommandError::File {
            doing: "writing",
            path: path.display().to_string(),
            source,
        })
}

/// Whether a picture can be written to `path`, checked before the stack is changed.
pub(crate) fn check_writable(path: &Path) -> Result<(), CommandError> {
    let partial = partial(path);
    File::create(&partial)
        .and_then(|_| std::fs::remove_file(&partial))
        .map_err(|source| CommandError::File {
            doing: "writing",
            path: path.display().to_string(),
            source,
        })
}

/// The name of a picture until it is whole.
fn partial(path: &Path) -> PathBuf {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    partial.into()
}

fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The name of a new file lasts once its directory is on the disk.
fn sync_directory(path: &Path) -> std::io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    match File::open(directory.unwrap_or_else(|| Path::new(".")))?.sync_all() {
        // Some file systems know no such thing for directories.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}
