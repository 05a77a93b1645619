use super::*;

/// A directory of binaries, each a copy of this test's own executable.
fn directory_without(missing: Option<Function>) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let binary = std::env::current_exe().unwrap();
    for function in Function::ALL
        .into_iter()
        .filter(|function| Some(*function) != missing)
    {
        let folder = directory.path().join(function.binary());
        std::fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(&binary, folder.join(BOOTSTRAP)).unwrap();
    }
    directory
}

fn needs(architecture: Architecture, glibc: &str) -> Needs {
    let glibc = Glibc::from_symbol_version(glibc.as_bytes());
    Needs {
        architecture,
        glibc,
    }
}

fn packed(binary: &[u8]) -> Package {
    let room = Arc::new(Semaphore::new(1)).try_acquire_owned();
    pack(binary, room.unwrap()).unwrap()
}

#[tokio::test]
async fn seven_binaries_of_this_machine_serve_the_local_cloud() {
    let directory = directory_without(None);
    let artifacts = Artifacts::new(directory.path(), true);
    let save = artifacts.get(Function::Save).await.unwrap();
    assert_eq!(Some(save.architecture), Architecture::of_host());
    assert_eq!(save.fingerprint.len(), 64);
}

#[tokio::test]
async fn every_problem_is_listed_at_once_with_the_command_that_mends_it() {
    let directory = directory_without(Some(Function::Save));
    let broken = directory.path().join("placev2admin").join(BOOTSTRAP);
    std::fs::remove_file(&broken).unwrap();
    std::fs::write(&broken, "#!/bin/sh\n").unwrap();
    let artifacts = Artifacts::new(directory.path(), true);
    let problems = artifacts.get(Function::Connect).await.unwrap_err();
    let text = problems.to_string();
    assert!(text.contains("save/bootstrap` can't be read"), "{text}");
    assert!(
        text.contains("placev2admin/bootstrap` can't run on Lambda"),
        "{text}"
    );
    assert!(problems.failure().hint.unwrap().contains("make handlers"));
}

#[tokio::test]
async fn a_directory_without_binaries_is_one_problem_and_not_seven() {
    let directory = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::new(directory.path(), true);
    let problems = artifacts.get(Function::Connect).await.unwrap_err();
    let wanted = format!(
        "`{}` contains none of the seven binaries",
        directory.path().display()
    );
    assert_eq!(problems.to_string(), wanted);
    let hint = problems.failure().hint.unwrap();
    assert!(hint.contains("functions.artifacts"), "{hint}");
}

#[test]
fn a_glibc_newer_than_lambdas_is_refused_on_aws_only() {
    let host = Architecture::of_host().unwrap();
    let judge = |version, local| judge("save".to_owned(), needs(host, version), local);
    assert!(judge("GLIBC_2.34", false).is_ok());
    assert!(judge("GLIBC_2.35", true).is_ok());
    let refused = judge("GLIBC_2.35", false).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`save` needs glibc 2.35, but `provided.al2023` has 2.34"
    );
    let hint = Problems(vec![refused]).failure().hint.unwrap();
    assert!(hint.contains("cargo lambda build --release"), "{hint}");
}

#[test]
fn the_local_cloud_demands_this_machines_processor() {
    let other = match Architecture::of_host().unwrap() {
        Architecture::Arm64 => Architecture::X86_64,
        Architecture::X86_64 => Architecture::Arm64,
    };
    let judge = |local| judge("save".to_owned(), needs(other, ""), local);
    assert!(judge(false).is_ok());
    assert!(matches!(judge(true), Err(Problem::NotThisMachine { .. })));
}

#[test]
fn mixed_processors_are_named() {
    let artifact = |architecture| Artifact::for_test("", architecture);
    let mut found = BTreeMap::from([(Function::Save, artifact(Architecture::Arm64))]);
    assert_eq!(mixed(&found), None);
    found.insert(Function::Admin, artifact(Architecture::X86_64));
    let problem = mixed(&found).unwrap().to_string();
    assert!(
        problem.contains("save for arm64; placev2admin for x86_64"),
        "{problem}"
    );
}

#[test]
fn the_same_binary_gives_the_same_zip_with_an_executable_bootstrap() {
    let (first, second) = (packed(b"binary"), packed(b"binary"));
    assert_eq!(
        (&first.bytes, &first.sha256),
        (&second.bytes, &second.sha256)
    );
    assert_ne!(first.sha256, packed(b"another").sha256);
    let mut archive = zip::ZipArchive::new(Cursor::new(first.bytes)).unwrap();
    let entry = archive.by_name(BOOTSTRAP).unwrap();
    assert_eq!(entry.unix_mode(), Some(0o100_755));
    assert_eq!(entry.last_modified(), Some(DateTime::default()));
}
