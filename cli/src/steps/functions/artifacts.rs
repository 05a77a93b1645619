//! The handlers' binaries: found, judged all at once, and packed for the upload.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use place_config::Function;
use sha2::{Digest, Sha256};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::elf::{Architecture, ElfError, Glibc, Needs};
use crate::engine::Failure;
use crate::steps::digest::hexadecimal;

/// File name in an artifact's directory and in its zip: what `provided.al2023` starts.
const BOOTSTRAP: &str = "bootstrap";

/// What can be wrong with a binary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    /// It isn't there, or can't be read.
    #[error("`{path}` can't be read: {cause}")]
    Missing {
        /// Where it should be.
        path: String,
        /// What the system said.
        cause: String,
    },
    /// Nothing was built, or it lies elsewhere.
    #[error("`{directory}` contains none of the seven binaries")]
    NoneThere {
        /// Where they should be.
        directory: String,
    },
    /// It is no binary for Lambda.
    #[error("`{path}` can't run on Lambda: {cause}")]
    Unusable {
        /// Where it is.
        path: String,
        /// Why.
        cause: ElfError,
    },
    /// It was linked against a glibc newer than Lambda's.
    #[error(
        "`{path}` needs glibc {needed}, but `provided.al2023` has {}",
        Glibc::OF_LAMBDA
    )]
    Glibc {
        /// Where it is.
        path: String,
        /// The glibc that it needs.
        needed: Glibc,
    },
    /// The local cloud can't run it.
    #[error("`{path}` is for {architecture} and can't run on this machine")]
    NotThisMachine {
        /// Where it is.
        path: String,
        /// What it is for.
        architecture: Architecture,
    },
    /// Not all are for the same processor.
    #[error("the binaries are for different processors: {0}")]
    Mixed(String),
}

impl Problem {
    /// The command that mends it.
    const fn remedy(&self) -> &'static str {
        match self {
            // Plain cargo links against the glibc of the machine that builds; cargo-lambda against
            // the one that it is told, by default an old one.
            Self::Glibc { .. } => "cargo lambda build --release",
            _ => "make handlers",
        }
    }
}

/// Everything wrong with the binaries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// The same as a failure that names the command to run.
    pub(crate) fn failure(&self) -> Failure {
        let glibc = self
            .0
            .iter()
            .find(|problem| matches!(problem, Problem::Glibc { .. }));
        let hint = match glibc.or(self.0.first()).map(Problem::remedy) {
            Some("make handlers") => {
                "build the binaries (`make handlers`, or `cargo lambda build --release`), or set \
                 `functions.artifacts` to their directory"
            }
            _ => "build the binaries for an older glibc: `cargo lambda build --release`",
        };
        Failure::new("reading the handlers' binaries")
            .caused_by(self.clone())
            .hint(hint)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("; "))
    }
}

impl std::error::Error for Problems {}

/// Binaries and zips that are in memory at once: each is megabytes, several times over while it is
/// sent.
const AT_ONCE: usize = 2;

/// A handler's binary, as found on disk.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    path: PathBuf,
    room: Arc<Semaphore>,
    /// Its processor.
    pub(crate) architecture: Architecture,
    /// SHA-256 of the binary, in hexadecimal.
    pub(crate) fingerprint: String,
}

/// A zip as Lambda takes it. To be dropped once it is sent: others wait for the room.
#[derive(Debug)]
pub(crate) struct Package {
    /// The zip file.
    pub(crate) bytes: Vec<u8>,
    /// SHA-256 of it in base64: what Lambda calls `CodeSha256`.
    pub(crate) sha256: String,
    /// SHA-256 of the binary in it, in hexadecimal.
    pub(crate) fingerprint: String,
    _room: OwnedSemaphorePermit,
}

/// The binaries of all functions, read once and only when somebody asks.
#[derive(Debug)]
pub(crate) struct Artifacts {
    directory: PathBuf,
    local: bool,
    read: OnceCell<Result<BTreeMap<Function, Artifact>, Problems>>,
}

impl Artifacts {
    /// The binaries in `directory`, in cargo-lambda's layout. A `local` cloud runs them on this
    /// machine, with its processor and its glibc, so Lambda's glibc is no limit there.
    pub(crate) fn new(directory: impl Into<PathBuf>, local: bool) -> Self {
        Self {
            directory: directory.into(),
            local,
            read: OnceCell::new(),
        }
    }

    /// The binary of `function`. One bad binary among the seven spoils them all: a stack with a
    /// mixture of old and new code is what nobody wants.
    pub(crate) async fn get(&self, function: Function) -> Result<&Artifact, &Problems> {
        let all = self.read.get_or_init(|| self.load()).await.as_ref()?;
        Ok(all
            .get(&function)
            .expect("every function has an artifact when loading succeeded"))
    }

    async fn load(&self) -> Result<BTreeMap<Function, Artifact>, Problems> {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let reads = Function::ALL.map(|function| {
            let path = self.directory.join(function.binary()).join(BOOTSTRAP);
            let (local, room) = (self.local, Arc::clone(&room));
            tokio::spawn(async move {
                let _place = place_in(&room).await;
                tokio::task::spawn_blocking(move || read(path, room, local)).await
            })
        });
        let mut found = BTreeMap::new();
        let mut problems = Vec::new();
        for (function, read) in Function::ALL.into_iter().zip(reads) {
            let read = read.await.flatten();
            match read.expect("reading a binary does not panic") {
                Ok(artifact) => drop(found.insert(function, artifact)),
                Err(problem) => problems.push(problem),
            }
        }
        problems.extend(mixed(&found));
        if problems.is_empty() {
            return Ok(found);
        }
        let missing = |problem: &Problem| matches!(problem, Problem::Missing { .. });
        if found.is_empty() && problems.iter().all(missing) {
            let directory = self.directory.display().to_string();
            problems = vec![Problem::NoneThere { directory }];
        }
        Err(Problems(problems))
    }
}

impl Artifact {
    /// A binary that is nowhere, for tests of what compares them.
    #[cfg(test)]
    pub(super) fn for_test(fingerprint: &str, architecture: Architecture) -> Self {
        Self {
            path: PathBuf::new(),
            room: Arc::new(Semaphore::new(AT_ONCE)),
            architecture,
            fingerprint: fingerprint.to_owned(),
        }
    }

    /// Packs the binary as Lambda wants it. The same binary always gives the same bytes.
    pub(crate) async fn package(&self) -> Result<Package, Failure> {
        let path = self.path.clone();
        let failed = format!("packing `{}`", path.display());
        let room = place_in(&self.room).await;
        tokio::task::spawn_blocking(move || pack(&std::fs::read(path)?, room))
            .await
            .expect("packing does not panic")
            .map_err(|cause| Failure::new(failed).caused_by(cause))
    }
}

async fn place_in(room: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    let place = Arc::clone(room).acquire_owned().await;
    place.expect("nobody closes the room")
}

fn read(path: PathBuf, room: Arc<Semaphore>, local: bool) -> Result<Artifact, Problem> {
    let shown = path.display().to_string();
    let data = std::fs::read(&path).map_err(|error| Problem::Missing {
        path: shown.clone(),
        cause: error.to_string(),
    })?;
    let needs = Needs::of(&data).map_err(|cause| Problem::Unusable {
        path: shown.clone(),
        cause,
    })?;
    judge(shown, needs, local)?;
    let fingerprint = hexadecimal(&Sha256::digest(&data));
    Ok(Artifact {
        path,
        room,
        architecture: needs.architecture,
        fingerprint,
    })
}

fn judge(path: String, needs: Needs, local: bool) -> Result<(), Problem> {
    let Needs {
        architecture,
        glibc,
    } = needs;
    if local {
        return match Architecture::of_host() {
            Some(host) if host != architecture => {
                Err(Problem::NotThisMachine { path, architecture })
            }
            _ => Ok(()),
        };
    }
    match glibc {
        Some(needed) if needed > Glibc::OF_LAMBDA => Err(Problem::Glibc { path, needed }),
        _ => Ok(()),
    }
}

fn mixed(found: &BTreeMap<Function, Artifact>) -> Option<Problem> {
    let mut by_architecture: BTreeMap<Architecture, Vec<&str>> = BTreeMap::new();
    for (function, artifact) in found {
        by_architecture
            .entry(artifact.architecture)
            .or_default()
            .push(function.binary());
    }
    if by_architecture.len() < 2 {
        return None;
    }
    let parts = by_architecture
        .iter()
        .map(|(a, names)| format!("{} for {a}", names.join(", ")));
    Some(Problem::Mixed(parts.collect::<Vec<_>>().join("; ")))
}

fn pack(binary: &[u8], room: OwnedSemaphorePermit) -> std::io::Result<Package> {
    // Higher levels take twice the time for less than 1 %. The time stamp is fixed because Lambda
    // compares code by the hash of the zip.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(BOOTSTRAP, options)?;
    writer.write_all(binary)?;
    let bytes = writer.finish()?.into_inner();
    Ok(Package {
        sha256: STANDARD.encode(Sha256::digest(&bytes)),
        fingerprint: hexadecimal(&Sha256::digest(binary)),
        bytes,
        _room: room,
    })
}

#[cfg(test)]
#[path = "artifacts_tests.rs"]
mod tests;
