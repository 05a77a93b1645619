//! Sizes of what operators download and of what placectl uploads.

use place_tests::{Sdk, placectl};
use serde::Serialize;

/// What was uploaded of a function.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// Size of its zip.
    pub(crate) zip_bytes: u64,
}

/// The functions that stand, by name.
pub(crate) async fn functions(sdk: &Sdk) -> Vec<Function> {
    let answer = sdk.lambda.list_functions().send().await;
    let answer = answer.expect("the list of functions");
    let function = |f: &aws_sdk_lambda::types::FunctionConfiguration| Function {
        name: f.function_name().unwrap_or_default().to_owned(),
        zip_bytes: u64::try_from(f.code_size()).unwrap_or_default(),
    };
    let mut functions: Vec<_> = answer.functions().iter().map(function).collect();
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    functions
}

/// Size of the binary that is measured.
pub(crate) fn placectl() -> u64 {
    let binary = placectl::binary();
    std::fs::metadata(binary).map_or(0, |file| file.len())
}
