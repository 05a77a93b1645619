//! The page to paint on, as files that are part of a binary: the page function serves them, and
//! `placectl page build` writes them for those who host the page elsewhere.
//!
//! Everything but `index.html` lies in one folder that is named by a hash of the whole page. So a
//! file never changes, and a browser may keep it for ever.

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its name within the page's folder.
    pub name: &'static str,
    /// Its content.
    pub plain: &'static [u8],
    /// Its content, compressed with Brotli.
    pub brotli: &'static [u8],
    /// Its content, compressed with gzip.
    pub gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/files.rs"));

impl File {
    /// The file of the page's folder that has this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        let at = FILES.binary_search_by(|file| file.name.cmp(name)).ok()?;
        FILES.get(at)
    }

    /// What the file is, as HTTP names it.
    pub fn content_type(&self) -> &'static str {
        let extension = self
            .name
            .rsplit_once('.')
            .map_or("", |(_, extension)| extension);
        match extension {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            "json" | "webmanifest" => "application/json",
            _ => "application/octet-stream",
        }
    }
}

/// Path of a file of the page's folder, relative to the page.
pub fn path(file: &File) -> String {
    format!("a/{HASH}/{}", file.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limit on what a browser loads before the first picture, all files together.
    const MOST_BYTES: usize = 60 * 1024;

    #[test]
    fn the_page_names_its_own_folder_and_no_other() {
        let index = std::str::from_utf8(INDEX.plain).unwrap();
        assert!(!index.contains("a/dev/"), "{index}");
        let main = File::named("main.js").unwrap();
        assert!(index.contains(&path(main)), "{index}");
        for link in index.split('"').filter(|text| text.starts_with("a/")) {
            let name = link.strip_prefix(&format!("a/{HASH}/")).unwrap();
            assert!(File::named(name).is_some(), "{link} is no file of the page");
        }
    }

    #[test]
    fn every_file_is_found_by_its_name_and_has_a_type() {
        for file in FILES {
            assert_eq!(File::named(file.name).unwrap().plain, file.plain);
            assert_ne!(
                file.content_type(),
                "application/octet-stream",
                "{}",
                file.name
            );
        }
        assert!(File::named("../Cargo.toml").is_none());
    }

    #[test]
    fn the_whole_page_is_light() {
        let files = FILES.iter().chain([&INDEX]);
        let bytes: usize = files.map(|file| file.brotli.len()).sum();
        assert!(bytes <= MOST_BYTES, "{bytes} bytes");
    }
}
