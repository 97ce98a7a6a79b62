//! The lines of a snapshot and their checks.

use std::io::{self, BufRead, Read, Write};

use crc32fast::Hasher;

use super::error::SnapshotError;

const NAME: &str = "longshore-snapshot";
const VERSION: &str = "1";

/// Hexadecimal digits, and a space.
const CHECK_LEN: usize = 9;

/// The longest line, in bytes; a record comes from a request of at most one MiB.
const MAX_LINE: u64 = 8 * 1024 * 1024;

/// Writes lines, each with its check.
pub(super) struct LineWriter<'a, W> {
    output: &'a mut W,
    hasher: Hasher,
}

impl<'a, W: Write> LineWriter<'a, W> {
    /// Writes the first line.
    pub(super) fn begin(output: &'a mut W) -> io::Result<Self> {
        let mut lines = Self { output, hasher: Hasher::new() };
        lines.put(format!("{NAME} {VERSION}").as_bytes())?;
        Ok(lines)
    }

    /// Writes a line, in which no line may end.
    pub(super) fn write(&mut self, text: &[u8]) -> io::Result<()> {
        let mut hasher = self.hasher.clone();
        hasher.update(text);
        write!(self.output, "{:08x} ", hasher.finalize())?;
        self.put(text)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn put(&mut self, text: &[u8]) -> io::Result<()> {
        self.hasher.update(text);
        self.hasher.update(b"\n");
        self.output.write_all(text)?;
        self.output.write_all(b"\n")
    }
}

/// Reads lines whose checks are right.
pub(super) struct LineReader<R> {
    input: R,
    line: Vec<u8>,
    /// Where the next line begins.
    offset: u64,
    hasher: Hasher,
}

/// A line without its check.
pub(super) struct Line<'a> {
    /// Where it begins.
    pub(super) offset: u64,
    pub(super) text: &'a [u8],
}

impl<R: BufRead> LineReader<R> {
    /// Reads the first line.
    pub(super) fn begin(input: R) -> Result<Self, SnapshotError> {
        let mut lines = Self { input, line: Vec::new(), offset: 0, hasher: Hasher::new() };
        let is_whole = lines.fetch(64)?;
        let begin = lines.line.strip_prefix(NAME.as_bytes());
        let Some(version) = begin.and_then(|it| it.strip_prefix(b" ")) else {
            let is_cut = lines.offset > 0 && NAME.as_bytes().starts_with(&lines.line);
            let offset = lines.offset;
            return Err(if is_cut {
                SnapshotError::Cut { offset }
            } else {
                SnapshotError::NotASnapshot
            });
        };
        if !is_whole && version.is_empty() {
            return Err(SnapshotError::Cut { offset: lines.offset });
        }
        if version != VERSION.as_bytes() {
            let version = String::from_utf8_lossy(version).into_owned();
            return Err(SnapshotError::OtherVersion(version));
        }
        lines.hasher.update(&lines.line);
        lines.hasher.update(b"\n");
        Ok(lines)
    }

    /// The next line; that there is none is an error.
    pub(super) fn next(&mut self) -> Result<Line<'_>, SnapshotError> {
        let offset = self.offset;
        if !self.fetch(MAX_LINE)? {
            return Err(if self.offset - offset < MAX_LINE {
                SnapshotError::Cut { offset: self.offset }
            } else {
                SnapshotError::Damaged { offset, reason: "a line that long was never written" }
            });
        }
        let damaged = |reason| SnapshotError::Damaged { offset, reason };
        let no_check = || damaged("the line does not begin with its check");
        let (check, text) = self.line.split_at_checked(CHECK_LEN).ok_or_else(no_check)?;
        let digits = check.strip_suffix(b" ").and_then(|it| std::str::from_utf8(it).ok());
        let digits = digits.filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()));
        let check = digits.and_then(|it| u32::from_str_radix(it, 16).ok()).ok_or_else(no_check)?;
        self.hasher.update(text);
        if self.hasher.clone().finalize() != check {
            return Err(damaged("the line's check is wrong"));
        }
        self.hasher.update(b"\n");
        Ok(Line { offset, text })
    }

    /// Makes sure that nothing follows.
    pub(super) fn end(mut self) -> Result<(), SnapshotError> {
        if self.input.fill_buf()?.is_empty() {
            Ok(())
        } else {
            let reason = "something follows its last line";
            Err(SnapshotError::Damaged { offset: self.offset, reason })
        }
    }

    /// Reads a line of at most so many bytes, and whether it was whole.
    fn fetch(&mut self, limit: u64) -> io::Result<bool> {
        self.line.clear();
        let read = Read::by_ref(&mut self.input).take(limit).read_until(b'\n', &mut self.line)?;
        self.offset += u64::try_from(read).unwrap_or(u64::MAX);
        let is_whole = self.line.pop_if(|it| *it == b'\n').is_some();
        Ok(is_whole)
    }
}
