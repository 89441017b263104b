//! Text of servers that do not write it in UTF-8.

use std::fmt;
use std::sync::Arc;

/// Makes characters of what a server writes for people, see [`Builder::server_text`](crate::Builder::server_text).
#[derive(Clone)]
pub struct TextDecoder(Arc<Decode>);

type Decode = dyn Fn(&[u8]) -> String + Send + Sync;

impl TextDecoder {
    /// Decodes by this function, which is given bytes as they came, and must make something of any.
    pub fn new(decode: impl Fn(&[u8]) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(decode))
    }

    pub(crate) fn decode(&self, text: &[u8]) -> String {
        (self.0)(text)
    }
}

impl fmt::Debug for TextDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextDecoder(..)")
    }
}
