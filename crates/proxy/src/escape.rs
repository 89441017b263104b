//! Text from outside, made safe to show.

use std::fmt;

/// Most bytes of foreign text in one message: enough for any honest status line.
const MAX_SHOWN: usize = 256;

/// Shows foreign bytes without their power over terminals: control characters, invisible characters and
/// backslashes appear as Rust escapes, bytes that are not UTF-8 as `\xNN`, and what is too long is cut.
pub(crate) struct Escaped<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, hidden) = self.0.split_at(self.0.len().min(MAX_SHOWN));
        for chunk in shown.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    // `escape_debug` escapes quotes too, which are harmless here.
                    '"' | '\'' => write!(f, "{character}")?,
                    _ => write!(f, "{}", character.escape_debug())?,
                }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        if hidden.is_empty() { Ok(()) } else { f.write_str("…") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_move_the_cursor_or_forge_an_escape() {
        assert_eq!(Escaped(b"a\x1b[2J\r\n\xff\\x \"b\"").to_string(), r#"a\u{1b}[2J\r\n\xff\\x "b""#);
        assert_eq!(Escaped("\u{202e}gnp".as_bytes()).to_string(), r"\u{202e}gnp");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(Escaped(&[b'a'; 257]).to_string(), format!("{}…", "a".repeat(256)));
    }
}
