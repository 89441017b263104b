//! BER to DER: lengths that are left open are closed, and strings that come in pieces are joined. Bouncy Castle and
//! older programs write such stores and PKCS#7 files.

use zeroize::Zeroizing;

use crate::KeyFileError;

/// The same value in DER, as far as structure goes. Nothing of the content changes.
pub(crate) fn to_der(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    // The result is no longer than this: only lengths written out can grow, and each replaces an end mark.
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len() + bytes.len() / 2));
    let mut input = Input(bytes);
    input.element(&mut out, 0)?;
    if input.0.is_empty() { Ok(out) } else { Err(MALFORMED) }
}

/// What has not been read yet.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], KeyFileError> {
        let (head, tail) = self.0.split_at_checked(len).ok_or(MALFORMED)?;
        self.0 = tail;
        Ok(head)
    }

    /// Copies one element to `out`.
    fn element(&mut self, out: &mut Vec<u8>, depth: usize) -> Result<(), KeyFileError> {
        if depth > MAX_DEPTH {
            return Err(KeyFileError::Malformed("its structure is nested too deeply"));
        }
        let tag = self.tag()?;
        let constructed = tag[0] & CONSTRUCTED != 0;
        let mut content = Zeroizing::new(Vec::new());
        match self.length()? {
            Some(len) if !constructed => content.extend_from_slice(self.take(len)?),
            Some(len) => Input(self.take(len)?).children(&mut content, depth)?,
            None if !constructed => return Err(MALFORMED),
            None => {
                while !self.0.starts_with(&END_OF_CONTENTS) {
                    self.element(&mut content, depth + 1)?;
                }
                self.take(END_OF_CONTENTS.len())?;
            }
        }
        if tag == [OCTET_STRING | CONSTRUCTED] {
            let joined = join(&content)?;
            return write(out, &[OCTET_STRING], &joined);
        }
        write(out, tag, &content)
    }

    fn children(mut self, out: &mut Vec<u8>, depth: usize) -> Result<(), KeyFileError> {
        while !self.0.is_empty() {
            self.element(out, depth + 1)?;
        }
        Ok(())
    }

    /// Tags of one byte are all that the formats here use.
    fn tag(&mut self) -> Result<&'a [u8], KeyFileError> {
        let tag = self.take(1)?;
        if tag[0] & LONG_TAG == LONG_TAG { Err(MALFORMED) } else { Ok(tag) }
    }

    /// `None` for a length that is left open.
    fn length(&mut self) -> Result<Option<usize>, KeyFileError> {
        match self.take(1)?[0] {
            INDEFINITE => Ok(None),
            short if short < INDEFINITE => Ok(Some(short.into())),
            long => {
                let bytes = self.take(usize::from(long & !INDEFINITE))?;
                let significant = bytes.iter().skip_while(|byte| **byte == 0);
                if significant.clone().count() > 4 {
                    return Err(MALFORMED);
                }
                Ok(Some(significant.fold(0, |len, byte| len << 8 | usize::from(*byte))))
            }
        }
    }
}

/// The pieces of an OCTET STRING, which are in DER already.
fn join(pieces: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let mut joined = Zeroizing::new(Vec::with_capacity(pieces.len()));
    let mut input = Input(pieces);
    while !input.0.is_empty() {
        if input.tag()? != [OCTET_STRING] {
            return Err(MALFORMED);
        }
        let len = input.length()?.ok_or(MALFORMED)?;
        joined.extend_from_slice(input.take(len)?);
    }
    Ok(joined)
}

fn write(out: &mut Vec<u8>, tag: &[u8], content: &[u8]) -> Result<(), KeyFileError> {
    out.extend_from_slice(tag);
    let bytes = u32::try_from(content.len()).map_err(|_| MALFORMED)?.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    match content.len() {
        short @ 0..0x80 => out.push(short as u8),
        _ => {
            out.push(INDEFINITE | (bytes.len() - zeros) as u8);
            out.extend_from_slice(&bytes[zeros..]);
        }
    }
    out.extend_from_slice(content);
    Ok(())
}

/// Certificates with all their extensions have about ten levels, and a PKCS#12 store as many again.
const MAX_DEPTH: usize = 32;

const CONSTRUCTED: u8 = 0x20;
const OCTET_STRING: u8 = 4;
const LONG_TAG: u8 = 0x1f;
const INDEFINITE: u8 = 0x80;
const END_OF_CONTENTS: [u8; 2] = [0, 0];

const MALFORMED: KeyFileError = KeyFileError::Malformed("its structure is cut off or impossible");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_lengths_are_closed_and_pieces_joined() {
        // SEQUENCE { OCTET STRING in two pieces, INTEGER 5 with a long length }, all lengths open but the last.
        let ber = [0x30, 0x80, 0x24, 0x80, 4, 1, 7, 4, 2, 8, 9, 0, 0, 2, 0x81, 1, 5, 0, 0];
        assert_eq!(*to_der(&ber).unwrap(), [0x30, 8, 4, 3, 7, 8, 9, 2, 1, 5]);
    }

    #[test]
    fn der_stays_as_it_is() {
        let long = [&[0x30, 0x82, 1, 4, 4, 0x82, 1, 0][..], &[7; 256]].concat();
        for der in [&long[..], &[0x30, 0], &[0x30, 3, 2, 1, 0]] {
            assert_eq!(*to_der(der).unwrap(), der);
        }
    }

    #[test]
    fn what_is_cut_off_endless_or_too_deep_is_refused() {
        let deep = [0x30, 0x80].repeat(40);
        for ber in [&[0x30, 0x80][..], &[0x30, 5, 0], &[4, 0x80, 0, 0], &[0x30, 0, 0], &[0x1f, 1, 0], &deep] {
            assert!(matches!(to_der(ber), Err(KeyFileError::Malformed(_))), "{ber:?}");
        }
        assert!(to_der(&[4, 0x85, 1, 0, 0, 0, 0]).is_err());
    }
}
