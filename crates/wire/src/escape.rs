//! Text from a peer, made safe to show.

use std::fmt::{self, Write as _};

/// Most bytes of peer text that [`Untrusted`] shows, each of which takes at most [`MAX_ESCAPE`] bytes:
/// enough for any honest message, too little to flood a log. Show long texts line by line.
pub const MAX_SHOWN: usize = 1024;

/// Most bytes of output for one byte of input, as in `\u{1b}`.
pub const MAX_ESCAPE: usize = 6;

/// Shows bytes from a peer without their power over terminals and logs.
///
/// Printable text stays as it is. Control characters (newlines among them), invisible and bidirectional
/// formatting, combining marks and backslashes appear as Rust escapes, bytes that are not UTF-8 as
/// `\xNN`. What follows the first [`MAX_SHOWN`] bytes is only counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Untrusted<'a>(pub &'a [u8]);

/// The text of [`Untrusted`].
pub fn untrusted(bytes: &[u8]) -> String {
    Untrusted(bytes).to_string()
}

impl fmt::Display for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, hidden) = self.0.split_at(cut(self.0));
        for chunk in shown.utf8_chunks() {
            chunk.valid().chars().try_for_each(|character| escape(character, f))?;
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        if hidden.is_empty() { Ok(()) } else { write!(f, "… ({} more bytes)", hidden.len()) }
    }
}

impl fmt::Debug for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({self})")
    }
}

fn escape(character: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match character {
        // `escape_debug` escapes quotes too, which are harmless here.
        '"' | '\'' => f.write_char(character),
        _ => write!(f, "{}", character.escape_debug()),
    }
}

/// Where the shown part ends: at the limit, or up to three bytes before it to keep a character whole.
fn cut(bytes: &[u8]) -> usize {
    if bytes.len() <= MAX_SHOWN {
        return bytes.len();
    }
    let starts_character = |&at: &usize| bytes[at] & 0xC0 != 0x80;
    (MAX_SHOWN - 3..=MAX_SHOWN).rev().find(starts_character).unwrap_or(MAX_SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_text_is_shown_as_it_is() {
        assert_eq!(
            untrusted("Grüße, \"Bob\"! It's 5 °C — 日本".as_bytes()),
            "Grüße, \"Bob\"! It's 5 °C — 日本"
        );
    }

    #[test]
    fn terminal_escapes_lose_their_power() {
        assert_eq!(untrusted(b"\x1b]0;owned\x07\x1b[2J\r\n\x9b"), r"\u{1b}]0;owned\u{7}\u{1b}[2J\r\n\x9b");
    }

    #[test]
    fn c1_controls_and_delete_are_escaped() {
        assert_eq!(untrusted("\u{9b}31m\u{7f}\0".as_bytes()), r"\u{9b}31m\u{7f}\0");
    }

    #[test]
    fn invisible_and_bidirectional_formatting_is_escaped() {
        let ranges = ['\u{200b}'..='\u{200f}', '\u{2028}'..='\u{202e}', '\u{2066}'..='\u{2069}'];
        let others = ['\u{61c}', '\u{ad}', '\u{feff}', '\u{fff9}', '\u{e0041}', '\u{301}'];
        for character in ranges.into_iter().flatten().chain(others) {
            let shown = untrusted(character.to_string().as_bytes());
            assert_eq!(shown, format!("\\u{{{:x}}}", u32::from(character)));
        }
    }

    #[test]
    fn every_byte_of_a_broken_character_is_shown() {
        assert_eq!(untrusted(b"5 \xe2\x82?"), r"5 \xe2\x82?");
    }

    #[test]
    fn an_escape_cannot_be_forged() {
        assert_eq!(untrusted(br"\x1b"), r"\\x1b");
    }

    #[test]
    fn output_is_bounded() {
        for hostile in [vec![0x1b; 1 << 20], vec![0xff; 1 << 20], "\u{e0041}".repeat(1 << 18).into_bytes()] {
            let tail = "… (1234567 more bytes)".len();
            assert!(untrusted(&hostile).len() <= MAX_SHOWN * MAX_ESCAPE + tail);
        }
    }

    #[test]
    fn the_cut_keeps_characters_whole_and_counts_the_remainder() {
        let text = "é".repeat(MAX_SHOWN);
        let shifted = format!("a{text}");
        assert_eq!(untrusted(text.as_bytes()), format!("{}… (1024 more bytes)", "é".repeat(512)));
        assert_eq!(untrusted(shifted.as_bytes()), format!("a{}… (1026 more bytes)", "é".repeat(511)));
    }
}
