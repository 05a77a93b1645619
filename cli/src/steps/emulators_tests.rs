//! What is done because an emulator answers otherwise than AWS is written down, and only that.

use std::fs;
use std::path::{Path, PathBuf};

/// What such a place has in it.
const MARKS: [&str; 6] = [
    "is_local()",
    "endpoints.aws.is_",
    "tands in for",
    "moto 5",
    "MiniStack 1",
    "The emulator",
];

/// Where such places may be. What starts the emulator is about nothing else.
const ROOTS: [&str; 3] = ["cli/src/steps", "cli/src/commands/doctor", "handlers/src"];

fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap().to_owned()
}

/// Every source file below `directory`.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The files that have a mark, by their paths in the workspace.
fn marked() -> Vec<String> {
    let workspace = workspace();
    let all = ROOTS.iter().flat_map(|root| sources(&workspace.join(root)));
    let of_tests = |path: &String| path.contains("scripted") || path.ends_with("_tests.rs");
    let has_mark = |path: &String| {
        let text = fs::read_to_string(workspace.join(path)).unwrap();
        MARKS.iter().any(|mark| text.contains(mark))
    };
    all.map(|path| path.strip_prefix(&workspace).unwrap().display().to_string())
        .filter(|path| !of_tests(path) && has_mark(path))
        .collect()
}

#[test]
fn each_way_round_an_emulator_is_written_down() {
    let page = fs::read_to_string(workspace().join("docs/emulators.md")).unwrap();
    let marked = marked();
    assert!(marked.len() > 10, "{marked:?}");
    let missing: Vec<_> = marked.iter().filter(|path| !page.contains(*path)).collect();
    assert_eq!(missing, Vec::<&String>::new(), "not in docs/emulators.md");
}

#[test]
fn each_place_that_is_written_down_is_there() {
    let page = fs::read_to_string(workspace().join("docs/emulators.md")).unwrap();
    let quoted = page.split('`').filter(|quoted| {
        let folders = ["cli/", "handlers/", "tests/"];
        folders.iter().any(|folder| quoted.starts_with(folder))
    });
    for path in quoted {
        assert!(workspace().join(path).exists(), "{path}");
    }
}
