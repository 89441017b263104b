//! Paths with `*`, `?` and `[…]`, as glob(3) reads them for `Include`.

use std::path::{Path, PathBuf};

use crate::{
    MAX_FILES, Surroundings,
    pattern::{Piece, matches_pieces},
};

/// The paths that a pattern stands for, sorted; of more than [`MAX_FILES`], those and one more. One without
/// wildcards stands for itself, whether or not it exists.
pub(crate) fn expand(pattern: &Path, surroundings: &dyn Surroundings) -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::new()];
    for component in pattern.iter() {
        let pieces = component.to_str().and_then(pieces);
        paths = match pieces {
            None => paths.into_iter().map(|path| path.join(unescaped(component))).collect(),
            Some(pieces) => {
                let found = paths.iter().flat_map(|path| inside(path, &pieces, surroundings));
                found.take(MAX_FILES + 1).collect()
            }
        };
    }
    paths.sort();
    paths
}

/// What in a directory matches.
fn inside(directory: &Path, pieces: &[Piece], surroundings: &dyn Surroundings) -> Vec<PathBuf> {
    let mut names = surroundings.entries(directory);
    // Hidden files are only found by who asks for them.
    let hidden = pieces.first() == Some(&Piece::Byte(b'.'));
    names.retain(|name| {
        let name = name.as_encoded_bytes();
        (hidden || !name.starts_with(b".")) && matches_pieces(pieces, name)
    });
    names.into_iter().map(|name| directory.join(name)).collect()
}

/// The parts of a component that has wildcards.
fn pieces(component: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut bytes = component.as_bytes();
    while let [first, rest @ ..] = bytes {
        bytes = rest;
        pieces.push(match first {
            b'*' => Piece::Any,
            b'?' => Piece::One,
            b'\\' if !rest.is_empty() => {
                bytes = &rest[1..];
                Piece::Byte(rest[0])
            }
            b'[' => match bracket(rest) {
                Some((piece, after)) => {
                    bytes = after;
                    piece
                }
                None => Piece::Byte(b'['),
            },
            byte => Piece::Byte(*byte),
        });
    }
    pieces.iter().any(|piece| !matches!(piece, Piece::Byte(_))).then_some(pieces)
}

/// What follows a `[`, up to the `]`.
fn bracket(text: &[u8]) -> Option<(Piece, &[u8])> {
    let (negated, mut rest) = match text {
        [b'!' | b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut ranges = Vec::new();
    loop {
        rest = match rest {
            [] => return None,
            // A `]` that comes first is meant itself.
            [b']', after @ ..] if !ranges.is_empty() => {
                return Some((Piece::Range { ranges, negated }, after));
            }
            [first, b'-', last, after @ ..] if *last != b']' => {
                ranges.push((*first, *last));
                after
            }
            [byte, after @ ..] => {
                ranges.push((*byte, *byte));
                after
            }
        };
    }
}

fn unescaped(component: &std::ffi::OsStr) -> PathBuf {
    match component.to_str() {
        Some(text) if text.contains('\\') => {
            let mut plain = String::new();
            let mut chars = text.chars();
            while let Some(c) = chars.next() {
                plain.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
            }
            plain.into()
        }
        _ => component.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::fake::Fake;

    fn found(pattern: &str) -> Vec<String> {
        let files = ["/c/a.conf", "/c/b.conf", "/c/b.txt", "/c/.h.conf", "/d/x/1", "/d/y/2", "/d/y/*"];
        let fake = files.iter().fold(Fake::new(), |fake, path| fake.file(path, ""));
        expand(Path::new(pattern), &fake).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn wildcards_find_files_in_order_but_not_hidden_ones() {
        assert_eq!(found("/c/*.conf"), ["/c/a.conf", "/c/b.conf"]);
        assert_eq!(found("/c/.*"), ["/c/.h.conf"]);
        assert_eq!(found("/d/*/?"), ["/d/x/1", "/d/y/*", "/d/y/2"]);
        assert_eq!(found("/c/[!a].[a-d]*"), ["/c/b.conf"]);
        assert_eq!(found("/none/*"), [""; 0]);
    }

    #[test]
    fn what_has_no_wildcard_stands_for_itself() {
        assert_eq!(found("/none/file"), ["/none/file"]);
        assert_eq!(found("/d/y/\\*"), ["/d/y/*"]);
        assert_eq!(found("/c/[a"), ["/c/[a"]);
    }

    #[test]
    fn brackets_are_read_to_their_end() {
        assert_eq!(pieces("[]a]").unwrap().len(), 1);
        assert!(pieces("[]").is_none() && pieces("[!]").is_none());
        let dash = pieces("[a-]").unwrap();
        assert!(matches_pieces(&dash, b"-") && matches_pieces(&dash, b"a"));
    }

    #[test]
    fn no_more_is_found_than_can_be_read() {
        let mut fake = Fake::new();
        for number in 0..2 * MAX_FILES {
            fake = fake.file(&format!("/c/{number}"), "");
        }
        assert_eq!(expand(Path::new("/c/*"), &fake).len(), MAX_FILES + 1);
    }
}
