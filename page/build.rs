//! Names the page by a hash of all of its files, and compresses each file once, at build time.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

type Failure = Box<dyn Error>;

/// The folder of the modules, and the name by which `index.html` refers to it.
const FOLDER: &str = "a";
const DEVELOPMENT: &str = "a/dev/";
const INDEX: &str = "index.html";

/// Bytes of the hash that name the page.
const NAME_BYTES: usize = 8;

/// Brotli's best: it is paid once.
const QUALITY: u32 = 11;
const WINDOW: u32 = 22;

fn main() -> Result<(), Failure> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={FOLDER}");
    println!("cargo::rerun-if-changed={INDEX}");
    let mut files = Vec::new();
    collect(Path::new(FOLDER), "", &mut files)?;
    files.sort();
    let index = fs::read_to_string(INDEX)?;
    let hash = hash(&index, &files)?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut code = format!("/// Hash of the whole page.\npub const HASH: &str = \"{hash}\";\n");
    let index = index.replace(DEVELOPMENT, &format!("a/{hash}/"));
    write!(code, "/// The page itself.\npub static INDEX: File = ")?;
    write_file(&mut code, &out, INDEX, index.as_bytes())?;
    code += ";\n/// Everything that the page loads, in the order of the names.\npub static FILES: &[File] = &[\n";
    for (name, path) in &files {
        write_file(&mut code, &out, name, &fs::read(path)?)?;
        code += ",\n";
    }
    code += "];\n";
    fs::write(out.join("files.rs"), code)?;
    Ok(())
}

/// Every file below `folder`, with its name relative to the first one.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().ok_or("a name that is no text")?;
        let name = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}

fn hash(index: &str, files: &[(String, PathBuf)]) -> Result<String, Failure> {
    let mut hash = Sha256::new();
    let mut add = |name: &str, content: &[u8]| {
        for part in [name.as_bytes(), content] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
    };
    add(INDEX, index.as_bytes());
    for (name, path) in files {
        add(name, &fs::read(path)?);
    }
    let mut text = String::new();
    for byte in &hash.finalize()[..NAME_BYTES] {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

fn write_file(code: &mut String, out: &Path, name: &str, plain: &[u8]) -> Result<(), Failure> {
    let stem = name.replace('/', "_");
    let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, QUALITY, WINDOW);
    brotli.write_all(plain)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(plain)?;
    fs::write(out.join(&stem), plain)?;
    fs::write(out.join(format!("{stem}.br")), brotli.into_inner())?;
    fs::write(out.join(format!("{stem}.gz")), gzip.finish()?)?;
    write!(
        code,
        "File {{ name: {name:?}, plain: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{stem}\")), \
         brotli: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{stem}.br\")), \
         gzip: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{stem}.gz\")) }}"
    )?;
    Ok(())
}
