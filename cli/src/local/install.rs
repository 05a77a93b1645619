//! The emulator's private virtual environment: made once, checked before each use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

use super::cloud::Report;
use super::error::LocalError;
use super::files::{Lock, at, private_directory};
use super::process::find_program;

/// Python imports nothing from the working directory, which may be a stranger's checkout, nor from
/// where the environment points.
pub(super) const ISOLATED: &str = "-I";

/// The release that placectl is tested with.
pub(crate) const MINISTACK_VERSION: &str = "1.5.33";

/// That release and all that it needs, each with its hashes: pip takes nothing else from an index.
const REQUIREMENTS: &str = include_str!("ministack.txt");

/// Another command may be downloading: pip on a slow line takes minutes.
const INSTALL_PATIENCE: Duration = Duration::from_mins(10);
const TAIL_LINES: usize = 12;

/// Answers the version of the installed emulator; fails on a half-made environment, and on one
/// whose Python was replaced by another minor version.
const ASK_EMULATOR: &str = "import importlib.metadata as m; print(m.version('ministack'))";
const ASK_PYTHON: &str = "import sys; print('%d.%d' % sys.version_info[:2])";

/// The emulator's Python, installing the emulator first when it is not there.
pub(super) async fn python(cache_dir: &Path, report: Report<'_>) -> Result<PathBuf, LocalError> {
    let directory = cache_dir.join(format!("ministack-{MINISTACK_VERSION}"));
    let python = directory.join("bin/python");
    private_directory(cache_dir)?;
    let lock = cache_dir.join(format!("ministack-{MINISTACK_VERSION}.lock"));
    let waiting = || report("waiting for another placectl to install MiniStack");
    let _lock = Lock::take(lock, INSTALL_PATIENCE, waiting).await?;
    if answer(&python, ASK_EMULATOR).await.as_deref() == Some(MINISTACK_VERSION) {
        return Ok(python);
    }
    report(&format!(
        "installing MiniStack {MINISTACK_VERSION} (once, about half a minute)"
    ));
    let system = system_python().await?;
    install(&directory, &system).await?;
    Ok(python)
}

async fn system_python() -> Result<PathBuf, LocalError> {
    let python =
        find_program("python3", std::env::var_os("PATH")).ok_or(LocalError::MissingProgram {
            program: "python3",
            needed_for: "needed for MiniStack, the AWS emulator",
            package: "python3 python3-venv",
        })?;
    match answer(&python, ASK_PYTHON).await {
        Some(version) if is_too_old(&version) => Err(LocalError::OldPython {
            python,
            found: version,
        }),
        _ => Ok(python),
    }
}

fn is_too_old(version: &str) -> bool {
    let mut parts = version
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    (parts.next(), parts.next()) < (Some(3), Some(10))
}

/// Creates the environment from nothing: an interrupted installation may be incomplete.
async fn install(directory: &Path, python: &Path) -> Result<(), LocalError> {
    if directory.exists() {
        fs::remove_dir_all(directory).map_err(at("removing", directory))?;
    }
    let mut venv = Command::new(python);
    venv.args([ISOLATED, "-m", "venv"]).arg(directory);
    run(venv, directory, "python3 -m venv").await?;
    let requirements = directory.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).map_err(at("writing", &requirements))?;
    let mut pip = Command::new(directory.join("bin/python"));
    pip.args([
        ISOLATED,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--requirement",
    ])
    .arg(requirements);
    run(pip, directory, "pip install").await
}

async fn run(mut command: Command, directory: &Path, step: &'static str) -> Result<(), LocalError> {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(at("starting", Path::new(command.as_std().get_program())))?;
    if output.status.success() {
        return Ok(());
    }
    let text = text_of(&output);
    let venv_missing = text.contains("ensurepip is not available");
    let tail = last_lines(&text);
    Err(LocalError::Install {
        directory: directory.to_owned(),
        step,
        tail,
        venv_missing,
    })
}

fn text_of(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

async fn answer(python: &Path, question: &str) -> Option<String> {
    let mut command = Command::new(python);
    command
        .args([ISOLATED, "-c", question])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_installed_has_a_version_and_a_hash() {
        let lines = REQUIREMENTS.lines().filter(|line| !line.starts_with('#'));
        let text = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
        let requirements: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        for requirement in &requirements {
            assert!(requirement.contains("=="), "{requirement}");
            assert!(requirement.contains("--hash=sha256:"), "{requirement}");
        }
        let pinned = format!("ministack=={MINISTACK_VERSION} ");
        assert!(requirements.iter().any(|line| line.starts_with(&pinned)));
    }

    #[test]
    fn python_before_3_10_is_too_old() {
        for old in ["3.9", "2.7", "3.4"] {
            assert!(is_too_old(old), "{old}");
        }
        for new in ["3.10", "3.13", "4.0"] {
            assert!(!is_too_old(new), "{new}");
        }
    }

    #[tokio::test]
    async fn a_failing_step_says_how_it_ended() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo ensurepip is not available; exit 1"]);
        let error = run(command, Path::new("/d"), "python3 -m venv")
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("python3 -m venv failed"),
            "{error}"
        );
        assert_eq!(
            error.hint().as_deref(),
            Some("run `sudo apt-get install -y python3-venv`")
        );
    }
}
