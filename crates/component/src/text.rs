//! Text of the program's as bytes on the wire.

use crate::Error;
use crate::code_page::Encoding;
use crate::store::{Store, sentence};

/// The encoding that `CodePage` asks for.
///
/// # Errors
/// 434: it is not known.
pub(crate) fn encoding(store: &Store) -> Result<Encoding, Error> {
    of(store.number("CodePage"))
}

/// The encoding of that number.
///
/// # Errors
/// 434: it is not known.
pub(crate) fn of(number: i64) -> Result<Encoding, Error> {
    let encoding = Encoding::of(u32::try_from(number).unwrap_or(u32::MAX));
    encoding.map_err(|problem| Error::new(434).because(sentence(problem)))
}

/// # Errors
/// 434: the code page lacks a character of the text.
pub(crate) fn encode(store: &Store, text: &str) -> Result<Vec<u8>, Error> {
    encoding(store)?.encode(text).map_err(|problem| Error::new(434).because(sentence(problem)))
}
