//! Finds secrets in the memory of a process, as whoever has a core image of it would.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use crate::{Failure, Result};

/// Those of `secrets` that are somewhere in the writable memory of a process, by their names.
///
/// # Errors
/// The system does not let us look.
pub fn found_in(pid: u32, secrets: &[(&'static str, Vec<u8>)]) -> Result<Vec<&'static str>> {
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let (mut found, mut read) = (Vec::new(), 0);
    for (from, to) in maps.lines().filter_map(writable) {
        let mut bytes = vec![0; to - from];
        // A part may have gone, or never been there.
        let Ok(length) = memory.read_at(&mut bytes, from as u64) else { continue };
        read += length;
        let here = &bytes[..length];
        found.extend(secrets.iter().filter(|(_, secret)| contains(here, secret)).map(|(name, _)| *name));
    }
    if read == 0 {
        return Err(Failure::new(format!("nothing of the memory of process {pid} can be read")));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Where a line of the map begins and ends, if it is of memory that the process can write.
fn writable(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_ascii_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let address = |digits| usize::from_str_radix(digits, 16).ok();
    words.next()?.starts_with("rw").then_some((address(from)?, address(to)?))
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return false };
    let mut rest = haystack;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        if rest[at..].starts_with(needle) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_process_has_in_memory_is_found() {
        let secret = format!("a secret of process {}", std::process::id()).into_bytes();
        assert_eq!(found_in(std::process::id(), &[("ours", secret)]).unwrap(), ["ours"]);
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands() {
        assert!(contains(b"hunter2", b"hunter2") && contains(b"huhunter2", b"hunter2"));
        assert!(!contains(b"hunter", b"hunter2") && !contains(b"", b"hunter2") && !contains(b"hunter2", b""));
    }

    #[test]
    fn a_line_of_a_map_says_what_can_be_written() {
        assert_eq!(writable("1000-2000 rw-p 00000000 00:00 0 [heap]"), Some((0x1000, 0x2000)));
        assert_eq!(writable("1000-2000 r--p 00000000 00:00 0"), None);
        assert_eq!(writable(""), None);
    }
}
