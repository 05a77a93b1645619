//! What an ELF file says of itself: for which processor it is, and which glibc it needs.

use std::fmt;

use object::elf::{EM_AARCH64, EM_X86_64, FileHeader64};
use object::read::elf::{FileHeader, SectionTable};
use object::{Endianness, StringTable};

/// Processors that Lambda runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Architecture {
    /// Graviton.
    Arm64,
    /// Intel and AMD.
    X86_64,
}

impl Architecture {
    /// The processor of this machine, if Lambda has one like it.
    pub(crate) const fn of_host() -> Option<Self> {
        if cfg!(target_arch = "x86_64") {
            Some(Self::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Self::Arm64)
        } else {
            None
        }
    }

    /// The value of Lambda's `Architectures` parameter.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A version of glibc, `2.34`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Glibc {
    major: u16,
    minor: u16,
}

impl Glibc {
    /// The one in `provided.al2023` (Amazon Linux 2023).
    pub(crate) const OF_LAMBDA: Self = Self {
        major: 2,
        minor: 34,
    };

    /// Reads a symbol version, `GLIBC_2.34`; `GLIBC_PRIVATE` and other libraries' are none.
    pub(super) fn from_symbol_version(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?.strip_prefix("GLIBC_")?;
        let mut parts = name.split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        Some(Self { major, minor })
    }
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Why a file is no binary that Lambda could run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ElfError {
    /// Not a 64-bit ELF file at all, or a damaged one.
    #[error("not a 64-bit ELF binary ({0})")]
    Unreadable(String),
    /// For a processor that Lambda doesn't have.
    #[error("built for ELF machine {0}, but Lambda supports only arm64 and x86_64")]
    Machine(u16),
}

impl From<object::Error> for ElfError {
    fn from(error: object::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// What a binary needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Its processor.
    pub(crate) architecture: Architecture,
    /// The newest glibc symbol that it uses; none when it is linked statically.
    pub(crate) glibc: Option<Glibc>,
}

impl Needs {
    /// Reads them from a file's bytes.
    pub(crate) fn of(data: &[u8]) -> Result<Self, ElfError> {
        let header = FileHeader64::<Endianness>::parse(data)?;
        let endian = header.endian()?;
        let architecture = match header.e_machine(endian) {
            EM_X86_64 => Architecture::X86_64,
            EM_AARCH64 => Architecture::Arm64,
            other => return Err(ElfError::Machine(other)),
        };
        let sections = header.sections(endian, data)?;
        Ok(Self {
            architecture,
            glibc: newest_glibc(&sections, endian, data)?,
        })
    }
}

fn newest_glibc<'data>(
    sections: &SectionTable<'data, FileHeader64<Endianness>>,
    endian: Endianness,
    data: &'data [u8],
) -> Result<Option<Glibc>, ElfError> {
    let Some((mut libraries, strings)) = sections.gnu_verneed(endian, data)? else {
        return Ok(None);
    };
    let strings: StringTable<'data> = sections.strings(endian, data, strings)?;
    let mut newest = None;
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(version) = versions.next()? {
            newest = newest.max(Glibc::from_symbol_version(version.name(endian, strings)?));
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_binary_is_read() {
        let data = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let needs = Needs::of(&data).unwrap();
        assert_eq!(Some(needs.architecture), Architecture::of_host());
        if cfg!(target_env = "gnu") {
            assert!(
                needs
                    .glibc
                    .is_some_and(|glibc| glibc > Glibc { major: 2, minor: 2 })
            );
        }
    }

    #[test]
    fn symbol_versions_compare_as_numbers() {
        let read = |name: &str| Glibc::from_symbol_version(name.as_bytes());
        assert!(read("GLIBC_2.4") < read("GLIBC_2.34"));
        assert_eq!(read("GLIBC_2.34"), Some(Glibc::OF_LAMBDA));
        assert_eq!(read("GLIBC_2.2.5").unwrap().to_string(), "2.2");
        assert_eq!(read("GLIBC_PRIVATE"), None);
        assert_eq!(read("GCC_4.2.0"), None);
    }

    #[test]
    fn hostile_files_are_refused() {
        let mut data = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(matches!(
            Needs::of(b"#!/bin/sh\n"),
            Err(ElfError::Unreadable(_))
        ));
        assert!(matches!(Needs::of(b""), Err(ElfError::Unreadable(_))));
        data[18] = 243;
        assert_eq!(Needs::of(&data), Err(ElfError::Machine(243)));
        assert!(Needs::of(&data[..64]).is_err());
    }
}
